import { Agent, type Dispatcher, errors, request } from 'undici'
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

/** Sends one attempt and waits for the whole answer, at most 5 seconds. Never throws. */
export interface Sender {
  post(url: string, headers: Record<string, string>, body: string): Promise<Exchange>
  close(): Promise<void>
}

/** Keep-alive connections; no redirects, no decompression, no proxy from the environment. */
export function createSender(policy: TargetPolicy): Sender {
  const agent = new Agent({
    connect: guardedConnector(policy, { timeoutMs: DEADLINE_MS, maxAnswerBytes: MAX_ANSWER_BYTES }),
    clientTtl: CONNECTION_MS,
    headersTimeout: DEADLINE_MS,
    bodyTimeout: DEADLINE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    pipelining: 1,
  })
  return {
    async post(url, headers, body) {
      try {
        guardUrl(new URL(url), policy)
        const signal = AbortSignal.timeout(DEADLINE_MS)
        const answer = await request(url, { dispatcher: agent, method: 'POST', headers, body, signal })
        const response = await readStart(answer.body)
        const retryAfter = answer.headers['retry-after']
        return { kind: 'answered', statusCode: answer.statusCode, retryAfter: first(retryAfter), response }
      } catch (error) {
        return failure(error)
      }
    },
    close: () => agent.destroy(),
  }
}

/** Keeps the first 4 kB; after 64 kB the connection is dropped: the status has said what matters. */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  const kept: Buffer[] = []
  let keptBytes = 0
  let readBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    readBytes += chunk.length
    if (keptBytes < KEPT_BYTES) {
      const part = chunk.subarray(0, KEPT_BYTES - keptBytes)
      kept.push(part)
      keptBytes += part.length
    }
    if (readBytes >= READ_BYTES) break // leaving the loop destroys the stream and its connection
  }
  // PostgreSQL's text has no place for U+0000.
  return new TextDecoder().decode(Buffer.concat(kept)).replaceAll('\u0000', '\ufffd')
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

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
  UND_ERR_CONNECT_TIMEOUT: 'No answer within 5 seconds',
  UND_ERR_HEADERS_TIMEOUT: 'No answer within 5 seconds',
  UND_ERR_BODY_TIMEOUT: 'No complete answer within 5 seconds',
}

/** Errors may be wrapped, or several at once (one per address that was tried). */
function failure(error: unknown): Exchange {
  for (const cause of causes(error)) {
    if (cause instanceof RefusedTarget) return { kind: 'refused', error: cause.message }
    if (cause instanceof AnswerTooLong) return { kind: 'failed', error: 'The answer is too long' }
    if (cause.name === 'TimeoutError') return { kind: 'failed', error: 'No complete answer within 5 seconds' }
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
