import type { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { newWebhookSecret } from '../../infra/secrets.ts'
import { recordAudit } from '../audit/audit.ts'
import { requestProbe } from '../deliveries/request-probe.ts'
import { endpointsChanged, notifyDispatcher } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { omitUndefined, parse } from '../shared/input.ts'
import { CreateEndpoint, DEFAULT_FLAGS } from './endpoint-input.ts'
import { limitBacklog, lockUnregistered, REREGISTERED } from './unregistered-endpoints.ts'
import { applyChanges, type Changes, HEALTH_RESET, urlConflict } from './update-endpoint.ts'
import { endpointTarget, rotationOf } from './webhook-endpoints.ts'
import { checkWebhookUrl } from './webhook-url.ts'

export interface Registration {
  readonly status: 'created' | 'exists'
  /** Whether the endpoint was unregistered, and is active again. */
  readonly resumed: boolean
  readonly endpoint: WebhookEndpoint
  /** 64 lower-case hexadecimal characters: the secret of X-GudDesk-Signature. During a rotation, the old one. */
  readonly secret: string
  /** During a rotation: the new secret, which also signs in webhook-signature. */
  readonly nextSecret: string | null
}

/**
 * Registers a URL. Registering it again enables the existing endpoint, applies the given flags and settings, and
 * returns it with its secret. The same applies to a URL that its owner has unregistered, as long as it is kept.
 * Concurrent calls create one endpoint.
 * @throws ValidationError for a refused URL; ConflictError when an agent requests a URL of another owner, or the
 *   workspace has reached its limit of endpoints
 */
export async function registerEndpoint(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof CreateEndpoint>,
): Promise<Registration> {
  requireWebhookManager(actor)
  const { url: rawUrl, events = {}, resumeWithinSeconds, ...rest } = parse(CreateEndpoint, input)
  const url = await checkWebhookUrl(deps.targets, rawUrl)
  const { workspaceId } = actor
  const agentId = actor.type === 'agent' ? actor.id : null
  const id = newId('webhookEndpoint')
  const secret = newWebhookSecret()
  const at = deps.clock.now()
  const owner = { id, workspaceId, agentId, url, sealedSecret: deps.vault.seal(secret, id), createdAt: at }
  const settings = omitUndefined({ ...rest, ...events })
  return inTransaction(deps, async (tx) => {
    for (;;) {
      const row = { ...owner, ...DEFAULT_FLAGS, ...settings, updatedAt: at }
      const { count } = await tx.db.webhookEndpoint.createMany({ data: [row], skipDuplicates: true })
      if (count > 0) {
        // From here on, the URL is taken. An unregistered endpoint replaces the new one.
        const kept = await lockUnregistered(tx, owner, deps.clock.steady())
        if (kept !== null) await tx.db.webhookEndpoint.delete({ where: { id } })
        const endpoint =
          kept === null
            ? await tx.db.webhookEndpoint.findUniqueOrThrow({ where: { id } })
            : await resume(deps, tx, kept, settings, resumeWithinSeconds)
        await enforceEndpointQuota(deps, tx, workspaceId)
        const action = kept === null ? 'webhook_endpoint.created' : 'webhook_endpoint.resumed'
        await recordAudit(tx, actor, { action, target: endpointTarget(endpoint), at })
        if (kept === null) return { status: 'created', resumed: false, endpoint, secret, nextSecret: null }
        return { status: 'exists', resumed: true, endpoint, ...secretsOf(deps, endpoint) }
      }
      const [found] = await tx.db.$queryRaw<{ id: string; agent_id: string | null }[]>`
        SELECT id, agent_id FROM webhook_endpoints
         WHERE workspace_id = ${workspaceId} AND url = ${url} AND unregistered_at IS NULL
           FOR NO KEY UPDATE`
      if (found === undefined) continue // deleted or unregistered since: it is made after all
      // An agent must not get the secret of another owner.
      if (agentId !== null && found.agent_id !== agentId) throw urlConflict()
      const endpoint = await applyChanges(deps, tx, actor, found.id, { ...settings, isEnabled: true })
      // The service may have been down.
      await requestProbe(deps, tx, endpoint.id)
      const reregisteredAt = deps.clock.steady()
      await tx.db.$executeRaw`UPDATE webhook_endpoints SET reregistered_at = ${reregisteredAt} WHERE id = ${found.id}`
      return { status: 'exists', resumed: false, endpoint, ...secretsOf(deps, endpoint) }
    }
  })
}

/**
 * Activates an unregistered endpoint, with the requested part of its backlog; earlier failures do not count. Its first
 * pending delivery is sent now, even if that was requested a moment ago: otherwise, new events would overtake it.
 */
async function resume(
  deps: Deps,
  tx: Tx,
  kept: { id: string; unregisteredAt: Date },
  settings: Changes,
  withinSeconds: number,
): Promise<WebhookEndpoint> {
  const at = deps.clock.steady()
  const data = { ...settings, ...REREGISTERED, ...HEALTH_RESET, reregisteredAt: at, probeRequestedAt: null }
  const endpoint = await tx.db.webhookEndpoint.update({ where: { id: kept.id }, data })
  await limitBacklog(tx, kept, withinSeconds, at)
  await requestProbe(deps, tx, kept.id)
  endpointsChanged(tx, deps.bus, [kept.id])
  tx.afterCommit(() => notifyDispatcher(deps.bus, [kept.id]))
  return endpoint
}

/**
 * Checks the limit of endpoints after one was created. Concurrent calls wait here for each other, so that the limit
 * holds. Existing endpoints stay, even above the limit.
 * @throws ConflictError
 */
export async function enforceEndpointQuota(
  { endpointsPerWorkspace }: Deps,
  tx: Tx,
  workspaceId: string,
): Promise<void> {
  await tx.db.$queryRaw`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR NO KEY UPDATE`
  const count = await tx.db.webhookEndpoint.count({ where: { workspaceId, unregisteredAt: null } })
  if (count <= endpointsPerWorkspace) return
  throw new ConflictError(
    `A workspace may have ${endpointsPerWorkspace} webhook endpoints, and this one has them all: remove one first`,
  )
}

function secretsOf({ vault, clock }: Deps, endpoint: WebhookEndpoint): { secret: string; nextSecret: string | null } {
  const { id, sealedSecret } = endpoint
  const rotation = rotationOf(endpoint, clock.now())
  const current = vault.open(sealedSecret, id)
  if (rotation === null) return { secret: current, nextSecret: null }
  return { secret: vault.open(rotation.previousSealedSecret, id), nextSecret: current }
}
