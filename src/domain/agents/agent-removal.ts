import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'

/** The objects that are removed with an agent. Its messages and the event log stay. */
export interface AgentRemoval {
  /** The URLs of its webhook endpoints, the installed one first. */
  readonly webhookUrls: readonly string[]
  /** The number of pending deliveries, which will not be sent. */
  readonly pendingDeliveryCount: number
  /** The prefixes of its valid API keys, the oldest first. */
  readonly apiKeyPrefixes: readonly string[]
}

/**
 * Previews the removal of an agent, for a confirmation dialog.
 * @throws ForbiddenError under the same conditions as uninstalling; NotFoundError
 */
export async function agentRemoval(deps: Deps, actor: Actor, agentId: string): Promise<AgentRemoval> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'uninstall agents')
  requireId('agent', agentId, 'Agent')
  const { prisma } = deps.db
  const count = await prisma.agent.count({ where: { id: agentId, workspaceId: actor.workspaceId } })
  if (count === 0) throw new NotFoundError('Agent')
  return removalOf(prisma, agentId, deps.clock.now())
}

/** @param now keys that have ended by then are not counted */
export async function removalOf(db: Tx['db'], agentId: string, now: Date): Promise<AgentRemoval> {
  const endpoints = await db.webhookEndpoint.findMany({
    where: { agentId, unregisteredAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true, url: true },
  })
  const endpointId = { in: endpoints.map(({ id }) => id) }
  const pendingDeliveryCount = await db.delivery.count({ where: { endpointId, nextAttemptAt: { not: null } } })
  const keys = await db.apiKey.findMany({
    where: { agentId, isEnabled: true, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { prefix: true },
  })
  return {
    webhookUrls: endpoints.map(({ url }) => url),
    pendingDeliveryCount,
    apiKeyPrefixes: keys.map(({ prefix }) => prefix),
  }
}
