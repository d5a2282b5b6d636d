import { Modal } from '@mantine/core'
import { Link } from 'react-router'
import classes from '../../../endpoints/dialogs.module.css'
import { eventName } from '../../../endpoints/eventTypes.ts'
import { CodeBlock } from '../../../ui/copy/CodeBlock.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { type LiveEvent, payloadText } from './useEventStream.ts'

interface EventDialogProps {
  readonly event: LiveEvent
  readonly onClose: () => void
}

/** One event as receivers get it. */
export function EventDialog({ event, onClose }: EventDialogProps) {
  const { path } = useWorkspace()
  const { id, type, payload, createdAt, isTest } = event
  const conversationId = payloadText(event, 'conversationId')
  const sent = { event: eventName(type), data: payload, timestamp: createdAt }
  return (
    <Modal opened onClose={onClose} size="lg" title={eventName(type)}>
      <div className={classes.form}>
        <p className={classes.dim}>
          {id}
          {conversationId !== null && !isTest && (
            <>
              {' · '}
              <Link to={path(`inbox/open/${conversationId}`)}>Conversation</Link>
            </>
          )}
        </p>
        <CodeBlock wrap label="event" text={JSON.stringify(sent, null, 2)} />
      </div>
    </Modal>
  )
}
