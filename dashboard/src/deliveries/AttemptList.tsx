import { CodeBlock } from '../ui/copy/CodeBlock.tsx'
import { Time } from '../ui/Time.tsx'
import classes from './AttemptList.module.css'
import type { DeliveryInFull } from './useDelivery.ts'

/** Every attempt on a line of time, first to last, with what was answered. */
export function AttemptList({ attempts }: { readonly attempts: DeliveryInFull['attempts'] }) {
  return (
    <ol className={classes.attempts}>
      {attempts.map(({ number, startedAt, durationMs, statusCode, response, error }) => (
        <li key={number} className={classes.attempt} data-good={isSuccess(statusCode, error) || undefined}>
          <p className={classes.head}>
            <strong>Attempt {number}</strong>
            <span className={classes.code}>{statusCode ?? 'No answer'}</span>
            <span className={classes.dim}>{durationMs.toLocaleString()} ms</span>
            <span className={classes.dim}>
              <Time at={startedAt} />
            </span>
          </p>
          {error !== null && <p className={classes.error}>{error}</p>}
          {response !== null && response !== '' && (
            <CodeBlock wrap label={`response to attempt ${number}`} text={pretty(response)} />
          )}
        </li>
      ))}
    </ol>
  )
}

function isSuccess(statusCode: number | null, error: string | null): boolean {
  return error === null && statusCode !== null && statusCode >= 200 && statusCode < 300
}

/** JSON on lines of its own; anything else as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
