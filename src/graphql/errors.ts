import { GraphQLError } from 'graphql'
import type { Deps } from '../domain/shared/deps.ts'
import {
  DomainError,
  LoopDetectedError,
  RateLimitedError,
  UnavailableError,
  ValidationError,
} from '../domain/shared/errors.ts'
import { toUnavailable } from '../domain/shared/unavailable.ts'
import { STATUS } from '../http/error-body.ts'
import { logUnavailable, newRequestId } from '../http/middleware.ts'
import { refusalHeaders } from '../http/rate-limit-headers.ts'
import { StreamEndedError } from '../live/log-tailer.ts'
import { shownFieldError } from '../schema/errors.ts'

/**
 * Keeps the code and message of expected failures; logs and masks all other errors.
 * @param requestId in the log and in the response
 */
export function maskError(deps: Deps, error: unknown, requestId = newRequestId()): GraphQLError {
  const thrown = error instanceof GraphQLError ? (error.originalError ?? error) : error
  const original = toUnavailable(deps, thrown)
  if (original instanceof UnavailableError) {
    logUnavailable(deps, original, requestId)
    const { code, message, retryAfterSeconds } = original
    const http = { status: STATUS[code], headers: { 'Retry-After': String(retryAfterSeconds) } }
    return located(error, message, { code, retryAfterSeconds, http })
  }
  if (original instanceof RateLimitedError) {
    const { code, message, retryAfterSeconds, standing } = original
    const http = { status: STATUS[code], headers: refusalHeaders(original) }
    return located(error, message, { code, retryAfterSeconds, ...(standing && { rateLimit: standing }), http })
  }
  if (original instanceof DomainError) {
    const fields = original instanceof ValidationError ? { fields: original.fields.map(shownFieldError) } : {}
    const wait = original instanceof LoopDetectedError ? { retryAfterSeconds: original.retryAfterSeconds } : {}
    const status = STATUS[original.code]
    const http = original.code === 'unauthorized' ? { http: { status, headers: { 'WWW-Authenticate': 'Bearer' } } } : {}
    return located(error, original.message, { code: original.code, ...fields, ...wait, ...http })
  }
  if (original instanceof StreamEndedError) return located(error, original.message, { code: 'resume' })
  if (original instanceof GraphQLError) return withCode(error instanceof GraphQLError ? error : original)
  deps.log.error({ err: original, requestId }, 'GraphQL operation failed')
  return located(error, 'Something went wrong on our side', { code: 'internal_error', requestId })
}

/** The maximum length of a message of the executor. */
const MAX_MESSAGE = 1000

/** The codes of libraries for invalid requests. */
const LIBRARY_CODES: ReadonlySet<unknown> = new Set([
  undefined,
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
])

/**
 * The libraries give errors of a request (syntax, variables) no code, or different codes for each transport. Their
 * messages repeat the whole invalid value, for each of up to 50 errors.
 */
function withCode(error: GraphQLError): GraphQLError {
  if (!LIBRARY_CODES.has(error.extensions['code'])) return error
  const { message, extensions } = error
  const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message
  const http = extensions.http ?? { spec: true, status: 400 }
  return located(error, short, { code: http.status === 405 ? 'method_not_allowed' : 'bad_request', http })
}

function located(error: unknown, message: string, extensions: Record<string, unknown>): GraphQLError {
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions })
  const { nodes = null, source = null, positions = null, path = null } = error
  return new GraphQLError(message, { nodes, source, positions, path, extensions })
}
