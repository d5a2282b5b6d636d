import type { Dispatcher } from 'undici'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import type { HttpResult } from '../delivery.ts'
import { cache } from './cache.ts'
import { ConnectionPool, type HttpConnection } from './connection-pool.ts'
import { failure, TOO_LONG } from './failure-reason.ts'
import { assertUrlAllowed, guardedConnector } from './ssrf-guard.ts'

/** Contract: connect, headers and body together. */
export const DEADLINE_MS = 5000
export const KEPT_BYTES = 4096
/**
 * The part of a response that is read, headers and body together. The last read from the socket (16 kB) can exceed this;
 * the excess is discarded.
 */
export const MAX_RESPONSE_BYTES = 65_536
const LATE: HttpResult = {
  kind: 'failed',
  error: 'No complete response within 5 seconds: respond first, then process the event',
}

/** Sends one request and waits for the complete response, at most 5 seconds. Never throws. */
export interface HttpClient {
  /** @param headers an object, or name, value, name, value, …, which is faster */
  post(url: string, headers: Record<string, string> | string[], body: string): Promise<HttpResult>
  close(): void
}

/** How often deadlines are checked. */
const TICK_MS = 50
/** The time that a new connection waits for a response before idle ones to the same receiver are closed. */
const STARVING_AFTER_MS = 250

/** A client with keep-alive connections; without redirects, decompression, or a proxy from the environment. */
export function createHttpClient(policy: TargetPolicy): HttpClient {
  /**
   * The oldest first, so that one timer checks only the first few: a timer for each would be as expensive as the
   * request itself.
   */
  const attempts = new Set<HttpRequest>()
  const ticking = setInterval(() => {
    const now = performance.now()
    for (const attempt of attempts) {
      if (attempt.begunAt > now - STARVING_AFTER_MS) break
      if (attempt.begunAt > now - DEADLINE_MS) attempt.starve(connections)
      else attempt.expire()
    }
  }, TICK_MS)
  ticking.unref()
  const connections = new ConnectionPool({
    connect: guardedConnector(policy, { timeoutMs: DEADLINE_MS, maxResponseBytes: MAX_RESPONSE_BYTES }),
    // The deadline is set above, for the whole request; undici has one for each part.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_RESPONSE_BYTES,
  })
  const destinationOf = cache((text: string) => {
    const url = new URL(text)
    assertUrlAllowed(url, policy)
    return { origin: url.origin, path: url.pathname + url.search }
  })

  return {
    post(url, headers, body) {
      return new Promise<HttpResult>((resolve) => {
        const { origin, path } = destinationOf(url)
        const request = { path, method: 'POST' as const, headers, body }
        const attempt = new HttpRequest((httpResult) => {
          attempts.delete(attempt)
          resolve(httpResult)
        })
        attempts.add(attempt)
        const send = (connection: HttpConnection) => {
          attempt.sendOn(connection, request, (httpResult, isComplete, isStale) => {
            if (isComplete) connections.release(connection)
            else connections.drop(connection)
            if (isStale) return send(connections.create(origin))
            attempt.finish(httpResult)
          })
        }
        send(connections.acquire(origin))
      }).catch(failure)
    },
    close() {
      clearInterval(ticking)
      connections.close()
    },
  }
}

/** One request. If the receiver has closed its kept connection, it is sent again on a new one. */
class HttpRequest {
  readonly begunAt = performance.now()
  readonly #done: (httpResult: HttpResult) => void
  #response: ResponseReader | null = null
  #connection: HttpConnection | null = null
  #endStarving: (() => void) | null = null
  #isResent = false

  /** @param done called once */
  constructor(done: (httpResult: HttpResult) => void) {
    this.#done = done
  }

  /** @param ended isStale: there was no response, because the connection had been kept too long */
  sendOn(
    connection: HttpConnection,
    request: Dispatcher.DispatchOptions,
    ended: (httpResult: HttpResult, isComplete: boolean, isStale: boolean) => void,
  ): void {
    const answer = new ResponseReader((httpResult, isComplete) => {
      this.#endStarving?.()
      this.#endStarving = null
      // Read now: the client may have reconnected for this request.
      const mayBeStale = connection.isUsed && !this.#isResent
      const isStale = mayBeStale && httpResult !== LATE && answer.isOfStaleConnection(httpResult)
      this.#isResent ||= isStale
      ended(httpResult, isComplete, isStale)
    })
    this.#response = answer
    this.#connection = connection
    connection.client.dispatch(request, answer)
  }

