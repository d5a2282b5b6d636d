import type { ServerResponse } from 'node:http'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'

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

const STREAM = 'text/event-stream'

/** What keeps proxies from gathering, changing or keeping a stream: events are for now. */
const STREAM_HEADERS = { 'X-Accel-Buffering': 'no', 'Cache-Control': 'no-cache, no-transform' }

/** Lets event streams through proxies, and says what to accept where a result cannot be had otherwise. */
export function streams(): Plugin {
  return {
    onResultProcess({ resultProcessor, setResultProcessor }) {
      if (resultProcessor !== undefined) return
      setResultProcessor((given, fetchAPI) => {
        if (isAsyncIterable(given))
          given[Symbol.asyncIterator]()
            .return?.()
            .catch(() => undefined)
        const body = JSON.stringify({ errors: [notAcceptable(isAsyncIterable(given))] })
        const headers = { 'Content-Type': 'application/json; charset=utf-8' }
        return new fetchAPI.Response(body, { status: 406, headers })
      }, 'application/json')
    },
    onResponse({ response }) {
      if (!response.headers.get('content-type')?.startsWith(STREAM)) return
      for (const [name, value] of Object.entries(STREAM_HEADERS)) response.headers.set(name, value)
    },
  }
}

function notAcceptable(isStream: boolean) {
  const message = isStream
    ? `A subscription is a stream: send Accept: ${STREAM}, or use a WebSocket with graphql-ws`
    : 'Send Accept: application/json or application/graphql-response+json'
  return { message, extensions: { code: 'not_acceptable' } }
}
