import { z } from 'zod'
import type { Delivery, Event, Prisma, WebhookEndpoint } from '../generated/prisma/client.ts'
import { DeliveryStatus } from '../generated/prisma/enums.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import type { Actor } from './actor.ts'
import { recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ConflictError, NotFoundError } from './errors.ts'
import { DISPATCH_TOPIC } from './events.ts'
import { idText, instant, parse, requireId } from './input.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, requireWebhookManager } from './policy.ts'

export const DeliveryFilter = z
  .object({
    status: z.enum(DeliveryStatus),
    endpointId: idText,
    eventType: idText,
    conversationId: idText,
    isTest: z.boolean(),
    createdAfter: instant,
    createdBefore: instant,
  })
  .partial()

/** A delivery with the event that it carries. */
export type DeliveryWithEvent = Delivery & { event: Event }

export const WITH_EVENT = { event: true } satisfies Prisma.DeliveryInclude

/** Agents see what is sent to their own endpoints; everybody else the workspace's. */
export function visibleDeliveries(actor: Actor): { workspaceId: string; endpoint?: { agentId: string } } {
  return { workspaceId: actor.workspaceId, ...(actor.type === 'agent' && { endpoint: { agentId: actor.id } }) }
}

/** Deliveries, newest first. */
export async function listDeliveries(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof DeliveryFilter>,
  page: PageRequest,
): Promise<Page<DeliveryWithEvent>> {
  requireLevel(actor, 'READ_ONLY')
  const { status, endpointId, eventType, conversationId, isTest, createdAfter, createdBefore } = parse(
    DeliveryFilter,
    filter,
  )
  const where: Prisma.DeliveryWhereInput = {
    ...visibleDeliveries(actor),
    ...(status !== undefined && { status }),
    ...(endpointId !== undefined && { endpointId }),
    ...(conversationId !== undefined && { conversationId }),
    ...(isTest !== undefined && { isTest }),
    ...(eventType !== undefined && { event: { type: eventType } }),
    AND: [
      createdAfter === undefined ? {} : { createdAt: { gt: createdAfter } },
      createdBefore === undefined ? {} : { createdAt: { lt: createdBefore } },
    ],
  }
  const { delivery } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => delivery.findMany({ ...slice, where: { ...where, ...slice.where }, include: WITH_EVENT }),
    count: () => delivery.count({ where }),
  })
}

/**
 * Sends a finished delivery once more: the same X-GudDesk-Delivery, and X-GudDesk-Attempt counts on. It only makes the
 * row due, in the live lane; the dispatcher does the rest.
 * @throws NotFoundError; ConflictError while it is under way, and while its endpoint or agent is disabled
 */
export async function replayDelivery(deps: Deps, actor: Actor, id: string): Promise<DeliveryWithEvent> {
  requireWebhookManager(actor)
  requireId('delivery', id, 'Delivery')
  return inTransaction(deps, async (tx) => {
    const where = { id, ...visibleDeliveries(actor) }
    const found = await tx.db.delivery.findFirst({ where, include: { endpoint: true } })
    if (found === null) throw new NotFoundError('Delivery')
    // Tests are for disabled endpoints too.
    if (!found.isTest) await refuseDisabled(tx, found.endpoint)
    const at = deps.clock.now()
    const again = { status: 'PENDING', due: at, finishedAt: null, lane: 0 } as const
    const { count } = await tx.db.delivery.updateMany({ where: { id, due: null }, data: again })
    if (count === 0) throw new ConflictError('This delivery is under way: wait until it has succeeded or failed')
    const target = { type: 'delivery', id, name: found.endpoint.url } as const
    await recordAudit(tx, actor, { action: 'delivery.replayed', target, at })
    tx.afterCommit(() => deps.bus.wake(DISPATCH_TOPIC))
    return tx.db.delivery.findUniqueOrThrow({ where: { id }, include: WITH_EVENT })
  })
}

/** @throws ConflictError when nothing would be sent now, because the endpoint or its agent is disabled */
export async function refuseDisabled(tx: Tx, { isEnabled, agentId }: WebhookEndpoint): Promise<void> {
  const agent = agentId === null ? null : await tx.db.agent.findUnique({ where: { id: agentId } })
  if (!isEnabled || agent?.isEnabled === false) throw new ConflictError('Enable the endpoint and its agent first')
}