  finish(httpResult: HttpResult): void {
    const sentOn = httpResult.kind === 'answered' || httpResult.kind === 'failed'
    this.#done(this.#isResent && sentOn ? { ...httpResult, isResent: true } : httpResult)
  }

  /**
   * The request has waited for a while. On a connection without any response so far, the receiver may wait for others
   * to close.
   */
  starve(connections: ConnectionPool): void {
    if (this.#connection === null || this.#connection.isUsed || this.#response?.hasBegun) return
    this.#endStarving ??= connections.startStarving(this.#connection.origin)
  }

  /** The deadline has passed. */
  expire(): void {
    this.#response?.end(LATE, false)
  }
}

/** Reads one response. `dispatch` with a handler takes half the time of `request` with its streams and promises. */
class ResponseReader implements Dispatcher.DispatchHandler {
  readonly #done: (httpResult: HttpResult, isComplete: boolean) => void
  #isDone = false
  #statusCode = 0
  #retryAfter: string | undefined
  #location: string | undefined
  #isCoded = false
  #statesLength = false
  /** The connection was closed. */
  #isCut = false
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #readBytes = 0

  /** @param done called once; `isComplete`: the connection is ready for the next request */
  constructor(done: (httpResult: HttpResult, isComplete: boolean) => void) {
    this.#done = done
  }

  get hasBegun(): boolean {
    return this.#statusCode !== 0
  }

  end(httpResult: HttpResult, isComplete: boolean): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#done(httpResult, isComplete)
  }

  /** The receiver closed the connection before the request arrived: there was no byte of a response, or 408. */
  isOfStaleConnection(httpResult: HttpResult): boolean {
    return httpResult.kind === 'answered' ? httpResult.statusCode === 408 : this.#statusCode === 0 && this.#isCut
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // 1xx are interim responses, of any number.
    if (statusCode < 200) return
    this.#statusCode = statusCode
    this.#retryAfter = first(headers['retry-after'])
    this.#location = first(headers['location'])
    const coding = first(headers['content-encoding'])
    this.#isCoded = coding !== undefined && coding.toLowerCase() !== 'identity'
    this.#statesLength = headers['content-length'] !== undefined
    for (const name in headers) this.#readBytes += name.length + (first(headers[name])?.length ?? 0) + 4
  }

  /**
   * Keeps the first 4 kB, and reads at most 64 kB, because the status matters most. Only a success must be complete,
   * and a response without a length may never be.
   */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#readBytes += chunk.length
    if (this.#keptBytes < KEPT_BYTES && !this.#isCoded) {
      const part = chunk.subarray(0, KEPT_BYTES - this.#keptBytes)
      this.#kept.push(part)
      this.#keptBytes += part.length
    }
    if (this.#readBytes < MAX_RESPONSE_BYTES) return
    const mayBeEndless = !this.#statesLength && this.#statusCode < 300
    this.end(mayBeEndless ? { kind: 'failed', error: TOO_LONG } : this.#httpResult(), false)
  }

  onResponseEnd(): void {
    this.end(this.#httpResult(), true)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isCut = 'code' in error && CUT.has(error.code)
    this.end(failure(error), false)
  }

  #httpResult(): HttpResult {
    // PostgreSQL's text cannot contain U+0000.
    const text = this.#keptBytes === 0 ? '' : DECODER.decode(Buffer.concat(this.#kept)).replaceAll('\u0000', '\ufffd')
    const response = this.#isCoded ? COMPRESSED : text
    const location = this.#statusCode >= 300 && this.#statusCode < 400 ? this.#location : undefined
    return { kind: 'answered', statusCode: this.#statusCode, retryAfter: this.#retryAfter, location, response }
  }
}

const CUT = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'])

/** The first value of a repeated header. */
function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

const COMPRESSED = '(The answer is compressed, which was not asked for: it is not shown)'
const DECODER = new TextDecoder()
