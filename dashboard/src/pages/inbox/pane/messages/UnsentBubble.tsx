import { Button } from '@mantine/core'
import type { Outbox, Unsent } from '../useOutbox.ts'
import classes from './MessageBubble.module.css'

interface UnsentBubbleProps {
  readonly unsent: Unsent
  readonly outbox: Outbox
}

/** A message on its way, or one that was not taken, with what to do about it. */
export function UnsentBubble({ unsent: { id, body, type, failure }, outbox }: UnsentBubbleProps) {
  return (
    <li className={classes.message} data-type={type} data-unsent data-failed={failure !== null || undefined}>
      <span className={classes.face} />
      <div className={classes.column}>
        <div className={classes.body}>{body}</div>
        {failure === null ? (
          <p className={classes.sending}>Sending…</p>
        ) : (
          <div className={classes.failure} role="alert">
            Not sent. {failure}
            <Button size="compact-xs" variant="light" onClick={() => outbox.retry(id)}>
              Send again
            </Button>
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => outbox.discard(id)}>
              Discard
            </Button>
          </div>
        )}
      </div>
    </li>
  )
}
