const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Milliseconds between an attempt and the next; there is one attempt more than entries. Contract: delivery. */
export const RETRY_DELAYS = [10 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR] as const

const JITTER = 0.1
const MAX_RETRY_AFTER = 24 * HOUR

/**
 * Milliseconds to wait after a failed attempt, ±10 %; null when it was the last one.
 * @param attempt 1, 2, …: the attempt that failed
 * @param random a number in [0, 1)
 */
export function retryDelay(attempt: number, random: number): number | null {
  const delay = RETRY_DELAYS[attempt - 1]
  return delay === undefined ? null : Math.round(delay * (1 + JITTER * (2 * random - 1)))
}

/**
 * `Retry-After` in milliseconds from now, 0 to 24 hours: seconds, or an HTTP date (RFC 9110, 10.2.3). Null when it is
 * missing or malformed.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null
  const text = header.trim()
  const isSeconds = /^\d+$/.test(text)
  // Date.parse accepts other texts, too ("-5" is a year); all HTTP dates begin with the name of a day.
  if (!isSeconds && !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i.test(text)) return null
  const ms = isSeconds ? Number(text) * SECOND : Date.parse(text) - now.getTime()
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER)
}

/**
 * The requested time plus up to 10 %, so that not all clients return at the same time.
 * @param random a number in [0, 1)
 */
export function spreadRetryAfter(ms: number, random: number): number {
  return Math.round(ms * (1 + JITTER * random))
}
