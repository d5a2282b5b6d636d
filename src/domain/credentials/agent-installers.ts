import type { Agent, ApiKey, Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import { type AuditActor, actorElsewhere, type NewAuditEntry, recordAudits } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { isNeighbour } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'

/** The installer of an agent, and whether their access has ended since. */
export interface AgentInstaller {
  readonly userId: string | null
  /** The name of the person, from the audit log if the person was deleted. */
  readonly name: string
  /** As what they did it: the API key that they used, or the member that they are, with the name of then. */
  readonly actor: { readonly id: string; readonly name: string }
  /** The person is no member of the workspace any more. */
  readonly hasLeft: boolean
  /** Whether the API key was revoked or has expired. */
  readonly hasKeyEnded: boolean
}

/** The installers of agents by agent id, from the audit log; older agents are omitted. An agent gets only its own. */
export async function installersOf(
  { db, clock }: Pick<Deps, 'clock'> & { readonly db: { readonly prisma: Tx['db'] } },
  actor: Actor,
  agentIds: readonly string[],
): Promise<Map<string, AgentInstaller>> {
  const { workspaceId } = actor
  const ids = agentIds.filter((id) => !isNeighbour(actor, id))
  const rows = await db.prisma.$queryRaw<(AgentInstaller & { id: string })[]>`
    SELECT entry.target_id AS id, entry.user_id AS "userId", COALESCE(users.name, entry.actor_name) AS name,
           jsonb_build_object('id', entry.actor_id, 'name', entry.actor_name) AS actor,
           member.id IS NULL AS "hasLeft",
           entry.actor_type = 'api_key'
             AND (key.id IS NULL OR key.revoked_at IS NOT NULL OR COALESCE(key.expires_at <= ${clock.now()}, false))
             AS "hasKeyEnded"
      FROM audit_entries entry
      LEFT JOIN users ON users.id = entry.user_id
      LEFT JOIN members member ON member.user_id = entry.user_id AND member.workspace_id = entry.workspace_id
      LEFT JOIN api_keys key ON key.id = entry.actor_id
     WHERE entry.workspace_id = ${workspaceId} AND entry.action = 'agent.installed'
       AND entry.target_id = ANY(${ids}::text[])`
  return new Map(rows.map(({ id, ...installer }) => [id, installer]))
}

/** Records, for each remaining agent, that its installer is no longer a member. */
export async function recordOrphanedAgents(
  tx: Tx,
  actor: Actor,
  agents: readonly Pick<Agent, 'id' | 'name'>[],
  why: { readonly memberId: string },
  at: Date,
): Promise<void> {
  await recordAudits(
    tx,
    agents.map((agent) => [actor, orphaned(agent, why, at)]),
  )
}

/**
 * Records, for each remaining agent, that the API key which installed it has ended, in the log of the agent's
 * workspace: a key can be valid in several.
 * @param keys keys of one person
 */
export async function recordAgentsOrphanedByKeys(
  tx: Tx,
  actor: AuditActor,
  keys: readonly Pick<ApiKey, 'id' | 'userId'>[],
  at: Date,
): Promise<void> {
  const [userId] = keys.map((key) => key.userId)
  if (userId === undefined) return
  const agents = await tx.db.$queryRaw<(Pick<Agent, 'id' | 'name' | 'workspaceId'> & { apiKeyId: string })[]>`
    SELECT agent.id, agent.name, agent.workspace_id AS "workspaceId", entry.actor_id AS "apiKeyId"
      FROM audit_entries entry
      JOIN agents agent ON agent.id = entry.target_id AND agent.workspace_id = entry.workspace_id
     WHERE entry.user_id = ${userId} AND entry.actor_id = ANY(${keys.map(({ id }) => id)}::text[])
       AND entry.action = 'agent.installed'
     ORDER BY agent.id`
  await recordAudits(
    tx,
    agents.map(({ workspaceId, apiKeyId, ...agent }) => [
      actorElsewhere(actor, workspaceId),
      orphaned(agent, { apiKeyId }, at),
    ]),
  )
}

function orphaned({ id, name }: Pick<Agent, 'id' | 'name'>, why: Prisma.InputJsonObject, at: Date): NewAuditEntry {
  return { action: 'agent.orphaned', target: { type: 'agent', id, name }, data: why, at }
}
