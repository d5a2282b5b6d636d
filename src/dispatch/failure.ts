import { errors } from 'undici'
import { AnswerTooLong, RefusedTarget } from './guard.ts'
import type { Exchange } from './outcome.ts'

export const TOO_LONG = 'The answer is too long'

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

/** What an error of a request means. Errors may be wrapped, or several at once (one per address that was tried). */
export function failure(error: unknown): Exchange {
  for (const cause of causes(error)) {
    if (cause instanceof RefusedTarget) return { kind: 'refused', error: cause.message }
    if (cause instanceof AnswerTooLong) return { kind: 'failed', error: TOO_LONG }
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
