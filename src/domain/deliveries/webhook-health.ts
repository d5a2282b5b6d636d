import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'

const DAY_MS = 86_400_000

/** The health of an endpoint, without tests. */
export interface EndpointHealth {
  /** The share of delivered ones among the deliveries that finished in the last 24 hours; null when none finished. */
  readonly successRate: number | null
  /** Unfinished deliveries. */
  readonly pending: number
  /** Deliveries that failed for good, as long as they are kept. */
  readonly failed: number
}

interface Ended {
  delivered: number
  failed: number
}

function partOf(count: number, { delivered, failed }: Ended): number | null {
  return delivered + failed === 0 ? null : count / (delivered + failed)
}

/** Agents see nothing of other agents, and visitors nothing at all. `agentId` is a column. */
function mayBeTold(actor: Actor, agentId: Prisma.Sql): Prisma.Sql {
  if (actor.type === 'visitor') return Prisma.sql`false`
  return actor.type === 'agent' ? Prisma.sql`${agentId} = ${actor.id}` : Prisma.sql`true`
}

/** The health of many endpoints in one statement; agents get only their own. */
export async function healthOfEndpoints(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  actor: Actor,
  endpointIds: readonly string[],
): Promise<Map<string, EndpointHealth>> {
  const since = new Date(clock.now().getTime() - DAY_MS)
  const rows = await db.prisma.$queryRaw<({ id: string; pending: number; all_failed: number } & Ended)[]>`
    SELECT e.id, day.delivered, day.failed,
           (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = e.id AND d.due IS NOT NULL AND NOT d.is_test)::int AS pending,
           (SELECT count(*) FROM deliveries d WHERE d.endpoint_id = e.id AND d.status = 'FAILED' AND NOT d.is_test)::int AS all_failed
      FROM webhook_endpoints e
     CROSS JOIN LATERAL (
       SELECT (count(*) FILTER (WHERE d.status = 'DELIVERED'))::int AS delivered,
              (count(*) FILTER (WHERE d.status = 'FAILED'))::int AS failed
         FROM deliveries d WHERE d.endpoint_id = e.id AND d.created_at > ${since} AND NOT d.is_test) day
     WHERE e.id = ANY(${[...endpointIds]}::text[]) AND e.workspace_id = ${actor.workspaceId} AND ${mayBeTold(actor, Prisma.sql`e.agent_id`)}`
  return new Map(
    rows.map((row) => [
      row.id,
      { successRate: partOf(row.delivered, row), pending: row.pending, failed: row.all_failed },
    ]),
  )
}

/** The activity of an agent. */
export interface AgentActivity {
  /** The last use of its key, accurate to a minute; null before the first use. */
  readonly lastSeenAt: Date | null
  /** Messages that it wrote in the last 24 hours. */
  readonly replies: number
  /**
   * The share of delivered ones among the deliveries to its endpoints that finished in the last 24 hours; null when
   * none finished.
   */
  readonly successRate: number | null
}

/** The activity of many agents in one statement; agents get only their own. */
export async function activityOfAgents(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  actor: Actor,
  agentIds: readonly string[],
): Promise<Map<string, AgentActivity>> {
  const since = new Date(clock.now().getTime() - DAY_MS)
  const rows = await db.prisma.$queryRaw<({ id: string; last_seen_at: Date | null; replies: number } & Ended)[]>`
    SELECT agent.id, day.delivered, day.failed,
           (SELECT max(key.last_used_at) FROM api_keys key WHERE key.agent_id = agent.id) AS last_seen_at,
           (SELECT count(*) FROM messages m
             WHERE m.sender_id = agent.id AND m.type = 'BOT' AND m.created_at > ${since})::int AS replies
      FROM agents agent
     CROSS JOIN LATERAL (
       SELECT (count(*) FILTER (WHERE d.status = 'DELIVERED'))::int AS delivered,
              (count(*) FILTER (WHERE d.status = 'FAILED'))::int AS failed
         FROM webhook_endpoints e JOIN deliveries d ON d.endpoint_id = e.id
        WHERE e.agent_id = agent.id AND e.unregistered_at IS NULL AND d.created_at > ${since} AND NOT d.is_test) day
     WHERE agent.id = ANY(${[...agentIds]}::text[]) AND agent.workspace_id = ${actor.workspaceId}
       AND ${mayBeTold(actor, Prisma.sql`agent.id`)}`
  return new Map(
    rows.map((row) => [
      row.id,
      { lastSeenAt: row.last_seen_at, replies: row.replies, successRate: partOf(row.delivered, row) },
    ]),
  )
}
