import { Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import { lockAgent, removeAgent } from '../agents/agents.ts'
import { type AuditAction, type AuditTarget, recordAudits } from '../audit/audit.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'

/**
 * Objects that a member created and that still give access to the workspace after the member has left. Oldest first.
 */
export interface MadeAccess {
  readonly agents: readonly Made[]
  /** Endpoints without an agent, by their URLs. */
  readonly webhookEndpoints: readonly Made[]
  /** Unregistered endpoints without an agent, which are hidden and cannot be registered again. */
  readonly unregisteredEndpoints: readonly Made[]
  /**
   * Keys of the workspace in the member's name, including those of other people's agents. Keys of `agents` are removed
   * with them.
   */
  readonly apiKeys: readonly Made[]
  /** Invitations, by the invited addresses. */
  readonly invitations: readonly Made[]
}

interface Made {
  readonly id: string
  readonly name: string
}

/**
 * Lists what a member created, for a confirmation dialog.
 * @throws ForbiddenError below FULL_ACCESS and for agents; NotFoundError
 */
export async function memberRemoval(deps: Deps, actor: Actor, memberId: string): Promise<MadeAccess> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
  requireId('member', memberId, 'Member')
  const { prisma } = deps.db
  const member = await prisma.member.findFirst({ where: { id: memberId, workspaceId: actor.workspaceId } })
  if (member === null) throw new NotFoundError('Member')
  return accessMadeBy(prisma, member, deps.clock.now())
}

/** @param now objects that have ended by then are not counted */
export async function accessMadeBy(
  db: Tx['db'],
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
  now: Date,
): Promise<MadeAccess> {
  /** From the audit log, which records the creator. */
  const isTheirs = (
    action: AuditAction,
    id: 'agent.id' | 'endpoint.id' | 'key.agent_id' | 'invitation.id',
  ) => Prisma.sql`EXISTS (
    SELECT FROM audit_entries entry
     WHERE entry.workspace_id = ${workspaceId} AND entry.target_id = ${Prisma.raw(id)}
       AND entry.action = ${action} AND entry.user_id = ${userId})`
  const endpoints = await db.$queryRaw<(Made & { isLive: boolean })[]>`
    SELECT endpoint.id, endpoint.url AS name, endpoint.unregistered_at IS NULL AS "isLive" FROM webhook_endpoints endpoint
     WHERE endpoint.workspace_id = ${workspaceId} AND endpoint.agent_id IS NULL
       AND ${isTheirs('webhook_endpoint.created', 'endpoint.id')}
     ORDER BY endpoint.created_at, endpoint.id`
  return {
    agents: await db.$queryRaw<Made[]>`
      SELECT agent.id, agent.name FROM agents agent
       WHERE agent.workspace_id = ${workspaceId} AND ${isTheirs('agent.installed', 'agent.id')}
       ORDER BY agent.installed_at, agent.id`,
    webhookEndpoints: endpoints.filter(({ isLive }) => isLive),
    unregisteredEndpoints: endpoints.filter(({ isLive }) => !isLive),
    apiKeys: await db.$queryRaw<Made[]>`
      SELECT key.id, key.name FROM api_keys key
       WHERE key.workspace_id = ${workspaceId} AND key.user_id = ${userId} AND key.revoked_at IS NULL
         AND (key.expires_at IS NULL OR key.expires_at > ${now})
         AND (key.agent_id IS NULL OR NOT ${isTheirs('agent.installed', 'key.agent_id')})
       ORDER BY key.created_at, key.id`,
    invitations: await db.$queryRaw<Made[]>`
      SELECT invitation.id, invitation.email AS name FROM invitations invitation
       WHERE invitation.workspace_id = ${workspaceId} AND invitation.expires_at > ${now}
         AND ${isTheirs('member.invited', 'invitation.id')}
       ORDER BY invitation.created_at, invitation.id`,
  }
}

/** The maximum number of agents that are removed in one transaction. */
const ENDED_AT_ONCE = 100

/**
 * Removes these objects and records each removal. With many agents, only the first ones are removed.
 * @returns the removed objects, and whether none is left
 */
export async function endAccess(
  tx: Tx,
  deps: Deps,
  actor: Actor,
  made: MadeAccess,
  at: Date,
): Promise<{ agents: readonly Made[]; isAll: boolean }> {
  const agents = made.agents.slice(0, ENDED_AT_ONCE)
  for (const { id } of agents) await removeAgent(tx, deps, actor, await lockAgent(tx, actor, id), at)
  if (agents.length < made.agents.length) return { agents, isAll: false }
  const { apiKeys, invitations } = made
  const endpoints = [...made.webhookEndpoints, ...made.unregisteredEndpoints]
  await tx.db.$executeRaw`DELETE FROM webhook_endpoints WHERE id = ANY(${idsOf(endpoints)}::text[])`
  await tx.db.$executeRaw`UPDATE api_keys SET revoked_at = ${at} WHERE id = ANY(${idsOf(apiKeys)}::text[])`
  await tx.db.$executeRaw`DELETE FROM invitations WHERE id = ANY(${idsOf(invitations)}::text[])`
  endpointsChanged(tx, deps.bus, idsOf(endpoints))
  const each = (rows: readonly Made[], action: AuditAction, type: AuditTarget['type']) =>
    rows.map(({ id, name }) => [actor, { action, target: { type, id, name }, at }] as const)
  await recordAudits(tx, [
    ...each(endpoints, 'webhook_endpoint.deleted', 'webhook_endpoint'),
    ...each(apiKeys, 'api_key.revoked', 'api_key'),
    ...each(invitations, 'invitation.revoked', 'invitation'),
  ])
  return { agents, isAll: true }
}

function idsOf(rows: readonly Made[]): string[] {
  return rows.map(({ id }) => id)
}
