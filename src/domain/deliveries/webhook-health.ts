import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'

const DAY_MS = 86_400_000

/** How an endpoint is doing; tests do not count. */
export interface EndpointHealth {
  /** Of the deliveries of the last 24 hours that ended, the part that was delivered; null when none ended. */
  readonly successRate: number | null
  /** Not finished. */
  readonly pending: number
  /** Failed for good, as long as deliveries are kept. */
  readonly failed: number
}

interface Ended {
  delivered: number
  failed: number
}

function partOf(count: number, { delivered, failed }: Ended): number | null {
  return delivered + failed === 0 ? null : count / (delivered + failed)
}

/** Agents are told nothing of their neighbours, visitors nothing at all. `agentId` is a column. */
function mayBeTold(actor: Actor, agentId: Prisma.Sql): Prisma.Sql {
  if (actor.type === 'visitor') return Prisma.sql`false`
  return actor.type === 'agent' ? Prisma.sql`${agentId} = ${actor.id}` : Prisma.sql`true`
}

/** Of many of the workspace's endpoints in one statement; of an agent's own only when an agent asks. */
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

/** What an agent has been doing. */
export interface AgentActivity {
  /** When its key was last used, to the minute; null before the first time. */
  readonly lastSeenAt: Date | null
  /** Messages that it wrote in the last 24 hours. */
  readonly replies: number
  /** Of the deliveries of the last 24 hours to its endpoints that ended, the part that was delivered; null when none ended. */
  readonly successRate: number | null
}

/** Of many of the workspace's agents in one statement; of itself only when an agent asks. */
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
