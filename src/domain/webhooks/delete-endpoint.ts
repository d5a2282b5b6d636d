import type { z } from 'zod'
import { inTransaction } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { ownedEndpoints, requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { parse } from '../shared/input.ts'
import { EndpointRef, endpointNamed } from './endpoint-input.ts'
import { withinRetention } from './unregistered-endpoints.ts'
import { endpointTarget } from './webhook-endpoints.ts'

/**
 * Deletes an endpoint permanently, with its pending deliveries; also an unregistered one.
 * @throws NotFoundError; ValidationError when neither url nor endpointId is given
 */
export async function deleteEndpoint(deps: Deps, actor: Actor, input: z.input<typeof EndpointRef>): Promise<void> {
  requireWebhookManager(actor)
  const named = endpointNamed(parse(EndpointRef, input))
  await inTransaction(deps, async (tx) => {
    const at = deps.clock.now()
    // Several owners may have unregistered the same URL.
    const where = {
      ...named,
      ...ownedEndpoints(actor),
      OR: [{ unregisteredAt: null }, withinRetention(deps.clock.steady())],
    }
    const found = await tx.db.webhookEndpoint.findMany({ where, orderBy: { id: 'asc' } })
    let deleted = 0
    for (const endpoint of found) {
      const { count } = await tx.db.webhookEndpoint.deleteMany({ where: { id: endpoint.id } })
      if (count === 0) continue // another call was faster
      deleted += count
      await recordAudit(tx, actor, { action: 'webhook_endpoint.deleted', target: endpointTarget(endpoint), at })
    }
    if (deleted === 0) throw new NotFoundError('Webhook endpoint')
    endpointsChanged(
      tx,
      deps.bus,
      found.map(({ id }) => id),
    )
  })
}
