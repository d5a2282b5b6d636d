import type { WebhookEndpoint, Workspace } from '../../generated/prisma/client.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { type DeliveryWithEvent, visibleDeliveries, WITH_EVENT } from './deliveries.ts'

/** What audit entries are about, apart from what can act itself: the row of whatever table it is in. */
export type AuditTargetRow = Workspace | WebhookEndpoint | DeliveryWithEvent

/** The actor's workspace, and endpoints and deliveries that the actor sees, by their ids, in one statement. */
export async function auditTargetsById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, AuditTargetRow>> {
  const id = { in: [...ids] }
  const found = await db.prisma.workspace.findUnique({
    where: { id: actor.workspaceId },
    include: {
      webhookEndpoints: { where: { id, ...managedEndpoints(actor) } },
      deliveries: { where: { id, ...visibleDeliveries(actor) }, include: WITH_EVENT },
    },
  })
  if (found === null) return new Map()
  const { webhookEndpoints, deliveries, ...workspace } = found
  const rows: AuditTargetRow[] = [workspace, ...webhookEndpoints, ...deliveries]
  return new Map(rows.map((row) => [row.id, row]))
}
