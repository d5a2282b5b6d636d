import type { Context } from 'koa'
import type { Caller } from '../domain/actor.ts'
import { DomainError } from '../domain/errors.ts'
import type { Plan } from '../generated/prisma/enums.ts'

/** Requests a minute by plan; null switches the limit off. */
export type Limits = Readonly<Record<Plan, number>> | null

/** Hits of one key in its current window, and when that ends; see infra/rate-counter.ts. */
export type CountHit = (key: string, windowMs: number, now: Date) => Promise<{ hits: number; endsInMs: number }>

const WINDOW_MS = 60_000

/**
 * Counts a request of an authenticated caller and says in the answer's headers how many are left.
 * @throws DomainError rate_limited, with Retry-After
 */
export async function limitRate(
  ctx: Context,
  caller: Caller,
  limits: Limits,
  count: CountHit,
  now: Date,
): Promise<void> {
  if (limits === null || caller.plan === null) return
  const limit = limits[caller.plan]
  const { hits, endsInMs } = await count(caller.credentialId, WINDOW_MS, now)
  ctx.set('X-RateLimit-Limit', String(limit))
  ctx.set('X-RateLimit-Remaining', String(Math.max(0, limit - hits)))
  ctx.set('X-RateLimit-Reset', String(Math.ceil((now.getTime() + endsInMs) / 1000)))
  if (hits <= limit) return
  const seconds = Math.max(1, Math.ceil(endsInMs / 1000))
  ctx.set('Retry-After', String(seconds))
  throw new DomainError('rate_limited', `More than ${limit} requests a minute: try again in ${seconds} s`)
}
