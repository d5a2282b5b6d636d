import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ValidationError } from '../shared/errors.ts'
import { idText, instant, parse } from '../shared/input.ts'

/** The lengths of buckets, in milliseconds. */
export const BUCKETS = { MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } as const
export type Bucket = keyof typeof BUCKETS

const MAX_BUCKETS = 1000
/** The maximum of GraphQL's Int. In milliseconds, it is about 25 days, and endpoints can be disabled for longer. */
const MAX_INT = 2 ** 31 - 1

export const DeliveryStatsQuery = z.object({
  /** Null or omitted: all endpoints of the workspace. */
  endpointId: idText.nullish(),
  from: instant,
  to: instant,
  bucket: z.enum(Object.keys(BUCKETS) as Bucket[]),
})

/**
 * Statistics of the deliveries whose events happened in a time range. Durations are in milliseconds; null without any.
 */
export interface DeliveryStatsBucket {
  readonly start: Date
  /** Deliveries with at least one attempt. */
  readonly sent: number
  readonly delivered: number
  readonly failed: number
  readonly pending: number
  /** The durations of all attempts, until the response was complete. */
  readonly durationP50Ms: number | null
  readonly durationP95Ms: number | null
  /** The times from the event to the first attempt; at most the maximum of GraphQL's Int. */
  readonly latencyP50Ms: number | null
  readonly latencyP95Ms: number | null
}

/** From the start (included) to the end (excluded). */
export interface Span {
  readonly from: Date
  readonly to: Date
}

/** @throws ValidationError when the range ends before it begins */
export function requireSpan({ from, to }: Span): void {
  if (from >= to) throw new ValidationError([{ path: 'to', message: 'must be after `from`' }])
}

/**
 * FROM and WHERE of the counted deliveries `d`: their events happened in the range, they were to be sent, and they are
 * not tests. Agents see only those to their own endpoints.
 */
export function countedDeliveries(actor: Actor, { from, to }: Span): Prisma.Sql {
  const own = actor.type === 'agent' ? Prisma.sql`AND e.agent_id = ${actor.id}` : Prisma.empty
  return Prisma.sql`
        FROM deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id AND e.unregistered_at IS NULL
       WHERE d.workspace_id = ${actor.workspaceId} AND d.status <> 'SKIPPED' AND NOT d.is_test ${own}
         AND d.created_at >= ${from} AND d.created_at < ${to}`
}

/**
 * Statistics of deliveries in buckets of equal length, in UTC, including empty ones. Both ends are rounded outwards to
 * whole buckets. A delivery counts in the bucket of its event, regardless of the times of its attempts. Tests are not
 * counted. Agents see only their own endpoints.
 * @throws ValidationError when there would be no bucket, or more than 1,000
 */
export async function deliveryStats(
  deps: Deps,
  actor: Actor,
  query: z.input<typeof DeliveryStatsQuery>,
): Promise<DeliveryStatsBucket[]> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  const { endpointId = null, from, to, bucket } = parse(DeliveryStatsQuery, query)
  const length = BUCKETS[bucket]
  const start = new Date(Math.floor(from.getTime() / length) * length)
  const count = Math.ceil((to.getTime() - start.getTime()) / length)
  requireSpan({ from, to })
  if (count > MAX_BUCKETS) {
    const message = `would make ${count} buckets, more than the maximum of ${MAX_BUCKETS}: choose a shorter range or longer buckets`
    throw new ValidationError([{ path: 'bucket', message }])
  }
  const end = new Date(start.getTime() + count * length)
  const one = endpointId === null ? Prisma.empty : Prisma.sql`AND d.endpoint_id = ${endpointId}`
  return deps.db.prisma.$queryRaw<DeliveryStatsBucket[]>`
    WITH counted AS MATERIALIZED (
      SELECT d.id, d.status, d.attempts, d.created_at,
             floor(extract(epoch FROM d.created_at - ${start}::timestamptz) * 1000 / ${length}::bigint)::int AS bucket
        ${countedDeliveries(actor, { from: start, to: end })} ${one}
    ), outcomes AS (
      SELECT bucket, count(*) FILTER (WHERE attempts > 0) AS sent,
             count(*) FILTER (WHERE status = 'DELIVERED') AS delivered,
             count(*) FILTER (WHERE status = 'FAILED') AS failed, count(*) FILTER (WHERE status = 'PENDING') AS pending
        FROM counted GROUP BY bucket
    ), times AS (
      SELECT bucket, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY a.duration_ms) AS duration,
             percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (
               ORDER BY LEAST(extract(epoch FROM a.started_at - counted.created_at) * 1000, ${MAX_INT})::int
             ) FILTER (WHERE a.number = 1) AS latency
        FROM counted JOIN delivery_attempts a ON a.delivery_id = counted.id GROUP BY bucket
    )
    SELECT ${start}::timestamptz + i * ${length}::bigint * interval '1 millisecond' AS start,
           COALESCE(sent, 0)::int AS sent, COALESCE(delivered, 0)::int AS delivered,
           COALESCE(failed, 0)::int AS failed, COALESCE(pending, 0)::int AS pending,
           duration[1] AS "durationP50Ms", duration[2] AS "durationP95Ms",
           latency[1] AS "latencyP50Ms", latency[2] AS "latencyP95Ms"
      FROM generate_series(0, ${count}::int - 1) AS i
      LEFT JOIN outcomes ON outcomes.bucket = i
      LEFT JOIN times ON times.bucket = i
     ORDER BY i`
}
