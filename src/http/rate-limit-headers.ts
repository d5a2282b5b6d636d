import type { RateLimitedError, RateLimitStatus } from '../domain/shared/errors.ts'

/** The headers with the state of the budget, for REST and GraphQL. */
export function rateLimitHeaders({ limit, remaining, reset }: RateLimitStatus): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(reset),
  }
}

/** The headers of a refused request. */
export function refusalHeaders({ standing, retryAfterSeconds }: RateLimitedError): Record<string, string> {
  return { ...(standing !== null && rateLimitHeaders(standing)), 'Retry-After': String(retryAfterSeconds) }
}
