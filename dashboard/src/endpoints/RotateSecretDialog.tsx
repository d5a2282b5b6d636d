import { Alert, Button, Modal, Select } from '@mantine/core'
import { useState } from 'react'
import { useAction } from '../api/useAction.ts'
import type { EndpointFieldsFragment } from '../generated/documents.ts'
import { FormFault } from '../ui/forms/FormFault.tsx'
import classes from './dialogs.module.css'
import { RotateSecret } from './documents.ts'
import { SecretPanel } from './SecretPanel.tsx'

interface RotateSecretDialogProps {
  readonly endpoint: Pick<EndpointFieldsFragment, 'id' | 'url' | 'secretRotation'>
  readonly onClose: () => void
}

export const OVERLAPS = [
  { value: '0', label: 'None: the old one ends now' },
  { value: '1', label: '1 hour' },
  { value: '24', label: '24 hours' },
  { value: '72', label: '3 days' },
  { value: '168', label: '7 days' },
]

export function RotateSecretDialog({ endpoint, onClose }: RotateSecretDialogProps) {
  const { id, url, secretRotation } = endpoint
  const [overlap, setOverlap] = useState(secretRotation === null ? '24' : '0')
  const [secret, setSecret] = useState<string | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(RotateSecret, { toast: false })

  async function rotate() {
    const outcome = await run({ input: { endpointId: id, overlapHours: Number(overlap) } })
    setFault(outcome.ok ? null : outcome.message)
    if (outcome.ok) setSecret(outcome.payload.secret)
  }

  if (secret !== null) {
    return (
      <Modal
        opened
        onClose={onClose}
        size="lg"
        title="Copy the new signing secret"
        withCloseButton={false}
        closeOnEscape={false}
        closeOnClickOutside={false}
      >
        <SecretPanel url={url} secret={secret} onSaved={onClose} />
      </Modal>
    )
  }
  return (
    <Modal opened onClose={onClose} title="Rotate the signing secret">
      <div className={classes.form}>
        <p>
          The endpoint gets a new secret. During the overlap both sign: webhook-signature has two values, and
          X-GudDesk-Signature stays with the old secret until the overlap ends.
        </p>
        {secretRotation !== null && (
          <Alert color="yellow">
            A rotation is in progress. To rotate again, choose no overlap: both older secrets end immediately.
          </Alert>
        )}
        <Select
          label="Overlap"
          description="Time to give the receiver the new secret."
          data={OVERLAPS}
          allowDeselect={false}
          value={overlap}
          onChange={(value) => setOverlap(value ?? '24')}
        />
        {overlap === '0' && <Alert color="red">The receiver rejects all webhooks until it has the new secret.</Alert>}
        <FormFault message={fault} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color={overlap === '0' ? 'red' : 'indigo'} loading={isRunning} onClick={() => void rotate()}>
            Rotate secret
          </Button>
        </div>
      </div>
    </Modal>
  )
}
