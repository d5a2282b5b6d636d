import type { AnyVariables, Client, CombinedError, TypedDocumentNode } from '@urql/core'

interface Follow<Data, Variables> {
  readonly variables: Omit<Variables, 'after'>
  /** Where to begin: a cursor that an earlier stream has reached. Left out: with what happens from now on. */
  readonly after?: string | null
  /** Where to resume: the cursor of an update, or null for one that has none. */
  readonly cursorOf: (data: Data) => string | null
  /** After each update; the cache has it already. */
  readonly onUpdate?: (data: Data) => void
  /** A stream has begun that follows on nothing: what was read before it may be out of date. */
  readonly onFresh?: () => void
  /** It was refused for good: not found, or forbidden. */
  readonly onRefused?: (error: CombinedError) => void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8000
const REFUSED = ['forbidden', 'not_found', 'unauthorized']

/**
 * Follows a subscription for as long as somebody looks, over lost connections and restarts of the server: it resumes after
 * the last cursor, so that nothing is missed and nothing comes twice.
 * @returns ends it
 */
export function follow<Data, Variables extends AnyVariables & { after?: string | null | undefined }>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  { variables, after = null, cursorOf, onUpdate, onFresh, onRefused }: Follow<Data, Variables>,
): () => void {
  let cursor: string | null = after
  let waitMs = FIRST_WAIT_MS
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop: (() => void) | undefined
  let isEnded = false

  function start() {
    stop?.()
    timer = undefined
    let isFirst = cursor === null
    let hasFailed = false
    const again = (afterMs = waitMs) => {
      if (isEnded || hasFailed) return
      hasFailed = true
      timer = setTimeout(start, afterMs * (0.75 + Math.random() / 2))
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
    }
    // The cursor is what makes these variables the document's: everything else was given.
    const all = { ...variables, after: cursor } as unknown as Variables
    const { unsubscribe } = client.subscription(document, all).subscribe(({ data, error }) => {
      if (error !== undefined) {
        const code = codeOf(error)
        if (code !== null && REFUSED.includes(code)) {
          isEnded = true
          onRefused?.(error)
          return
        }
        // A cursor that the server no longer takes: begin anew.
        if (code === 'bad_request') cursor = null
        again(askedWaitMs(error))
        return
      }
      if (data !== undefined) {
        waitMs = FIRST_WAIT_MS
        cursor = cursorOf(data) ?? cursor
        if (isFirst) onFresh?.()
        isFirst = false
        onUpdate?.(data)
      }
    })
    stop = unsubscribe
  }

  const hurry = () => {
    if (timer === undefined) return
    clearTimeout(timer)
    waitMs = FIRST_WAIT_MS
    start()
  }
  addEventListener('online', hurry)
  start()
  return () => {
    isEnded = true
    removeEventListener('online', hurry)
    clearTimeout(timer)
    stop?.()
  }
}

/** How long the server asks to wait, and half as long again, as whoever waits comes up to a quarter early. */
function askedWaitMs({ graphQLErrors }: CombinedError): number | undefined {
  const seconds = graphQLErrors[0]?.extensions['retryAfterSeconds']
  return typeof seconds === 'number' ? seconds * 1500 : undefined
}

function codeOf({ graphQLErrors }: CombinedError): string | null {
  const code = graphQLErrors[0]?.extensions['code']
  return typeof code === 'string' ? code : null
}
