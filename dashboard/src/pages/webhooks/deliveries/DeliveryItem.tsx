import { Badge } from '@mantine/core'
import { Link, useLocation, useParams } from 'react-router'
import { DeliveryBadge } from '../../../deliveries/DeliveryBadge.tsx'
import { eventName } from '../../../endpoints/eventTypes.ts'
import type { DeliveryRowFragment } from '../../../generated/documents.ts'
import { Time } from '../../../ui/Time.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './DeliveryList.module.css'

interface DeliveryItemProps {
  readonly delivery: DeliveryRowFragment
  readonly isSelected: boolean
}

/** What the columns are, where there are columns. For the eye: each row says it in words. */
export function DeliveryHead() {
  return (
    <div className={classes.head} aria-hidden>
      <span>Event</span>
      <span>Status</span>
      <span>Answer</span>
      <span>Duration</span>
      <span>Attempts</span>
      <span className={classes.last}>Time</span>
    </div>
  )
}

export function DeliveryItem({ delivery, isSelected }: DeliveryItemProps) {
  const { endpointId = '' } = useParams()
  const { path } = useWorkspace()
  const { search } = useLocation()
  const { id, eventType, isTest, createdAt, attemptCount, attempts } = delivery
  const last = attempts.at(-1)
  return (
    <li className={classes.item} data-selected={isSelected || undefined}>
      <Link
        className={classes.link ?? ''}
        to={{ pathname: path(`settings/webhooks/${endpointId}/${id}`), search }}
        aria-current={isSelected ? 'true' : undefined}
      >
        <span className={classes.event}>
          {eventName(eventType)}{' '}
          {isTest && (
            <Badge size="xs" variant="light" color="gray">
              Test
            </Badge>
          )}
        </span>
        <span className={classes.status}>
          <DeliveryBadge delivery={delivery} />
        </span>
        {last !== undefined && (
          <>
            <span className={classes.code}>{last.statusCode ?? 'No answer'}</span>
            <span className={classes.duration}>{last.durationMs.toLocaleString()} ms</span>
            <span className={classes.count}>{attemptCount === 1 ? '1 attempt' : `${attemptCount} attempts`}</span>
          </>
        )}
        <span className={`${classes.time} ${classes.last}`}>
          <Time at={createdAt} short />
        </span>
      </Link>
    </li>
  )
}
