import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { AuditTarget } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints, requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'

/** Why an endpoint was disabled other than by somebody. */
export type DisabledReason = 'gone' | 'failing'

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

/**
 * An endpoint that the actor manages, locked against everybody else who would change it. Events may go on being
 * recorded for it.
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

/** The rotation that is under way; null when there is none, or its overlap has ended. */
export function rotationOf(
  { previousSealedSecret, secretOverlapEndsAt }: WebhookEndpoint,
  now: Date,
): { previousSealedSecret: string; overlapEndsAt: Date } | null {
  if (previousSealedSecret === null || secretOverlapEndsAt === null || secretOverlapEndsAt <= now) return null
  return { previousSealedSecret, overlapEndsAt: secretOverlapEndsAt }
}

/** An endpoint's breaker as people see it. */
export interface BreakerOf {
  readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'
  readonly openedAt: Date | null
  /** When the next request may try the receiver. */
  readonly nextProbeAt: Date | null
}

/** What the dispatcher has written about an endpoint's receiver. */
export function breakerOf(endpoint: WebhookEndpoint, now: Date): BreakerOf {
  const { breakerOpenedAt: openedAt, breakerProbeAt: nextProbeAt } = endpoint
  if (openedAt === null || nextProbeAt === null) return { state: 'CLOSED', openedAt: null, nextProbeAt: null }
  return { state: nextProbeAt <= now ? 'HALF_OPEN' : 'OPEN', openedAt, nextProbeAt }
}
