import { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { instant, parse } from '../shared/input.ts'
import { countedDeliveries, requireSpan } from './delivery-stats.ts'

const MOST = 50

export const SlowestEndpointsQuery = z.object({
  from: instant,
  to: instant,
  /** The maximum number of endpoints. */
  first: z.number().int().min(1).max(MOST),
})

/**
 * Statistics of the deliveries to one endpoint whose events happened in a time range. Durations are in milliseconds.
 */
export interface EndpointStats {
  readonly endpoint: WebhookEndpoint
  readonly delivered: number
  readonly failed: number
  readonly pending: number
  /** The durations of all attempts, until the response was complete. */
  readonly durationP50Ms: number
  readonly durationP95Ms: number
}

/**
 * The slowest endpoints by the 95th percentile of their attempts, slowest first; endpoints without attempts are
 * omitted. Tests are not counted. Agents see only their own endpoints.
 * @throws ValidationError when `from` is not before `to`
 */
export async function slowestEndpoints(
  deps: Deps,
  actor: Actor,
  query: z.input<typeof SlowestEndpointsQuery>,
): Promise<EndpointStats[]> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  const { first, ...span } = parse(SlowestEndpointsQuery, query)
  requireSpan(span)
  const { prisma } = deps.db
  const rows = await prisma.$queryRaw<(Omit<EndpointStats, 'endpoint'> & { id: string })[]>`
    WITH counted AS MATERIALIZED (
      SELECT d.id, d.status, d.endpoint_id
        ${countedDeliveries(actor, span)}
    ), outcomes AS (
      SELECT endpoint_id, (count(*) FILTER (WHERE status = 'DELIVERED'))::int AS delivered,
             (count(*) FILTER (WHERE status = 'FAILED'))::int AS failed,
             (count(*) FILTER (WHERE status = 'PENDING'))::int AS pending
        FROM counted GROUP BY endpoint_id
    ), times AS (
      SELECT endpoint_id, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY a.duration_ms) AS duration
        FROM counted JOIN delivery_attempts a ON a.delivery_id = counted.id GROUP BY endpoint_id
    )
    SELECT endpoint_id AS id, delivered, failed, pending, duration[1] AS "durationP50Ms", duration[2] AS "durationP95Ms"
      FROM times JOIN outcomes USING (endpoint_id)
     ORDER BY duration[2] DESC, endpoint_id
     LIMIT ${first}`
  const where = { id: { in: rows.map(({ id }) => id) }, workspaceId: actor.workspaceId, unregisteredAt: null }
  const found = new Map((await prisma.webhookEndpoint.findMany({ where })).map((endpoint) => [endpoint.id, endpoint]))
  return rows.flatMap(({ id, ...stats }) => {
    const endpoint = found.get(id)
    // Endpoints that were deleted or unregistered between the two reads are omitted.
    return endpoint === undefined ? [] : [{ endpoint, ...stats }]
  })
}
