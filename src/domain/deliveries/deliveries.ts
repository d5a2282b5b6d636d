import type { z } from 'zod'
import type { Delivery, DeliveryAttempt, Event, Prisma, WebhookEndpoint } from '../../generated/prisma/client.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { notifyDispatcher } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints, requireLevel, requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError } from '../shared/errors.ts'
import { parse, requireId } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { DeliveryFilter, filterWhere } from './delivery-filter.ts'
import { requestProbe } from './request-probe.ts'

/** A delivery with its event. */
export type DeliveryWithEvent = Delivery & { event: Event }

export const WITH_EVENT = { event: true } satisfies Prisma.DeliveryInclude

/**
 * Agents see deliveries to their own endpoints, other actors those of the workspace. Deliveries to unregistered
 * endpoints are hidden.
 */
export function visibleDeliveries(actor: Actor) {
  const { workspaceId, ...endpoint } = managedEndpoints(actor)
  return { workspaceId, endpoint } satisfies Prisma.DeliveryWhereInput
}

/** Deliveries, newest first. */
export async function listDeliveries(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof DeliveryFilter>,
  page: PageRequest,
): Promise<Page<DeliveryWithEvent>> {
  requireLevel(actor, 'READ_ONLY')
  const wanted = filterWhere(parse(DeliveryFilter, filter))
  const where: Prisma.DeliveryWhereInput = { ...visibleDeliveries(actor), AND: [wanted] }
  const { delivery } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => delivery.findMany({ ...range, where: { ...where, ...range.where }, include: WITH_EVENT }),
    count: () => delivery.count({ where }),
  })
}

/**
 * Sends a delivery now, with the same X-GudDesk-Delivery; X-GudDesk-Attempt continues to count. A finished delivery
 * becomes due, with the priority of live ones. A delivery that waits for its next attempt is requested as a probe; one
 * that is being sent is left alone.
 * @throws NotFoundError; ConflictError while its endpoint or agent is disabled, and for a pending test
 */
export async function replayDelivery(deps: Deps, actor: Actor, id: string): Promise<DeliveryWithEvent> {
  requireWebhookManager(actor)
  requireId('delivery', id, 'Delivery')
  return inTransaction(deps, async (tx) => {
    const where = { id, ...visibleDeliveries(actor) }
    await tx.db.$queryRaw`
      SELECT e.id FROM deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id WHERE d.id = ${id} FOR KEY SHARE OF e`
    const found = await tx.db.delivery.findFirst({ where, include: { endpoint: true } })
    if (found === null) throw new NotFoundError('Delivery')
    // Tests are also sent to disabled endpoints.
    if (!found.isTest) await refuseDisabled(tx, found.endpoint)
    const at = deps.clock.now()
    const again = { status: 'PENDING', nextAttemptAt: deps.clock.steady(), finishedAt: null, priority: 0 } as const
    const { count } = await tx.db.delivery.updateMany({ where: { id, nextAttemptAt: null }, data: again })
    if (count === 0 && found.isTest) {
      throw new ConflictError('This test is still running: wait until it has succeeded or failed')
    }
    const target = { type: 'delivery', id, name: found.endpoint.url } as const
    await recordAudit(tx, actor, { action: 'delivery.replayed', target, at })
    if (!found.isTest) await requestProbe(deps, tx, found.endpointId, id)
    tx.afterCommit(() => notifyDispatcher(deps.bus))
    return tx.db.delivery.findUniqueOrThrow({ where: { id }, include: WITH_EVENT })
  })
}

/**
 * @throws ConflictError when nothing would be sent now: the endpoint or its agent is disabled, or its expired backlog
 *   is being skipped
 */
export async function refuseDisabled(tx: Tx, { isEnabled, agentId, sendsFromSeq }: WebhookEndpoint): Promise<void> {
  if (sendsFromSeq > 0n) {
    throw new ConflictError(
      'This endpoint was just registered again, and older events are being left out: try again in a moment',
    )
  }
  const agent = agentId === null ? null : await tx.db.agent.findUnique({ where: { id: agentId } })
  if (!isEnabled || agent?.isEnabled === false) throw new ConflictError('Enable the endpoint and its agent first')
}

/** The result of a delivery's last attempt. */
export type LastAttempt = Pick<DeliveryAttempt, 'durationMs' | 'statusCode'>

/**
 * The last attempts of many deliveries in one statement; deliveries without an attempt are omitted. The caller has
 * checked the permission.
 */
export async function lastAttempts(
  { db }: Pick<Deps, 'db'>,
  deliveryIds: readonly string[],
): Promise<Map<string, LastAttempt>> {
  const rows = await db.prisma.$queryRaw<(LastAttempt & { id: string })[]>`
    SELECT wanted.id, attempt.duration_ms AS "durationMs", attempt.status_code AS "statusCode"
      FROM unnest(${[...deliveryIds]}::text[]) AS wanted(id)
     CROSS JOIN LATERAL (
       SELECT duration_ms, status_code FROM delivery_attempts
        WHERE delivery_id = wanted.id ORDER BY number DESC LIMIT 1) attempt`
  return new Map(rows.map(({ id, ...attempt }) => [id, attempt]))
}
