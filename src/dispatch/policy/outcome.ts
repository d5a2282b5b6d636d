import { parseRetryAfter, retryDelay, spreadRetryAfter } from './retry.ts'

interface Resend {
  /** Sent twice: the receiver was closing the kept connection that the request went out on first. */
  isResent?: boolean
}

/** What came of one attempt, by whose fault it is. */
export type HttpResult =
  /** The receiver answered; `response` is the first 4 kB of its body, `location` where a redirect leads. */
  | (Resend & {
      kind: 'answered'
      statusCode: number
      retryAfter?: string | undefined
      location?: string | undefined
      response: string
    })
  /** No complete answer: refused connection, reset, time-out, name that does not resolve. The receiver's fault. */
  | (Resend & { kind: 'failed'; error: string })
  /** The address is not allowed. Nothing was sent, and no later attempt would be. */
  | { kind: 'refused'; error: string }
  /** We could not send: the receiver's attempts are not spent. */
  | { kind: 'fault'; error: string }

/** What happens next. */
export type Decision =
  | { next: 'delivered' }
  | { next: 'retry'; at: Date }
  | { next: 'failed' }
  /** Failed, and the endpoint is disabled at once: 410. */
  | { next: 'gone' }
  /** Nothing is recorded: it was sent ahead of its time, which comes. */
  | { next: 'unspent' }
  /** Nothing is recorded: it is sent when we can. */
  | { next: 'release' }

/** A test is tried once, and says nothing about its endpoint: it is delivered, failed, or our fault. */
export function decideTest(httpResult: HttpResult, now: Date): Decision {
  const outcome = decide(httpResult, 1, now, 0)
  return outcome.next === 'delivered' || outcome.next === 'release' ? outcome : { next: 'failed' }
}

/** What was sent ahead of its time is delivered, or waits for its time as before. */
export function decideEarly(httpResult: HttpResult, now: Date): Decision {
  const outcome = decide(httpResult, 1, now, 0)
  return outcome.next === 'retry' ? { next: 'unspent' } : outcome
}

/** @param attempt 1, 2, …; @param random a number in [0, 1) */
export function decide(httpResult: HttpResult, attempt: number, now: Date, random: number): Decision {
  if (httpResult.kind === 'fault') return { next: 'release' }
  if (httpResult.kind === 'refused') return { next: 'failed' }
  if (httpResult.kind === 'failed') return retryOrFail(attempt, now, random, 0)
  const { statusCode, retryAfter } = httpResult
  if (statusCode >= 200 && statusCode < 300) return { next: 'delivered' }
  if (statusCode === 410) return { next: 'gone' }
  const mayAskForTime = statusCode === 429 || statusCode === 503
  const asked = mayAskForTime ? (parseRetryAfter(retryAfter, now) ?? 0) : 0
  return retryOrFail(attempt, now, random, spreadRetryAfter(asked, random))
}

/** Whether it shows that the receiver is away or overloaded, in place of refusing what it got. The breaker counts these. */
export function isOverloadSignal(httpResult: HttpResult): boolean {
  if (httpResult.kind !== 'answered') return httpResult.kind === 'failed'
  return httpResult.statusCode >= 500 || httpResult.statusCode === 429
}

function retryOrFail(attempt: number, now: Date, random: number, atLeast: number): Decision {
  const delay = retryDelay(attempt, random)
  return delay === null ? { next: 'failed' } : { next: 'retry', at: later(now, Math.max(delay, atLeast)) }
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms)
}

/** What to do about a redirect, which is not followed; null for any other answer. */
export function redirected({
  statusCode,
  location,
}: {
  statusCode: number
  location?: string | undefined
}): string | null {
  if (statusCode < 300 || statusCode > 399 || location === undefined) return null
  return `Redirects are not followed: register ${location.slice(0, MAX_LOCATION)} in place of this URL`
}

const MAX_LOCATION = 2048
