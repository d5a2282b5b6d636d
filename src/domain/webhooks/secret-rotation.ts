import { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { newWebhookSecret } from '../../infra/secrets.ts'
import { recordAudit } from '../audit/audit.ts'
import { requestProbe } from '../deliveries/request-probe.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { idText, parse } from '../shared/input.ts'
import { endpointTarget, lockEndpoint, rotationOf } from './webhook-endpoints.ts'

export const MAX_OVERLAP_HOURS = 168
const DEFAULT_OVERLAP_HOURS = 24
const HOUR_MS = 3_600_000

/** The time that the old credential continues to work, in hours; 0 ends it at once. */
export const OverlapHours = z.int().min(0).max(MAX_OVERLAP_HOURS).default(DEFAULT_OVERLAP_HOURS)

/** The end of an overlap that starts now; null for none. */
export function overlapEnd(now: Date, hours: number): Date | null {
  return hours === 0 ? null : new Date(now.getTime() + hours * HOUR_MS)
}

export const RotateSecret = z.object({ endpointId: idText, overlapHours: OverlapHours })
export const EndWebhookSecretOverlap = z.object({ endpointId: idText })

/**
 * Gives an endpoint a new secret. Until the overlap ends or is ended, `webhook-signature` has signatures by both
 * secrets, and `X-GudDesk-Signature` the one by the old secret. Afterwards, only the new one signs.
 *
 * At most two secrets sign. Therefore, the next rotation within an overlap must have no overlap, and ends both secrets.
 * It is always possible, so that a leaked secret can be replaced at once.
 * @returns the endpoint and the new secret
 * @throws NotFoundError; ValidationError; ConflictError during a rotation, unless overlapHours is 0
 */
export async function rotateWebhookSecret(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof RotateSecret>,
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  requireWebhookManager(actor)
  const { endpointId, overlapHours } = parse(RotateSecret, input)
  const secret = newWebhookSecret()
  return inTransaction(deps, async (tx) => {
    const before = await lockEndpoint(tx, actor, endpointId)
    const at = deps.clock.now()
    if (overlapHours > 0 && rotationOf(before, at) !== null) {
      throw new ConflictError(
        "This endpoint's secret is being rotated: confirm that first, or rotate with overlapHours 0, which ends both secrets at once",
      )
    }
    const secretOverlapEndsAt = overlapEnd(at, overlapHours)
    const previousSealedSecret = secretOverlapEndsAt === null ? null : before.sealedSecret
    const sealedSecret = deps.vault.seal(secret, endpointId)
    const data = { sealedSecret, previousSealedSecret, secretOverlapEndsAt }
    const endpoint = await tx.db.webhookEndpoint.update({ where: { id: endpointId }, data })
    const target = endpointTarget(endpoint)
    await recordAudit(tx, actor, { action: 'webhook_endpoint.secret_rotated', target, data: { overlapHours }, at })
    endpointsChanged(tx, deps.bus, [endpointId])
    // A receiver that refused signatures by the old secret may accept the new ones.
    await requestProbe(deps, tx, endpointId)
    return { endpoint, secret }
  })
}

/**
 * Ends the overlap of a rotation: from now on, only the new secret signs. Without a rotation, it changes nothing, so
 * that it can be repeated.
 * @throws NotFoundError; ValidationError
 */
export async function endWebhookSecretOverlap(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof EndWebhookSecretOverlap>,
): Promise<WebhookEndpoint> {
  requireWebhookManager(actor)
  const { endpointId } = parse(EndWebhookSecretOverlap, input)
  return inTransaction(deps, async (tx) => {
    const before = await lockEndpoint(tx, actor, endpointId)
    const at = deps.clock.now()
    if (rotationOf(before, at) === null) return before
    const data = { previousSealedSecret: null, secretOverlapEndsAt: null }
    const endpoint = await tx.db.webhookEndpoint.update({ where: { id: endpointId }, data })
    const target = endpointTarget(endpoint)
    await recordAudit(tx, actor, { action: 'webhook_endpoint.rotation_confirmed', target, at })
    endpointsChanged(tx, deps.bus, [endpointId])
    await requestProbe(deps, tx, endpointId)
    return endpoint
  })
}
