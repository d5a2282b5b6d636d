import type { ServerResponse } from 'node:http'

const LOOK_MS = 5000
/** How long a reader may leave full buffers as they are. */
const STUCK_MS = 20_000

/**
 * Ends an event stream whose reader has stopped reading: what waits for it would be kept as long as its connection is.
 * Event streams have no answer to a ping, so a reader is missed only when there is something to read.
 */
export function endWhenStuck(response: ServerResponse): void {
  let stuckSince: number | null = null
  const timer = setInterval(() => {
    const isStream = String(response.getHeader('content-type')).startsWith('text/event-stream')
    if (!isStream || !response.writableNeedDrain) stuckSince = null
    else stuckSince ??= performance.now()
    if (stuckSince !== null && performance.now() - stuckSince >= STUCK_MS) response.destroy()
  }, LOOK_MS)
  timer.unref()
  response.once('close', () => clearInterval(timer))
}
