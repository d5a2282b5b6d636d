import { AlarmClock, CircleCheck } from 'lucide-react'
import { memo } from 'react'
import { Link } from 'react-router'
import { PriorityIcon } from '../../../conversations/PriorityIcon.tsx'
import type { Row } from '../../../conversations/views.ts'
import { Face } from '../../../ui/Face.tsx'
import { Time } from '../../../ui/Time.tsx'
import type { InboxView } from '../../../viewer/navigation.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './ConversationRow.module.css'

interface ConversationRowProps {
  readonly row: Row
  readonly view: InboxView
  /** The search that the list shows, as the address has it. */
  readonly search: string
  readonly isSelected: boolean
  /** It is not of this list any more, and stays in sight until the list moves. */
  readonly hasLeft: boolean
}

export const ConversationRow = memo(function ConversationRow({
  row,
  view,
  search,
  isSelected,
  hasLeft,
}: ConversationRowProps) {
  const { path } = useWorkspace()
  const name = row.visitor.displayName
  const isUnread = (row.unreadCount ?? 0) > 0 && !isSelected
  return (
    <Link
      to={path(`${view.path}/${row.id}`) + search}
      className={classes.row}
      aria-current={isSelected ? 'true' : undefined}
      data-left={hasLeft || undefined}
      data-unread={isUnread || undefined}
    >
      <Face name={name} imageUrl={row.visitor.avatar} size={32} />
      <span className={classes.text}>
        <span className={classes.top}>
          <span className={classes.name}>{name}</span>
          {isUnread && <span className={classes.unread} role="img" aria-label={`${row.unreadCount} unread`} />}
          <PriorityIcon priority={row.priority} />
          <Time at={row.lastActivityAt} short className={classes.time} />
        </span>
        {row.subject !== null && <span className={classes.subject}>{row.subject}</span>}
        <span className={classes.bottom}>
          <span className={classes.preview} data-alone={row.subject === null || undefined}>
            {row.lastMessagePreview ?? 'No messages yet'}
          </span>
          {row.status === 'SNOOZED' && <AlarmClock size={13} aria-label="Snoozed" />}
          {row.status === 'CLOSED' && <CircleCheck size={13} aria-label="Closed" />}
          {row.assignee !== null && (
            <span className={classes.assignee}>
              <Face name={row.assignee.displayName} size={16} />
              <span className="visually-hidden">Assigned to {row.assignee.displayName}</span>
            </span>
          )}
        </span>
      </span>
    </Link>
  )
})
