import type { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { isUniqueViolation } from '../../infra/database/db.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { requestProbe } from '../deliveries/request-probe.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { omitUndefined, parse, requireId } from '../shared/input.ts'
import { type DEFAULT_FLAGS, EndpointPatch } from './endpoint-input.ts'
import { endpointTarget, lockEndpoint } from './webhook-endpoints.ts'
import { checkWebhookUrl } from './webhook-url.ts'

/**
 * Updates an endpoint. Enabling it resumes its pending deliveries. A new URL may have a working receiver, so they are
 * sent now.
 * @throws NotFoundError, ValidationError; ConflictError when the workspace already has the new URL
 */
export async function updateEndpoint(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof EndpointPatch>,
): Promise<WebhookEndpoint> {
  requireWebhookManager(actor)
  requireId('webhookEndpoint', id, 'Webhook endpoint')
  const { url: rawUrl, events, ...rest } = parse(EndpointPatch, input)
  const url = rawUrl === undefined ? undefined : await checkWebhookUrl(deps.targets, rawUrl)
  return inTransaction(deps, (tx) => applyChanges(deps, tx, actor, id, omitUndefined({ ...rest, url, ...events })))
}

/** The names of the columns that can be changed. */
export type Changes = Partial<
  Pick<WebhookEndpoint, keyof typeof DEFAULT_FLAGS | 'url' | 'description' | 'isEnabled' | 'maxInFlight' | 'ordering'>
>

/** Writes and records only differences, so that an agent that registers at every start adds no audit entries. */
export async function applyChanges(
  deps: Deps,
  tx: Tx,
  actor: Actor,
  id: string,
  changes: Changes,
): Promise<WebhookEndpoint> {
  const before = await lockEndpoint(tx, actor, id)
  const changed = namesOf(changes).filter((name) => changes[name] !== before[name])
  if (changed.length === 0) return before
  const isResumed = changes.isEnabled === true && !before.isEnabled
  const data = { ...changes, ...(isResumed && HEALTH_RESET) }
  const endpoint = await tx.db.webhookEndpoint.update({ where: { id }, data }).catch(rethrowAsUrlConflict)
  const target = endpointTarget(endpoint)
  const at = deps.clock.now()
  const others = changed.filter((name) => name !== 'isEnabled')
  if (others.length > 0) {
    const moved = before.url === endpoint.url ? {} : { url: { from: before.url, to: endpoint.url } }
    const data = { changed: others, ...moved }
    await recordAudit(tx, actor, { action: 'webhook_endpoint.updated', target, data, at })
  }
  if (changed.length > others.length) {
    const action = endpoint.isEnabled ? 'webhook_endpoint.enabled' : 'webhook_endpoint.disabled'
    await recordAudit(tx, actor, { action, target, at })
  }
  endpointsChanged(tx, deps.bus, [id])
  if (isResumed || before.url !== endpoint.url) await requestProbe(deps, tx, id)
  return endpoint
}

function namesOf(changes: Changes): (keyof Changes)[] {
  return Object.keys(changes) as (keyof Changes)[]
}

/** The health of an endpoint that is enabled again: earlier failures must not count. */
export const HEALTH_RESET = {
  disabledReason: null,
  failingSince: null,
  failingWarnedAt: null,
  consecutiveFailures: 0,
  breakerOpenedAt: null,
  breakerProbeAt: null,
  breakerProbes: 0,
} as const

/** @throws ConflictError for a unique violation of the URL */
export function rethrowAsUrlConflict(error: unknown): never {
  if (isUniqueViolation(error)) throw urlConflict()
  throw error
}

export function urlConflict(): ConflictError {
  return new ConflictError('Another webhook endpoint of this workspace already has this URL', 'url')
}
