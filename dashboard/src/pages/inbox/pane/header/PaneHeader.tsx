import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { AlarmClock, ArrowLeft, CircleCheck, PanelRight, RotateCcw } from 'lucide-react'
import { Link, useParams } from 'react-router'
import type { Conversation } from '../../../../conversations/useConversation.ts'
import { Time } from '../../../../ui/Time.tsx'
import { useWorkspace } from '../../../../viewer/workspace.ts'
import { AssignMenu } from './AssignMenu.tsx'
import classes from './PaneHeader.module.css'
import { PriorityMenu } from './PriorityMenu.tsx'
import { SnoozeMenu } from './snooze/SnoozeMenu.tsx'
import { TagsEditor } from './TagsEditor.tsx'
import { useChange } from './useChange.ts'

interface PaneHeaderProps {
  readonly conversation: Conversation
  readonly isPanelOpen: boolean
  readonly onTogglePanel: () => void
  /** The conversation was closed or snoozed here. */
  readonly onDone: () => void
}

export function PaneHeader({ conversation, isPanelOpen, onTogglePanel, onDone }: PaneHeaderProps) {
  const { id, subject, visitor, status, priority, tags, assignee, snoozedUntil, closedAt } = conversation
  const { path } = useWorkspace()
  const { view } = useParams()
  const change = useChange(id)
  const isClosed = status === 'CLOSED'

  function closeOrReopen() {
    void change({ status: isClosed ? 'OPEN' : 'CLOSED' })
    if (!isClosed) onDone()
  }
  function snooze(until: Date) {
    void change({ snoozedUntil: until.toISOString() })
    onDone()
  }
  useHotkeys([['e', closeOrReopen]])

  return (
    <header className={classes.header}>
      <div className={classes.line}>
        <div className={classes.titles}>
          <ActionIcon
            className={classes.back ?? ''}
            component={Link}
            to={path(`inbox/${view}`)}
            variant="subtle"
            color="gray"
            aria-label="Back to the list"
          >
            <ArrowLeft size={18} aria-hidden />
          </ActionIcon>
          <div className={classes.title}>
            <h1 className={classes.name}>{subject ?? visitor.displayName}</h1>
            <p className={classes.state}>
              {subject !== null && <span>{visitor.displayName}</span>}
              {status === 'SNOOZED' && snoozedUntil !== null && (
                <span className={classes.snoozed}>
                  <AlarmClock size={12} aria-hidden /> reopens <Time at={snoozedUntil} />
                </span>
              )}
              {isClosed && closedAt !== null && (
                <span className={classes.closed}>
                  <CircleCheck size={12} aria-hidden /> closed <Time at={closedAt} />
                </span>
              )}
            </p>
          </div>
        </div>
        <div className={classes.actions}>
          <AssignMenu assignee={assignee} onAssign={(assigneeId) => void change({ assigneeId })} />
          <PriorityMenu priority={priority} onChange={(value) => void change({ priority: value })} />
          <TagsEditor key={id} tags={tags} onChange={(value) => void change({ tags: value })} />
          {!isClosed && (
            <SnoozeMenu
              isSnoozed={status === 'SNOOZED'}
              onSnooze={snooze}
              onWake={() => void change({ status: 'OPEN' })}
            />
          )}
          <Button
            size="xs"
            variant={isClosed ? 'default' : 'filled'}
            leftSection={isClosed ? <RotateCcw size={14} aria-hidden /> : <CircleCheck size={14} aria-hidden />}
            onClick={closeOrReopen}
          >
            {isClosed ? 'Reopen' : 'Close'}
          </Button>
          <Tooltip label={isPanelOpen ? 'Hide the visitor' : 'Show the visitor'}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label="Visitor details"
              aria-expanded={isPanelOpen}
              onClick={onTogglePanel}
            >
              <PanelRight size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </div>
      </div>
    </header>
  )
}
