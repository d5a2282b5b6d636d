import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { AuditTarget } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints, requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest, type PrismaRange } from '../shared/pagination.ts'

export function endpointTarget({ id, url }: WebhookEndpoint): AuditTarget {
  return { type: 'webhook_endpoint', id, name: url }
}

/** Webhook endpoints, newest first, without secrets. */
export async function listEndpoints(deps: Deps, actor: Actor, page: PageRequest): Promise<Page<WebhookEndpoint>> {
  requireLevel(actor, 'READ_ONLY')
  const where = managedEndpoints(actor)
  const { webhookEndpoint } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => webhookEndpoint.findMany({ ...range, where: { ...where, ...range.where } }),
    count: () => webhookEndpoint.count({ where }),
  })
}

/** The same range of the endpoints of many agents in one statement; none of other agents to an agent. */
export async function endpointsOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
  { where, ...range }: PrismaRange<'createdAt'>,
): Promise<Map<string, WebhookEndpoint[]>> {
  const rows = await db.prisma.agent.findMany({
    where: { id: { in: [...agentIds] }, workspaceId: actor.workspaceId },
    select: { id: true, webhookEndpoints: { ...range, where: { AND: [managedEndpoints(actor), where] } } },
  })
  return new Map(rows.map(({ id, webhookEndpoints }) => [id, webhookEndpoints]))
}

/** How many endpoints each agent has, of those that endpointsOfAgents finds; agents without one are left out. */
export async function countEndpointsOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
): Promise<Map<string, number>> {
  const where = { AND: [managedEndpoints(actor), { agentId: { in: [...agentIds] } }] }
  const counts = await db.prisma.webhookEndpoint.groupBy({ by: ['agentId'], where, _count: true })
  return new Map(counts.flatMap(({ agentId, _count }) => (agentId === null ? [] : [[agentId, _count] as const])))
}

/** The endpoints of these ids that the actor sees, by id. */
export async function endpointsById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, WebhookEndpoint>> {
  const rows = await db.prisma.webhookEndpoint.findMany({ where: { id: { in: [...ids] }, ...managedEndpoints(actor) } })
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * An endpoint that the actor can manage. The lock blocks other changes, but events can still be recorded for it.
 * @throws NotFoundError
 */
export async function lockEndpoint(tx: Tx, actor: Actor, id: string): Promise<WebhookEndpoint> {
  requireId('webhookEndpoint', id, 'Webhook endpoint')
  await tx.db.$queryRaw`
    SELECT id FROM webhook_endpoints WHERE id = ${id} AND workspace_id = ${actor.workspaceId} FOR NO KEY UPDATE`
  const found = await tx.db.webhookEndpoint.findFirst({ where: { id, ...managedEndpoints(actor) } })
  if (found === null) throw new NotFoundError('Webhook endpoint')
  return found
}

/** The current rotation; null without one, or when its overlap has ended. */
export function rotationOf(
  { previousSealedSecret, secretOverlapEndsAt }: WebhookEndpoint,
  now: Date,
): { previousSealedSecret: string; overlapEndsAt: Date } | null {
  if (previousSealedSecret === null || secretOverlapEndsAt === null || secretOverlapEndsAt <= now) return null
  return { previousSealedSecret, overlapEndsAt: secretOverlapEndsAt }
}

/** The state of an endpoint's circuit breaker, for display. */
export interface BreakerOf {
  readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'
  readonly openedAt: Date | null
  /** The time when the next probe is allowed. */
  readonly nextProbeAt: Date | null
}

/** The columns of an endpoint's row that the dispatcher writes. */
export function breakerOf(endpoint: WebhookEndpoint, now: Date): BreakerOf {
  const { breakerOpenedAt: openedAt, breakerProbeAt: nextProbeAt } = endpoint
  if (openedAt === null || nextProbeAt === null) return { state: 'CLOSED', openedAt: null, nextProbeAt: null }
  return { state: nextProbeAt <= now ? 'HALF_OPEN' : 'OPEN', openedAt, nextProbeAt }
}
