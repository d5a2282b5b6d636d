import { DomainError, type ErrorCode, type FieldError, ValidationError } from '../domain/shared/errors.ts'

/** Exhaustive: a new code does not compile without its status. */
export const STATUS: Record<ErrorCode, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  rate_limited: 429,
  loop_detected: 429,
  unavailable: 503,
}

export interface ErrorBody {
  error: { code: ErrorCode | 'internal_error'; message: string; status: number; fields?: readonly FieldError[] }
}

/** The public form of an error; null for unexpected ones, which are logged and masked. */
export function expectedError(error: unknown): ErrorBody | null {
  if (!(error instanceof DomainError)) return null
  const { code, message } = error
  const fields =
    error instanceof ValidationError ? { fields: error.fields.map(({ path, message }) => ({ path, message })) } : {}
  return { error: { code, message, status: STATUS[code], ...fields } }
}

export function internalError(requestId: string): ErrorBody {
  const message = `Something went wrong on our side. Quote the request id ${requestId} when you report it.`
  return { error: { code: 'internal_error', message, status: 500 } }
}
