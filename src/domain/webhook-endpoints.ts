import { z } from 'zod'
import type { WebhookEndpoint } from '../generated/prisma/client.ts'
import { EndpointOrdering } from '../generated/prisma/enums.ts'
import { isUniqueViolation, Prisma } from '../infra/db.ts'
import { newWebhookSecret } from '../infra/secrets.ts'
import { inTransaction } from '../infra/transaction.ts'
import type { Actor } from './actor.ts'
import type { Deps } from './deps.ts'
import { ConflictError, NotFoundError, ValidationError } from './errors.ts'
import { DISPATCH_TOPIC, FLAG_COLUMNS } from './events.ts'
import { newId } from './ids.ts'
import { clearableText, defined, idText, parse, requireId, text } from './input.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, requireWebhookManager } from './policy.ts'
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

const DEFAULT_SETTINGS = { maxInFlight: 10, ordering: 'RELAXED' } as const

const Url = text(MAX_URL_LENGTH)

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
  readonly endpoint: WebhookEndpoint
  /** 64 lower-case hex characters. */
  readonly secret: string
}

/** Agents see and manage their own endpoints; everybody else the workspace's. */
function managed(actor: Actor): { workspaceId: string; agentId?: string } {
  return { workspaceId: actor.workspaceId, ...(actor.type === 'agent' && { agentId: actor.id }) }
}

/** Webhook endpoints, newest first, without secrets. */
export async function listEndpoints(deps: Deps, actor: Actor, page: PageRequest): Promise<Page<WebhookEndpoint>> {
  requireLevel(actor, 'READ_ONLY')
  const where = managed(actor)
  const { webhookEndpoint } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => webhookEndpoint.findMany({ ...slice, where: { ...where, ...slice.where } }),
    count: () => webhookEndpoint.count({ where }),
  })
}

/**
 * Registers a URL; registering it again answers with the same endpoint and secret, enables it, and applies the flags
 * and settings that were given. One statement: however many calls race, one endpoint is made.
 * @throws ValidationError for a refused URL; ConflictError when an agent asks for somebody else's URL
 */
export async function registerEndpoint(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof CreateEndpoint>,
): Promise<Registration> {
  requireWebhookManager(actor)
  const { url: rawUrl, description, events = {}, maxInFlight, ordering } = parse(CreateEndpoint, input)
  const url = await checkWebhookUrl(deps.targets, rawUrl)
  const agentId = actor.type === 'agent' ? actor.id : null
  const id = newId('webhookEndpoint')
  const sealed = deps.vault.seal(newWebhookSecret(), id)
  const now = deps.clock.now()
  const flags = { ...DEFAULT_FLAGS, ...events }
  const updates = [
    Prisma.sql`updated_at = EXCLUDED.updated_at, is_enabled = true, disabled_reason = NULL`,
    // A fresh start: what failed before it was disabled must not disable it again at the first failure.
    Prisma.sql`failing_since = CASE WHEN endpoint.is_enabled THEN endpoint.failing_since END`,
    Prisma.sql`consecutive_failures = CASE WHEN endpoint.is_enabled THEN endpoint.consecutive_failures ELSE 0 END`,
    ...(description === undefined ? [] : [Prisma.sql`description = EXCLUDED.description`]),
    ...(maxInFlight === undefined ? [] : [Prisma.sql`max_in_flight = EXCLUDED.max_in_flight`]),
    ...(ordering === undefined ? [] : [Prisma.sql`ordering = EXCLUDED.ordering`]),
    ...Object.keys(events).map((flag) => {
      const column = FLAG_COLUMNS[flag as keyof typeof FLAG_COLUMNS]
      return Prisma.sql`${column} = EXCLUDED.${column}`
    }),
  ]
  const mayTake = agentId === null ? Prisma.sql`true` : Prisma.sql`endpoint.agent_id = ${agentId}`
  return inTransaction(deps, async (tx) => {
    const [row] = await tx.db.$queryRaw<{ id: string }[]>`
      INSERT INTO webhook_endpoints AS endpoint
        (id, workspace_id, agent_id, url, description, sealed_secret, on_message_created, on_conversation_created,
         on_conversation_closed, on_conversation_assigned, max_in_flight, ordering, created_at, updated_at)
      VALUES (${id}, ${actor.workspaceId}, ${agentId}, ${url}, ${description ?? null}, ${sealed},
              ${flags.onMessageCreated}, ${flags.onConversationCreated}, ${flags.onConversationClosed},
              ${flags.onConversationAssigned}, ${maxInFlight ?? DEFAULT_SETTINGS.maxInFlight},
              ${ordering ?? DEFAULT_SETTINGS.ordering}::"EndpointOrdering", ${now}, ${now})
      ON CONFLICT (workspace_id, url) DO UPDATE SET ${Prisma.join(updates, ', ')} WHERE ${mayTake}
      RETURNING endpoint.id`
    if (row === undefined) throw new ConflictError('Another webhook endpoint of this workspace has that URL')
    const endpoint = await tx.db.webhookEndpoint.findUniqueOrThrow({ where: { id: row.id } })
    tx.afterCommit(() => deps.bus.wake(DISPATCH_TOPIC))
    const secret = deps.vault.open(endpoint.sealedSecret, endpoint.id)
    return { status: endpoint.id === id ? 'created' : 'exists', endpoint, secret }
  })
}

/**
 * Changes an endpoint. Enabling it resumes what waits for it.
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
  const { url: rawUrl, isEnabled, events, ...rest } = parse(EndpointPatch, input)
  const url = rawUrl === undefined ? undefined : await checkWebhookUrl(deps.targets, rawUrl)
  const where = { id, ...managed(actor) }
  return inTransaction(deps, async (tx) => {
    const found = await tx.db.webhookEndpoint.findFirst({ where })
    if (found === null) throw new NotFoundError('Webhook endpoint')
    const data = { ...defined({ ...rest, url, isEnabled, ...events }), ...(isEnabled === true && RESUMED) }
    const endpoint = await tx.db.webhookEndpoint.update({ where: { id }, data }).catch(refuseTakenUrl)
    if (isEnabled === true) tx.afterCommit(() => deps.bus.wake(DISPATCH_TOPIC))
    return endpoint
  })
}

/** The health of an endpoint that is enabled again: what failed before must not count. */
export const RESUMED = { disabledReason: null, failingSince: null, consecutiveFailures: 0 } as const

/** @throws ConflictError in place of the database's unique violation */
export function refuseTakenUrl(error: unknown): never {
  if (isUniqueViolation(error)) throw new ConflictError('Another webhook endpoint of this workspace has that URL')
  throw error
}

/**
 * Deletes an endpoint with what waits for it.
 * @throws NotFoundError; ValidationError when neither url nor endpointId is given
 */
export async function deleteEndpoint(deps: Deps, actor: Actor, input: z.input<typeof EndpointRef>): Promise<void> {
  requireWebhookManager(actor)
  const { url, endpointId } = parse(EndpointRef, input)
  if (url !== undefined && endpointId !== undefined) {
    throw new ValidationError([{ path: '', message: 'Send either url or endpointId, not both' }])
  }
  const which = url === undefined ? { id: endpointId ?? '' } : { url: normalizeWebhookUrl(url) }
  const { count } = await deps.db.prisma.webhookEndpoint.deleteMany({ where: { ...which, ...managed(actor) } })
  if (count === 0) throw new NotFoundError('Webhook endpoint')
}
