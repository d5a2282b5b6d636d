import type { RateLimitedError, RateLimitStatus } from '../domain/shared/errors.ts'

/** What every answer says about the budget that it was counted in, over REST and GraphQL. */
export function rateLimitHeaders({ limit, remaining, reset }: RateLimitStatus): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(reset),
  }
}

/** The headers of a refusal. */
export function refusalHeaders({ standing, retryAfterSeconds }: RateLimitedError): Record<string, string> {
  return { ...(standing !== null && rateLimitHeaders(standing)), 'Retry-After': String(retryAfterSeconds) }
}
