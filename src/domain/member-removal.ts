import type { Agent, ApiKey, Invitation, WebhookEndpoint } from '../generated/prisma/client.ts'
import type { Tx } from '../infra/transaction.ts'
import type { Actor } from './actor.ts'
import { lockAgent, removeAgent } from './agents.ts'
import { recordAudits, targetsMadeBy } from './audit.ts'
import type { Deps } from './deps.ts'
import { NotFoundError } from './errors.ts'
import { endpointsChanged } from './events.ts'
import { requireId } from './input.ts'
import { requireLevel, requireNotAgent } from './policy.ts'

/** What somebody made in a workspace that gives access to it, and goes on working when they have left. */
export interface MadeAccess {
  readonly agents: readonly Agent[]
  /** Those that belong to no agent. */
  readonly webhookEndpoints: readonly WebhookEndpoint[]
  /** Keys of the workspace in their name, those of other people's agents included; keys of these agents go with them. */
  readonly apiKeys: readonly ApiKey[]
  readonly invitations: readonly Invitation[]
}

/**
 * What a member made, for asking whether to end it when they are removed.
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

/** @param now what has ended by then does not count */
export async function accessMadeBy(
  db: Tx['db'],
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
  now: Date,
): Promise<MadeAccess> {
  const made = { workspaceId, userId }
  const oldestFirst = { createdAt: 'asc' } as const
  const agentIds = await targetsMadeBy(db, made, 'agent.installed')
  const endpointIds = await targetsMadeBy(db, made, 'webhook_endpoint.created')
  const invitationIds = await targetsMadeBy(db, made, 'member.invited')
  return {
    agents: await db.agent.findMany({ where: { workspaceId, id: { in: agentIds } }, orderBy: { installedAt: 'asc' } }),
    webhookEndpoints: await db.webhookEndpoint.findMany({
      where: { workspaceId, id: { in: endpointIds }, agentId: null },
      orderBy: oldestFirst,
    }),
    apiKeys: await db.apiKey.findMany({
      where: {
        workspaceId,
        userId,
        revokedAt: null,
        AND: [
          { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
          { OR: [{ agentId: null }, { agentId: { notIn: agentIds } }] },
        ],
      },
      orderBy: oldestFirst,
    }),
    invitations: await db.invitation.findMany({
      where: { workspaceId, id: { in: invitationIds }, expiresAt: { gt: now } },
      orderBy: oldestFirst,
    }),
  }
}

/** Ends all of it, and records each by itself. */
export async function endAccess(tx: Tx, deps: Deps, actor: Actor, made: MadeAccess, at: Date): Promise<void> {
  for (const { id } of made.agents) {
    await removeAgent(tx, deps, actor, await lockAgent(tx, actor, id), at)
  }
  const among = (rows: readonly { id: string }[]) => ({ where: { id: { in: rows.map(({ id }) => id) } } })
  await tx.db.webhookEndpoint.deleteMany(among(made.webhookEndpoints))
  await tx.db.apiKey.updateMany({ ...among(made.apiKeys), data: { revokedAt: at } })
  await tx.db.invitation.deleteMany(among(made.invitations))
  endpointsChanged(
    tx,
    deps.bus,
    made.webhookEndpoints.map(({ id }) => id),
  )
  await recordAudits(tx, [
    ...made.webhookEndpoints.map(
      ({ id, url }) =>
        [
          actor,
          { action: 'webhook_endpoint.deleted', target: { type: 'webhook_endpoint', id, name: url }, at },
        ] as const,
    ),
    ...made.apiKeys.map(
      ({ id, name }) => [actor, { action: 'api_key.revoked', target: { type: 'api_key', id, name }, at }] as const,
    ),
    ...made.invitations.map(
      ({ id, email }) =>
        [actor, { action: 'invitation.revoked', target: { type: 'invitation', id, name: email }, at }] as const,
    ),
  ])
}
