import { z } from 'zod'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { EndpointOrdering } from '../../generated/prisma/enums.ts'
import { isUniqueViolation } from '../../infra/database/db.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { newWebhookSecret } from '../../infra/secrets.ts'
import { type AuditTarget, recordAudit } from '../audit/audit.ts'
import { notifyDispatcher, endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { managedEndpoints, ownedEndpoints, requireLevel, requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError, ValidationError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { clearableText, idText, omitUndefined, parse, requireId, text } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { sendWaitingNow } from './send-waiting.ts'
import {
  DEFAULT_RESUME_SECONDS,
  limitBacklog,
  lockUnregistered,
  REREGISTERED,
  UNREGISTERED_RETENTION_MS,
  withinRetention,
} from './unregistered-endpoints.ts'
import { checkWebhookUrl, MAX_URL_LENGTH, normalizeWebhookUrl } from './webhook-url.ts'

/** Which events an endpoint receives. Flags left out keep their value, or their default on a new endpoint. */
export const EventFlags = z
  .object({
    onMessageCreated: z.boolean(),
    onConversationCreated: z.boolean(),
    onConversationClosed: z.boolean(),
    onConversationAssigned: z.boolean(),
  })
  .partial()

export const DEFAULT_FLAGS = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
} as const

const Url = text(MAX_URL_LENGTH)

/** Why an endpoint was disabled other than by somebody. */
export type DisabledReason = 'gone' | 'failing'

export const MAX_IN_FLIGHT = 100

/** How an endpoint is served. */
const Settings = z
  .object({ maxInFlight: z.int().min(1).max(MAX_IN_FLIGHT), ordering: z.enum(EndpointOrdering) })
  .partial()

/** What REST registers; its clients have no settings. */
export const RegisterEndpoint = z.object({
  url: Url,
  description: clearableText(500).optional(),
  events: EventFlags.optional(),
  /** When it is registered again after it was unregistered: how long ago the events may have happened that it is sent. */
  resumeWithinSeconds: z
    .int()
    .min(0)
    .max(UNREGISTERED_RETENTION_MS / 1000)
    .default(DEFAULT_RESUME_SECONDS),
})

export const CreateEndpoint = RegisterEndpoint.extend(Settings.shape)

export const EndpointPatch = z
  .object({ url: Url, description: clearableText(500), isEnabled: z.boolean(), events: EventFlags })
  .extend(Settings.shape)
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'name at least one field to change')

export const EndpointRef = z
  .object({ url: Url, endpointId: idText })
  .partial()
  .refine(({ url, endpointId }) => url !== undefined || endpointId !== undefined, 'send url or endpointId')

export interface Registration {
  readonly status: 'created' | 'exists'
  /** It was unregistered, and is live again. */
  readonly resumed: boolean
  readonly endpoint: WebhookEndpoint
  /** 64 lower-case hex characters: what X-GudDesk-Signature is made with now. While it is rotated, the one before. */
  readonly secret: string
  /** While the secret is being rotated: the new one, which webhook-signature knows already. */
  readonly nextSecret: string | null
}

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

/**
 * Registers a URL; registering it again answers with the same endpoint and secret, enables it, and applies the flags
 * and settings that were given. So does registering one that its owner has unregistered, as long as it is kept. However
 * many calls race, one endpoint is made.
 * @throws ValidationError for a refused URL; ConflictError when an agent asks for somebody else's URL, or the
 *   workspace may have no more endpoints
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
        // From here on nobody else can have this URL. A kept endpoint takes the new one's place.
        const kept = await lockUnregistered(tx, owner, deps.clock.steady())
        if (kept !== null) await tx.db.webhookEndpoint.delete({ where: { id } })
        const endpoint =
          kept === null
            ? await tx.db.webhookEndpoint.findUniqueOrThrow({ where: { id } })
            : await resume(deps, tx, kept, settings, resumeWithinSeconds)
        await requireRoom(deps, tx, workspaceId)
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
      // An agent must not learn another one's secret.
      if (agentId !== null && found.agent_id !== agentId) throw urlTaken()
      const endpoint = await change(deps, tx, actor, found.id, { ...settings, isEnabled: true })
      // Its process may have been away.
      await sendWaitingNow(deps, tx, endpoint.id)
      const reregisteredAt = deps.clock.steady()
      await tx.db.$executeRaw`UPDATE webhook_endpoints SET reregistered_at = ${reregisteredAt} WHERE id = ${found.id}`
      return { status: 'exists', resumed: false, endpoint, ...secretsOf(deps, endpoint) }
    }
  })
}

/**
 * Makes a kept endpoint live again, with the backlog that it asks for; what failed before does not count. The first that waits
 * for its next attempt is sent now, however short ago that was asked: what is new would overtake it.
 */
