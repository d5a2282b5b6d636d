/** Every way in which an operation may refuse. REST and GraphQL translate these, and nothing else, for their clients. */
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

/** An expected failure. Its message is for the client and says what to do; anything else that is thrown is masked. */
export class DomainError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** What is wrong with an input value; `invalid` stands for every rule that has no code of its own. */
export type FieldErrorCode = 'required' | 'too_small' | 'too_large' | 'unknown' | 'taken' | 'invalid'

/** One bad input value: `path` in dots (`events.onMessageCreated`), `message` says what would be right. */
export interface FieldError {
  readonly path: string
  readonly message: string
  /** Left out: `invalid`. */
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

/** Also for another workspace's objects: whether they exist is not disclosed. */
export class NotFoundError extends DomainError {
  /**
   * @param noun what was asked for, capitalised: "Conversation"
   * @param why and what to do
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

/** A bot answers itself: contract, section on replying. */
export class LoopDetectedError extends DomainError {
  readonly retryAfterSeconds: number

  /** @param most bot messages that the conversation takes within a minute; @param waitMs until it takes the next one */
  constructor(most: number, waitMs: number) {
    const seconds = wholeSeconds(waitMs)
    const what = `More than ${most} bot messages within a minute and no visitor message after them`
    super('loop_detected', `${what}: wait for the visitor, or try again in ${duration(seconds)}`)
    this.retryAfterSeconds = seconds
  }
}

/** Where a credential stands in its budget of requests. */
export interface RateLimitStatus {
  /** Requests a minute. */
  readonly limit: number
  readonly remaining: number
  /** When a new minute begins, in epoch seconds. */
  readonly reset: number
}

/** Tried too often; it may be tried again later. */
export class RateLimitedError extends DomainError {
  readonly retryAfterSeconds: number
  /** The budget that is used up; null for any other limit. */
  readonly standing: RateLimitStatus | null

  /** @param what was tried too often: "Too many sign-in attempts" */
  constructor(what: string, waitMs: number, standing: RateLimitStatus | null = null) {
    const seconds = wholeSeconds(waitMs)
    super('rate_limited', `${what}. Try again in ${duration(seconds)}`)
    this.retryAfterSeconds = seconds
    this.standing = standing
  }
}

/** For `Retry-After`: never too early, and never at once. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

function duration(seconds: number): string {
  const [count, unit] = seconds <= 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** The database cannot be reached. It says nothing about the request, which may be sent again. */
export class UnavailableError extends DomainError {
  readonly retryAfterSeconds = 2

  constructor(cause: unknown, message = 'The database does not answer. Try again in a few seconds') {
    super('unavailable', message)
    this.cause = cause
  }
}

/** There is no space for what would be written; what is there can be read. */
export class DiskFullError extends UnavailableError {
  constructor(cause: unknown) {
    super(cause, 'The disk of the database is full: only reading works. Free some space on it, then try again')
  }
}
