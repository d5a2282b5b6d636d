import { parseRetryAfter, retryDelay, spreadRetryAfter } from './retry.ts'

interface Sent {
  /** Sent twice: the receiver was closing the kept connection that the request went out on first. */
  isResent?: boolean
}

/** What came of one attempt, by whose fault it is. */
export type Exchange =
  /** The receiver answered; `response` is the first 4 kB of its body, `location` where a redirect leads. */
  | (Sent & {
      kind: 'answered'
      statusCode: number
      retryAfter?: string | undefined
      location?: string | undefined
      response: string
    })
  /** No complete answer: refused connection, reset, time-out, name that does not resolve. The receiver's fault. */
  | (Sent & { kind: 'failed'; error: string })
  /** The address is not allowed. Nothing was sent, and no later attempt would be. */
  | { kind: 'refused'; error: string }
  /** We could not send: the receiver's attempts are not spent. */
  | { kind: 'fault'; error: string }

/** What happens next. */
export type Outcome =
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
export function decideTest(exchange: Exchange, now: Date): Outcome {
  const outcome = decide(exchange, 1, now, 0)
  return outcome.next === 'delivered' || outcome.next === 'release' ? outcome : { next: 'failed' }
}

/** What was sent ahead of its time is delivered, or waits for its time as before. */
export function decideEarly(exchange: Exchange, now: Date): Outcome {
  const outcome = decide(exchange, 1, now, 0)
  return outcome.next === 'retry' ? { next: 'unspent' } : outcome
}

/** @param attempt 1, 2, …; @param random a number in [0, 1) */
export function decide(exchange: Exchange, attempt: number, now: Date, random: number): Outcome {
  if (exchange.kind === 'fault') return { next: 'release' }
  if (exchange.kind === 'refused') return { next: 'failed' }
  if (exchange.kind === 'failed') return retryOrFail(attempt, now, random, 0)
  const { statusCode, retryAfter } = exchange
  if (statusCode >= 200 && statusCode < 300) return { next: 'delivered' }
  if (statusCode === 410) return { next: 'gone' }
  const mayAskForTime = statusCode === 429 || statusCode === 503
  const asked = mayAskForTime ? (parseRetryAfter(retryAfter, now) ?? 0) : 0
  return retryOrFail(attempt, now, random, spreadRetryAfter(asked, random))
}

/** Whether it shows that the receiver is away or overloaded, in place of refusing what it got. The breaker counts these. */
export function isStrain(exchange: Exchange): boolean {
  if (exchange.kind !== 'answered') return exchange.kind === 'failed'
  return exchange.statusCode >= 500 || exchange.statusCode === 429
}

function retryOrFail(attempt: number, now: Date, random: number, atLeast: number): Outcome {
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
