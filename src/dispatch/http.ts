import type { Dispatcher } from 'undici'
import type { TargetPolicy } from '../infra/net.ts'
import { cache } from './cache.ts'
import { Connections } from './connections.ts'
import { failure, TOO_LONG } from './failure.ts'
import { guardedConnector, guardUrl } from './guard.ts'
import type { Exchange } from './outcome.ts'

/** Contract: connect, headers and body together. */
export const DEADLINE_MS = 5000
export const KEPT_BYTES = 4096
/**
 * No more than 64 kB are read of an answer: its headers, its body, and what the last read from the socket (16 kB) brings
 * beyond these.
 */
export const MAX_HEADER_BYTES = 8192
export const MAX_BODY_BYTES = 40_960
const LATE: Exchange = { kind: 'failed', error: 'No complete answer within 5 seconds' }

/** Sends one attempt and waits for the whole answer, at most 5 seconds. Never throws. */
export interface Sender {
  /** @param headers an object, or name, value, name, value, …, which is quicker */
  post(url: string, headers: Record<string, string> | string[], body: string): Promise<Exchange>
  close(): void
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
      attempt.end(LATE, false)
    }
  }, TICK_MS)
  ticking.unref()
  const connections = new Connections({
    connect: guardedConnector(policy, {
      timeoutMs: DEADLINE_MS,
      maxAnswerBytes: MAX_HEADER_BYTES + MAX_BODY_BYTES,
    }),
    // One deadline for everything, above, in place of undici's for each part.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  const destinationOf = cache((text: string) => {
    const url = new URL(text)
    guardUrl(url, policy)
    return { origin: url.origin, path: url.pathname + url.search }
  })

  return {
    post(url, headers, body) {
      return new Promise<Exchange>((resolve) => {
        const { origin, path } = destinationOf(url)
        const connection = connections.take(origin)
        const attempt = new Attempt((exchange, isComplete) => {
          attempts.delete(attempt)
          if (isComplete) connections.giveBack(connection)
          else connections.drop(connection)
          resolve(exchange)
        })
        attempts.add(attempt)
        connection.client.dispatch({ path, method: 'POST', headers, body }, attempt)
      }).catch(failure)
    },
    close() {
      clearInterval(ticking)
      connections.close()
    },
  }
}

/** One request on its way. `dispatch` with a handler costs half of what `request` with its streams and promises does. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly begunAt = performance.now()
  readonly #done: (exchange: Exchange, isComplete: boolean) => void
  #isDone = false
  #statusCode = 0
  #retryAfter: string | undefined
  #statesLength = false
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #readBytes = 0

  /** @param done is called once; `isComplete`: the connection is ready for the next request */
  constructor(done: (exchange: Exchange, isComplete: boolean) => void) {
    this.#done = done
  }

  end(exchange: Exchange, isComplete: boolean): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#done(exchange, isComplete)
  }

  onRequestStart(): void {}

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
    this.#statesLength = headers['content-length'] !== undefined
  }

  /**
   * Keeps the first 4 kB, and reads no more than 40 kB: then the status says what matters. Only a success must be an answer
   * that ends, and one that does not state its length might not.
   */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#readBytes += chunk.length
    if (this.#keptBytes < KEPT_BYTES) {
      const part = chunk.subarray(0, KEPT_BYTES - this.#keptBytes)
      this.#kept.push(part)
      this.#keptBytes += part.length
    }
    if (this.#readBytes < MAX_BODY_BYTES) return
    const mayBeEndless = !this.#statesLength && this.#statusCode < 300
    this.end(mayBeEndless ? { kind: 'failed', error: TOO_LONG } : this.#answer(), false)
  }

  onResponseEnd(): void {
    this.end(this.#answer(), true)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.end(failure(error), false)
  }

  #answer(): Exchange {
    // PostgreSQL's text has no place for U+0000.
    const response =
      this.#keptBytes === 0 ? '' : DECODER.decode(Buffer.concat(this.#kept)).replaceAll('\u0000', '\ufffd')
    return { kind: 'answered', statusCode: this.#statusCode, retryAfter: this.#retryAfter, response }
  }
}

const DECODER = new TextDecoder()