async function resume(
  deps: Deps,
  tx: Tx,
  kept: { id: string; unregisteredAt: Date },
  settings: Changes,
  withinSeconds: number,
): Promise<WebhookEndpoint> {
  const at = deps.clock.steady()
  const data = { ...settings, ...REREGISTERED, ...RESUMED, reregisteredAt: at, probeAskedAt: null }
  const endpoint = await tx.db.webhookEndpoint.update({ where: { id: kept.id }, data })
  await limitBacklog(tx, kept, withinSeconds, at)
  await sendWaitingNow(deps, tx, kept.id)
  endpointsChanged(tx, deps.bus, [kept.id])
  tx.afterCommit(() => notifyDispatcher(deps.bus, [kept.id]))
  return endpoint
}

/**
 * Asks for room for an endpoint that was just made. Those who make some at the same moment wait here for each other, so that
 * not one too many is made. Endpoints that are there already stay, however many.
 * @throws ConflictError
 */
export async function requireRoom({ endpointsPerWorkspace }: Deps, tx: Tx, workspaceId: string): Promise<void> {
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

/**
 * Changes an endpoint. Enabling it resumes what waits for it, and another URL may be one that answers.
 * @throws NotFoundError, ValidationError; ConflictError when the workspace has the new URL already
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
  return inTransaction(deps, (tx) => change(deps, tx, actor, id, omitUndefined({ ...rest, url, ...events })))
}

/** Columns that may be changed, by their names. */
type Changes = Partial<
  Pick<WebhookEndpoint, keyof typeof DEFAULT_FLAGS | 'url' | 'description' | 'isEnabled' | 'maxInFlight' | 'ordering'>
>

/** Writes what differs, and records it: an agent that registers at every start leaves no trail of nothing. */
async function change(deps: Deps, tx: Tx, actor: Actor, id: string, changes: Changes): Promise<WebhookEndpoint> {
  const before = await lockEndpoint(tx, actor, id)
  const changed = namesOf(changes).filter((name) => changes[name] !== before[name])
  if (changed.length === 0) return before
  const isResumed = changes.isEnabled === true && !before.isEnabled
  const data = { ...changes, ...(isResumed && RESUMED) }
  const endpoint = await tx.db.webhookEndpoint.update({ where: { id }, data }).catch(refuseTakenUrl)
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
  if (isResumed || before.url !== endpoint.url) await sendWaitingNow(deps, tx, id)
  return endpoint
}

function namesOf(changes: Changes): (keyof Changes)[] {
  return Object.keys(changes) as (keyof Changes)[]
}

/** The health of an endpoint that is enabled again: what failed before must not count. */
export const RESUMED = {
  disabledReason: null,
  failingSince: null,
  failingWarnedAt: null,
  consecutiveFailures: 0,
  breakerOpenedAt: null,
  breakerProbeAt: null,
  breakerProbes: 0,
} as const

/** @throws ConflictError in place of the database's unique violation */
export function refuseTakenUrl(error: unknown): never {
  if (isUniqueViolation(error)) throw urlTaken()
  throw error
}

function urlTaken(): ConflictError {
  return new ConflictError('Another webhook endpoint of this workspace has that URL')
}

/** Which endpoint is meant. @throws ValidationError when both are given, and for a URL that cannot be one */
export function endpointNamed({ url, endpointId }: z.output<typeof EndpointRef>): { id: string } | { url: string } {
  if (url === undefined) return { id: endpointId ?? '' }
  if (endpointId === undefined) return { url: normalizeWebhookUrl(url) }
  throw new ValidationError([{ path: '', message: 'Send either url or endpointId, not both' }])
}

/**
 * Deletes an endpoint with what waits for it, for good; also one that is unregistered and kept.
 * @throws NotFoundError; ValidationError when neither url nor endpointId is given
 */
export async function deleteEndpoint(deps: Deps, actor: Actor, input: z.input<typeof EndpointRef>): Promise<void> {
  requireWebhookManager(actor)
  const named = endpointNamed(parse(EndpointRef, input))
  await inTransaction(deps, async (tx) => {
    const at = deps.clock.now()
    // A URL may have been kept several times, for several owners.
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
