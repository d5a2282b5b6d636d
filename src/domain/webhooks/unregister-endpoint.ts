import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints, requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError } from '../shared/errors.ts'
import { parse } from '../shared/input.ts'
import { deleteEndpoint } from './delete-endpoint.ts'
import { EndpointRef, endpointNamed } from './endpoint-input.ts'
import { sendTestEvent } from './test-events.ts'
import { markUnregistered } from './unregistered-endpoints.ts'
import { endpointTarget, lockEndpoint } from './webhook-endpoints.ts'

export const UnregisterEndpoint = EndpointRef.safeExtend({
  forget: z
    .boolean()
    .default(false)
    .describe('Whether to remove the endpoint permanently, even if it is already unregistered.'),
})

/**
 * Within this time after a registration of an existing endpoint, an unregistration can come from the process that was
 * replaced.
 */
const HANDOVER_MS = 600_000
/**
 * The limit for the ping and its response. Services that stop wait for the response to their own call, 5 seconds or
 * more.
 */
const PING_MS = 4000
const POLL_MS = 50

/**
 * Unregisters an endpoint when its service stops: it is hidden, but kept for a day, so that it can be registered again.
 * It stays active when a new process of the service registered it a moment ago, and a ping shows that this process
 * responds.
 * @throws NotFoundError; ValidationError when neither url nor endpointId is given
 */
export async function unregisterEndpoint(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof UnregisterEndpoint>,
): Promise<void> {
  requireWebhookManager(actor)
  const { forget, ...ref } = parse(UnregisterEndpoint, input)
  if (forget) return deleteEndpoint(deps, actor, ref)
  const where = { ...endpointNamed(ref), ...managedEndpoints(actor) }
  const found = await deps.db.prisma.webhookEndpoint.findFirst({ where })
  if (found === null) throw new NotFoundError('Webhook endpoint')
  if (isWithinHandover(found, deps.clock.steady()) && (await answersPing(deps, actor, found.id))) return
  await inTransaction(deps, async (tx) => {
    const endpoint = await lockEndpoint(tx, actor, found.id)
    // It was registered again during this call, and stays active.
    if (endpoint.reregisteredAt?.getTime() !== found.reregisteredAt?.getTime()) return
    await markUnregistered(deps, tx, endpoint)
    const at = deps.clock.now()
    await recordAudit(tx, actor, { action: 'webhook_endpoint.unregistered', target: endpointTarget(endpoint), at })
    endpointsChanged(tx, deps.bus, [endpoint.id])
  })
}

function isWithinHandover({ isEnabled, reregisteredAt }: WebhookEndpoint, now: Date): boolean {
  return isEnabled && reregisteredAt !== null && now.getTime() - reregisteredAt.getTime() < HANDOVER_MS
}

/** Whether the receiver responds to a signed ping with 2xx. Runs outside of transactions, with a time limit. */
async function answersPing(deps: Deps, actor: Actor, endpointId: string): Promise<boolean> {
  const began = performance.now()
  let id: string | null = null
  for (;;) {
    id ??= await pingNow(deps, actor, endpointId)
    const ping =
      id === null ? undefined : await deps.db.prisma.delivery.findUnique({ where: { id }, select: { status: true } })
    if (ping === null) return false
    if (ping !== undefined && ping.status !== 'PENDING') return ping.status === 'DELIVERED'
    const waited = performance.now() - began
    if (waited >= PING_MS) return false
    // The interval grows: many calls may wait at once, and after a longer wait, precision matters less.
    await setTimeout(Math.min(Math.max(POLL_MS, waited / 4), PING_MS - waited + 1))
  }
}

/**
 * The id of a ping that is sent now. Many processes can be replaced at once: at the limit of pending tests, the latest
 * one serves as the ping. Null when all have just finished.
 */
async function pingNow(deps: Deps, actor: Actor, endpointId: string): Promise<string | null> {
  try {
    return (await sendTestEvent(deps, actor, { endpointId, type: 'ping' })).id
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    const where = { endpointId, isTest: true, nextAttemptAt: { not: null } }
    const latest = await deps.db.prisma.delivery.findFirst({ where, orderBy: { seq: 'desc' }, select: { id: true } })
    return latest?.id ?? null
  }
}
