import { Alert, Button } from '@mantine/core'
import { KeyRound, TriangleAlert } from 'lucide-react'
import { useAction } from '../../../api/useAction.ts'
import { EnableEndpoint, EndWebhookSecretOverlap } from '../../../endpoints/documents.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { Time } from '../../../ui/Time.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'

const REASONS = {
  GONE: 'The receiver responded with 410 Gone.',
  FAILING: 'Every attempt failed for five days.',
} as const

/** What needs somebody: an endpoint that was disabled, a rotation that is under way. */
export function EndpointNotices({ endpoint }: { readonly endpoint: EndpointFieldsFragment }) {
  const { mayManage } = usePermissions()
  const { id, isEnabled, disabledReason, secretRotation } = endpoint
  const [enable, isEnabling] = useAction(EnableEndpoint)
  const [confirm, isConfirming] = useAction(EndWebhookSecretOverlap)
  const input = { input: { endpointId: id } }
  return (
    <>
      {!isEnabled && (
        <Alert
          mb="md"
          color={disabledReason === null ? 'gray' : 'red'}
          icon={<TriangleAlert size={16} />}
          title={disabledReason === null ? 'This endpoint is disabled' : 'This endpoint was disabled automatically'}
        >
          {disabledReason !== null && <p>{REASONS[disabledReason]}</p>}
          <p>Pending deliveries are kept, and sent when you enable the endpoint. New events are skipped.</p>
          {mayManage && (
            <Button size="xs" mt="xs" loading={isEnabling} onClick={() => void enable(input)}>
              Enable
            </Button>
          )}
        </Alert>
      )}
      {secretRotation !== null && (
        <Alert mb="md" color="blue" icon={<KeyRound size={16} />} title="Secret rotation in progress">
          <p>
            Two secrets sign until <Time at={secretRotation.overlapEndsAt} />: webhook-signature has both,
            X-GudDesk-Signature the old one. Afterwards only the new one signs.
          </p>
          {mayManage && (
            <Button size="xs" mt="xs" variant="default" loading={isConfirming} onClick={() => void confirm(input)}>
              End the old secret now
            </Button>
          )}
        </Alert>
      )}
    </>
  )
}
