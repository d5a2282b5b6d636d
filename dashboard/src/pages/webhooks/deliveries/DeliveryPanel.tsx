import { Button, CloseButton } from '@mantine/core'
import { FileQuestion, RotateCw } from 'lucide-react'
import { Link, useLocation, useNavigate } from 'react-router'
import { useAction } from '../../../api/useAction.ts'
import { AttemptList, pretty } from '../../../deliveries/AttemptList.tsx'
import { DeliveryBadge } from '../../../deliveries/DeliveryBadge.tsx'
import { ReplayDelivery } from '../../../deliveries/documents.ts'
import { type DeliveryInFull, useDelivery } from '../../../deliveries/useDelivery.ts'
import { eventName } from '../../../endpoints/eventTypes.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { CodeBlock } from '../../../ui/copy/CodeBlock.tsx'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { Time } from '../../../ui/Time.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './DeliveryPanel.module.css'

interface DeliveryPanelProps {
  readonly id: string
  readonly endpoint: EndpointFieldsFragment
}

/** One delivery in full: what was sent, every attempt, what was answered, and what comes next. */
export function DeliveryPanel({ id, endpoint }: DeliveryPanelProps) {
  const { path } = useWorkspace()
  const { search } = useLocation()
  const navigate = useNavigate()
  const { delivery, isLoading, error, reload } = useDelivery(id)
  const close = () => void navigate({ pathname: path(`settings/webhooks/${endpoint.id}`), search })
  return (
    <article className={classes.panel} aria-label="Delivery">
      <header className={classes.header}>
        <h3 className={classes.title}>{delivery === null ? 'Delivery' : eventName(delivery.eventType)}</h3>
        {delivery !== null && <DeliveryBadge delivery={delivery} />}
        <CloseButton className={classes.close ?? ''} aria-label="Close the delivery" onClick={close} />
      </header>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {error === undefined && isLoading && <Loading lines={5} />}
      {error === undefined && !isLoading && delivery === null && (
        <EmptyState icon={FileQuestion} title="Delivery not found">
          Deliveries are kept for 30 days.
        </EmptyState>
      )}
      {delivery !== null && <InFull delivery={delivery} endpoint={endpoint} reload={reload} />}
    </article>
  )
}

interface InFullProps {
  readonly delivery: DeliveryInFull
  readonly endpoint: EndpointFieldsFragment
  readonly reload: () => void
}

function InFull({ delivery, endpoint, reload }: InFullProps) {
  const { path } = useWorkspace()
  const { mayManage } = usePermissions()
  const [replay, isReplaying] = useAction(ReplayDelivery)
  const { id, status, nextAttemptAt, createdAt, conversationId, attempts, isTest } = delivery
  return (
    <>
      <p className={classes.dim}>
        <Time at={createdAt} />
        {isTest && ' · a test'}
        {conversationId !== null && !isTest && (
          <>
            {' · '}
            <Link to={path(`inbox/open/${conversationId}`)}>Conversation</Link>
          </>
        )}
      </p>
      {status === 'PENDING' && (
        <p role="status">
          {nextAttemptAt !== null && attempts.length > 0 ? (
            <>
              The next attempt is due <Time at={nextAttemptAt} />.
            </>
          ) : endpoint.isEnabled ? (
            'Sending.'
          ) : (
            'Waiting until the endpoint is enabled.'
          )}
        </p>
      )}
      {mayManage && status !== 'PENDING' && (
        <Button
          size="xs"
          variant="default"
          leftSection={<RotateCw size={14} aria-hidden />}
          loading={isReplaying}
          onClick={() => void replay({ input: { deliveryId: id } }).then((outcome) => outcome.ok && reload())}
        >
          Redeliver
        </Button>
      )}
      <h4 className={classes.part}>Attempts</h4>
      {attempts.length === 0 ? <p className={classes.dim}>None yet.</p> : <AttemptList attempts={attempts} />}
      <h4 className={classes.part}>Body</h4>
      <CodeBlock wrap label="body" text={pretty(delivery.body)} />
      <h4 className={classes.part}>Headers</h4>
      <CodeBlock wrap label="headers" text={headersOf(delivery)} />
      <p className={classes.dim}>Each attempt has its own timestamp and signature. Signatures are not stored.</p>
    </>
  )
}

/** What is known of the headers of the last attempt, or of the first to come. */
function headersOf({ id, eventType, attemptCount, endpoint }: DeliveryInFull): string {
  return [
    'Content-Type: application/json; charset=utf-8',
    `X-GudDesk-Event: ${eventName(eventType)}`,
    `X-GudDesk-Delivery: ${id}`,
    `X-GudDesk-Attempt: ${Math.max(1, attemptCount)}`,
    ...(endpoint.agentId === null ? [] : [`X-GudDesk-Agent-Id: ${endpoint.agentId}`]),
    'X-GudDesk-Signature: sha256=…',
    `webhook-id: ${id}`,
    'webhook-timestamp: …',
    'webhook-signature: v1,…',
  ].join('\n')
}
