import { Agent, type Dispatcher, errors } from 'undici'
import type { TargetPolicy } from '../infra/net.ts'
import { AnswerTooLong, guardedConnector, guardUrl, RefusedTarget } from './guard.ts'
import type { Exchange } from './outcome.ts'

/** Contract: connect, headers and body together. */
export const DEADLINE_MS = 5000
const KEPT_BYTES = 4096
const READ_BYTES = 65_536
const MAX_HEADER_BYTES = 16_384
/** More than body, headers, and what one read from the socket brings besides. */
const MAX_ANSWER_BYTES = READ_BYTES + MAX_HEADER_BYTES + 65_536
/** A connection is not used for longer, so that a receiver that moved is found at its new address. */
const CONNECTION_MS = 60_000
const LATE = 'No complete answer within 5 seconds'

/** Sends one attempt and waits for the whole answer, at most 5 seconds. Never throws. */
export interface Sender {
  /** @param headers an object, or name, value, name, value, …, which is quicker */
  post(url: string | URL, headers: Record<string, string> | string[], body: string): Promise<Exchange>
  close(): Promise<void>
}

/** How often deadlines are looked at. */
const TICK_MS = 50

/** Keep-alive connections; no redirects, no decompression, no proxy from the environment. */
export function createSender(policy: TargetPolicy): Sender {
  /** The oldest first, so that one timer looks at the first few: a timer for each would cost as much as the rest. */
  const attempts = new Set<Attempt>()
  const ticking = setInterval(() => {
    const begunBy = performance.now() - DEADLINE_MS
    for (const attempt of attempts) {
      if (attempt.begunAt > begunBy) break
      attempt.isLate()
    }
  }, TICK_MS)
  ticking.unref()
  const agent = new Agent({
    connect: guardedConnector(policy, { timeoutMs: DEADLINE_MS, maxAnswerBytes: MAX_ANSWER_BYTES }),
    clientTtl: CONNECTION_MS,
    // One deadline for everything, below, in place of undici's for each part.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    pipelining: 1,
  })
  return {
    async post(to, headers, body) {
      try {
        const url = typeof to === 'string' ? new URL(to) : to
        guardUrl(url, policy)
        const { origin, pathname, search } = url
        return await new Promise((resolve) => {
          const attempt = new Attempt((exchange) => {
            attempts.delete(attempt)
            resolve(exchange)
          })
          attempts.add(attempt)
          agent.dispatch({ origin, path: pathname + search, method: 'POST', headers, body }, attempt)
        })
      } catch (error) {
        return failure(error)
      }
    },
    async close() {
      clearInterval(ticking)
      await agent.destroy()
    },
  }
}

/** One request on its way. `dispatch` with a handler costs half of what `request` with its streams and promises does. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly begunAt = performance.now()
  readonly #done: (exchange: Exchange) => void
  #controller: Dispatcher.DispatchController | undefined
  #isDone = false
  #statusCode = 0
  #retryAfter: string | undefined
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #readBytes = 0

  constructor(done: (exchange: Exchange) => void) {
    this.#done = done
  }

  isLate(): void {
    this.#end({ kind: 'failed', error: LATE }, true)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isDone) controller.abort(new Error(LATE))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // 1xx are not answers yet, however many come.
    if (statusCode < 200) return
    this.#statusCode = statusCode
    const retryAfter = headers['retry-after']
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter
  }

  /** Keeps the first 4 kB; after 64 kB the connection is dropped: the status has said what matters. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#readBytes += chunk.length
    if (this.#keptBytes < KEPT_BYTES) {
      const part = chunk.subarray(0, KEPT_BYTES - this.#keptBytes)
      this.#kept.push(part)
      this.#keptBytes += part.length
    }
    if (this.#readBytes >= READ_BYTES) this.#end(this.#answer(), true)
  }

  onResponseEnd(): void {
    this.#end(this.#answer(), false)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(failure(error), false)
  }

  #answer(): Exchange {
    // PostgreSQL's text has no place for U+0000.
    const response =
      this.#keptBytes === 0 ? '' : DECODER.decode(Buffer.concat(this.#kept)).replaceAll('\u0000', '\ufffd')
    return { kind: 'answered', statusCode: this.#statusCode, retryAfter: this.#retryAfter, response }
  }

  #end(exchange: Exchange, isCutShort: boolean): void {
    if (this.#isDone) return
    this.#isDone = true
    if (isCutShort) this.#controller?.abort(new Error('cut short'))
    this.#done(exchange)
  }
}

const DECODER = new TextDecoder()

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset',
  EPIPE: 'Connection reset',
  ENOTFOUND: 'The host name does not resolve',
  ENODATA: 'The host name does not resolve',
  ETIMEOUT: 'The host name could not be resolved',
  ESERVFAIL: 'The host name could not be resolved',
  EREFUSED: 'The host name could not be resolved',
  EBADNAME: 'The host name could not be resolved',
  EBADRESP: 'The host name could not be resolved',
  ECONNABORTED: 'Connection reset',
  ETIMEDOUT: 'No answer within 5 seconds',
  EHOSTUNREACH: 'Host unreachable',
  ENETUNREACH: 'Network unreachable',
  UND_ERR_SOCKET: 'The connection was closed before the answer was complete',
  UND_ERR_HEADERS_OVERFLOW: 'The answer has too many headers',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'The answer is not as long as it says',
  UND_ERR_CONNECT_TIMEOUT: 'No answer within 5 seconds',
}

/** Errors may be wrapped, or several at once (one per address that was tried). */
function failure(error: unknown): Exchange {
  for (const cause of causes(error)) {
    if (cause instanceof RefusedTarget) return { kind: 'refused', error: cause.message }
    if (cause instanceof AnswerTooLong) return { kind: 'failed', error: 'The answer is too long' }
    const code = 'code' in cause ? String(cause.code) : ''
    const reason = REASONS[code]
    if (reason !== undefined) return { kind: 'failed', error: reason }
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|UNABLE_TO|SELF_SIGNED)/.test(code)) {
      return { kind: 'failed', error: `TLS: ${code.toLowerCase().replaceAll('_', ' ')}` }
    }
    if (cause instanceof errors.HTTPParserError) return { kind: 'failed', error: 'The answer is not valid HTTP' }
  }
  return { kind: 'failed', error: error instanceof Error ? `The request failed: ${error.name}` : 'The request failed' }
}

function* causes(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return
  yield error
  if (error instanceof AggregateError) for (const inner of error.errors) yield* causes(inner)
  yield* causes(error.cause)
}
