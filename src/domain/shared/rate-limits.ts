import type { Plan } from '../../generated/prisma/enums.ts'
import type { Clock } from '../../infra/clock.ts'
import type { Caller } from './actor.ts'
import { RateLimitedError, type RateLimitStatus } from './errors.ts'

/** Requests per minute: of an API key by plan, and of a person's session. Null: no limit. */
export type Limits = Readonly<Record<Plan | 'SESSION', number>> | null

/** Replies have a separate budget, so that reading cannot use it up. */
export type Budget = 'general' | 'agent'

/** Hits of one key in its current window, and the end of the window; see infra/redis/rate-counter.ts. */
export type CountHit = (
  key: string,
  windowMs: number,
  now: Date,
  times?: number,
  max?: number,
) => Promise<{ hits: number; endsInMs: number; fits: boolean }>

/**
 * Counts a request of an authenticated caller.
 * @param requests the weight of the request
 * @returns the state of the budget after this request; null without a limit
 * @throws RateLimitedError when the weight exceeds the rest; the request then counts as one
 */
export type Charge = (caller: Caller, budget: Budget, requests: number) => Promise<RateLimitStatus | null>

const WINDOW_MS = 60_000

export function chargeBy(limits: Limits, count: CountHit, clock: Clock): Charge {
  return async ({ credentialId, plan }, budget, requests) => {
    if (limits === null) return null
    const limit = limits[plan ?? 'SESSION']
    const key = budget === 'general' ? credentialId : `${credentialId} ${budget}`
    // A request must fit into a new minute, or it would never be allowed.
    const times = Math.min(requests, limit)
    const { hits, endsInMs, fits } = await count(key, WINDOW_MS, clock.steady(), times, limit)
    const reset = Math.ceil((clock.now().getTime() + endsInMs) / 1000)
    const standing = { limit, remaining: Math.max(0, limit - hits), reset }
    if (!fits) {
      const tooDear = `This operation counts as ${times} requests, and fewer of ${limit} a minute were left`
      throw new RateLimitedError(hits > limit ? `More than ${limit} requests a minute` : tooDear, endsInMs, standing)
    }
    return standing
  }
}
