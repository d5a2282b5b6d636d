import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'

/** What goes with an agent when it is uninstalled. What it wrote, and the log, stay. */
export interface AgentRemoval {
  /** Of its webhook endpoints, the installed one first. */
  readonly webhookUrls: readonly string[]
  /** Deliveries that are waiting or being sent, and will not be sent any more. */
  readonly pendingDeliveryCount: number
  /** Of the keys that work now, the oldest first. */
  readonly apiKeyPrefixes: readonly string[]
}

/**
 * What uninstalling an agent would remove, for asking "really?".
 * @throws ForbiddenError as uninstalling does; NotFoundError
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

/** @param now keys that have ended by then do not count */
export async function removalOf(db: Tx['db'], agentId: string, now: Date): Promise<AgentRemoval> {
  const endpoints = await db.webhookEndpoint.findMany({
    where: { agentId, unregisteredAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true, url: true },
  })
  const endpointId = { in: endpoints.map(({ id }) => id) }
  const pendingDeliveryCount = await db.delivery.count({ where: { endpointId, due: { not: null } } })
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
