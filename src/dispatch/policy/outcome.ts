import type { Decision, HttpResult } from '../delivery.ts'
import { parseRetryAfter, retryDelay, spreadRetryAfter } from './retry.ts'

/** A test has one attempt, and no effect on its endpoint: it is delivered, failed, or an internal fault. */
export function decideTest(httpResult: HttpResult, now: Date): Decision {
  const decision = decide(httpResult, 1, now, noJitter)
  return decision.next === 'delivered' || decision.next === 'release' ? decision : { next: 'failed' }
}

/** An early request delivers the delivery, or leaves it waiting for its due time. */
export function decideEarlySend(httpResult: HttpResult, now: Date): Decision {
  const decision = decide(httpResult, 1, now, noJitter)
  return decision.next === 'retry' ? { next: 'unspent' } : decision
}

/** An early request does not use the retry time, so it needs no jitter. */
const noJitter = () => 0

/**
 * @param attempt 1, 2, …: the attempt that has ended
 * @param jitter called once, and only for a retry; returns a number in [0, 1)
 */
export function decide(httpResult: HttpResult, attempt: number, now: Date, jitter: () => number): Decision {
  if (httpResult.kind === 'fault') return { next: 'release' }
  if (httpResult.kind === 'refused') return { next: 'failed' }
  if (httpResult.kind === 'failed') return retryOrFail(attempt, now, 0, jitter)
  const { statusCode, retryAfter } = httpResult
  if (statusCode >= 200 && statusCode < 300) return { next: 'delivered' }
  if (statusCode === 410) return { next: 'gone' }
  const mayAskForTime = statusCode === 429 || statusCode === 503
  const asked = mayAskForTime ? (parseRetryAfter(retryAfter, now) ?? 0) : 0
  return retryOrFail(attempt, now, asked, jitter)
}

/** Whether the receiver is down or overloaded, instead of refusing a delivery. The circuit breaker counts these. */
export function isOverloadSignal(httpResult: HttpResult): boolean {
  if (httpResult.kind !== 'answered') return httpResult.kind === 'failed'
  return httpResult.statusCode >= 500 || httpResult.statusCode === 429
}

/** @param askedMs the time requested by `Retry-After`; 0: none */
function retryOrFail(attempt: number, now: Date, askedMs: number, jitter: () => number): Decision {
  const random = jitter()
  const delay = retryDelay(attempt, random)
  if (delay === null) return { next: 'failed' }
  return { next: 'retry', at: new Date(now.getTime() + Math.max(delay, spreadRetryAfter(askedMs, random))) }
}

/** What to do about a redirect, which is not followed; null: the response is no redirect. */
export function redirectHint({
  statusCode,
  location,
}: {
  statusCode: number
  location?: string | undefined
}): string | null {
  if (statusCode < 300 || statusCode > 399 || location === undefined) return null
  return `Redirects are not followed: register ${location.slice(0, MAX_LOCATION_LENGTH)} instead of this URL`
}

const MAX_LOCATION_LENGTH = 2048
