import { isAsyncIterable, type Plugin } from 'graphql-yoga'

const STREAM = 'text/event-stream'

/** Headers that keep proxies from buffering, changing or caching a stream. */
const STREAM_HEADERS = { 'X-Accel-Buffering': 'no', 'Cache-Control': 'no-cache, no-transform' }

/** Lets event streams pass through proxies, and names the accepted media types if none matches. */
export function serverSentEvents(): Plugin {
  return {
    onResultProcess({ resultProcessor, setResultProcessor }) {
      if (resultProcessor !== undefined) return
      setResultProcessor((result, fetchAPI) => {
        if (isAsyncIterable(result))
          result[Symbol.asyncIterator]()
            .return?.()
            .catch(() => undefined)
        const body = JSON.stringify({ errors: [notAcceptable(isAsyncIterable(result))] })
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
