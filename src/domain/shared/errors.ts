/**
 * All codes with which an operation can fail. REST and GraphQL translate these for their clients, and mask everything
 * else.
 */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'unprocessable'
  | 'rate_limited'
  | 'loop_detected'
  | 'unavailable'

/** An expected failure. Its message is for the client: the cause and the remedy. All other errors are masked. */
export class DomainError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** The fault of an input value; `invalid` stands for all rules without a code. */
export type FieldErrorCode = 'required' | 'too_small' | 'too_large' | 'unknown' | 'taken' | 'invalid'

/** An invalid input value: `path` with dots (`events.onMessageCreated`), and the rule in `message`. */
export interface FieldError {
  readonly path: string
  readonly message: string
  /** Omitted: `invalid`. */
  readonly code?: FieldErrorCode
}

export class ValidationError extends DomainError {
  readonly fields: readonly FieldError[]

  constructor(fields: readonly FieldError[], message = describe(fields)) {
    super('bad_request', message)
    this.fields = fields
  }
}

function describe(fields: readonly FieldError[]): string {
  return fields.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
}

export class UnauthorizedError extends DomainError {
  constructor(message = 'Send a valid API key: "Authorization: Bearer gd_…" or "x-api-key: gd_…"') {
    super('unauthorized', message)
  }
}

export class ForbiddenError extends DomainError {
  constructor(message: string) {
    super('forbidden', message)
  }
}

/** Also for objects of other workspaces, so that their existence is not revealed. */
export class NotFoundError extends DomainError {
  /**
   * @param noun the missing object, capitalised: "Conversation"
   * @param why the cause and the remedy
   */
  constructor(noun: string, why?: string) {
    super('not_found', `${noun} not found${why === undefined ? '' : `: ${why}`}`)
  }
}

export class ConflictError extends DomainError {
  readonly fields: readonly FieldError[]

  /** @param taken the input field whose value another object already has */
  constructor(message: string, taken?: string) {
    super('conflict', message)
    this.fields = taken === undefined ? [] : [{ path: taken, code: 'taken', message }]
  }
}

/** A bot replies to itself: the contract, "Replying". */
export class LoopDetectedError extends DomainError {
  readonly retryAfterSeconds: number

  /**
   * @param most the maximum number of BOT messages in the conversation per minute; @param waitMs the time until the
   *   next one is allowed
   */
  constructor(most: number, waitMs: number) {
    const seconds = wholeSeconds(waitMs)
    const what = `More than ${most} bot messages within a minute and no visitor message after them`
    super('loop_detected', `${what}: wait for the visitor, or try again in ${duration(seconds)}`)
    this.retryAfterSeconds = seconds
  }
}

/** The state of a credential's rate limit. */
export interface RateLimitStatus {
  /** The maximum number of requests per minute. */
  readonly limit: number
  readonly remaining: number
  /** The time when the next minute starts, in Unix epoch seconds. */
  readonly reset: number
}

/** Too many attempts; a later one can succeed. */
export class RateLimitedError extends DomainError {
  readonly retryAfterSeconds: number
  /** The exhausted rate limit; null for other limits. */
  readonly standing: RateLimitStatus | null

  /** @param what the limited action: "Too many sign-in attempts" */
  constructor(what: string, waitMs: number, standing: RateLimitStatus | null = null) {
    const seconds = wholeSeconds(waitMs)
    super('rate_limited', `${what}. Try again in ${duration(seconds)}`)
    this.retryAfterSeconds = seconds
    this.standing = standing
  }
}

/** Seconds for `Retry-After`, rounded up, and at least 1. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

function duration(seconds: number): string {
  const [count, unit] = seconds <= 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** The database is unreachable. The request may be valid and can be repeated. */
export class UnavailableError extends DomainError {
  readonly retryAfterSeconds = 2

  constructor(cause: unknown, message = 'The database does not answer. Try again in a few seconds') {
    super('unavailable', message)
    this.cause = cause
  }
}

/** The disk is full: reading works, writing does not. */
export class DiskFullError extends UnavailableError {
  constructor(cause: unknown) {
    super(cause, 'The disk of the database is full: only reading works. Free some space on it, then try again')
  }
}
