import { z } from 'zod'
import type { Agent, ApiKey, Prisma, WebhookEndpoint } from '../../generated/prisma/client.ts'
import { AgentType } from '../../generated/prisma/enums.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { newApiKey, newWebhookSecret } from '../../infra/secrets.ts'
import { type AuditTarget, recordAudit } from '../audit/audit.ts'
import { installersOf } from '../credentials/agent-installers.ts'
import { apiKeyRow } from '../credentials/api-keys.ts'
import { requestProbe } from '../deliveries/request-probe.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { hasLevel, isNeighbour, requireLevel, requireNotAgent, requireOwnAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { changesSomething, omitUndefined, parse, requireId, text } from '../shared/input.ts'
import { inTimeOrder, type Page, type PageRequest } from '../shared/pagination.ts'
import { requestPicture } from '../visitors/pictures.ts'
import { DEFAULT_FLAGS, EventFlags } from '../webhooks/endpoint-input.ts'
import { enforceEndpointQuota } from '../webhooks/register-endpoint.ts'
import { HEALTH_RESET, rethrowAsUrlConflict } from '../webhooks/update-endpoint.ts'
import { checkWebhookUrl, MAX_URL_LENGTH } from '../webhooks/webhook-url.ts'
import { AgentProfile, seenBy } from './agent-profile.ts'
import { type AgentRemoval, removalOf } from './agent-removal.ts'

const WebhookUrl = text(MAX_URL_LENGTH)

export const InstallAgent = z.object({
  ...AgentProfile.shape,
  webhookUrl: WebhookUrl.describe('The URL that receives the events. HTTPS is required in production.'),
  type: z.enum(AgentType).optional().describe('The origin of the agent. CUSTOM by default.'),
  events: EventFlags.optional().describe('The event types that the webhook endpoint of the agent receives.'),
})

export const AgentPatch = z
  .object({
    ...AgentProfile.shape,
    webhookUrl: WebhookUrl.describe(
      'The new URL of the first webhook endpoint of the agent. Requires FULL_ACCESS, the key of the agent, or the person who installed it.',
    ),
    events: EventFlags.describe(
      'The event types that the first webhook endpoint of the agent receives. Requires FULL_ACCESS, the key of the agent, or the person who installed it.',
    ),
    isEnabled: z.boolean().describe('Whether the agent is enabled: it receives events and its API key works.'),
  })
  .partial()
  .refine(...changesSomething)

export const AgentFilter = z
  .object({
    type: z.enum(AgentType).describe('Agents of this origin.'),
    isEnabled: z.boolean().describe('True for enabled agents, false for disabled ones.'),
  })
  .partial()

/** An agent with its webhook endpoints, the installed one first. */
export type AgentWithEndpoints = Agent & { webhookEndpoints: WebhookEndpoint[] }

/** Shown once, when the agent is installed. */
export interface Credentials {
  readonly webhookSecret: string
  readonly apiKey: string
}

/** A new agent with its endpoint, its key, and the credentials for both. */
export interface Installed {
  readonly agent: AgentWithEndpoints
  readonly endpoint: WebhookEndpoint
  readonly apiKey: ApiKey
  readonly credentials: Credentials
}

const WITH_ENDPOINTS = {
  webhookEndpoints: { where: { unregisteredAt: null }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.AgentInclude

function withVisibleEndpoints(actor: Actor, agent: AgentWithEndpoints): AgentWithEndpoints {
  return isNeighbour(actor, agent.id) ? { ...seenBy(actor, agent), webhookEndpoints: [] } : agent
}

/** The agents of the workspace as the actor can see them, latest installed first. */
export async function listAgents(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof AgentFilter>,
  page: PageRequest,
): Promise<Page<AgentWithEndpoints>> {
  requireLevel(actor, 'READ_ONLY')
  const { type, isEnabled } = parse(AgentFilter, filter)
  const where = {
    workspaceId: actor.workspaceId,
    ...(type !== undefined && { type }),
    ...(isEnabled !== undefined && { isEnabled }),
  }
  const { agent } = deps.db.prisma
  return inTimeOrder({ field: 'installedAt', direction: 'desc' }, page, {
    find: async (range) => {
      const rows = await agent.findMany({ ...range, where: { ...where, ...range.where }, include: WITH_ENDPOINTS })
      return rows.map((row) => withVisibleEndpoints(actor, row))
    },
    count: () => agent.count({ where }),
  })
}

/** The workspace's agents of these ids, by id. Whoever shows them leaves out what the actor may not see: see seenBy. */
export async function agentsById(
  { db }: Pick<Deps, 'db'>,
  { workspaceId }: Actor,
  ids: readonly string[],
): Promise<Map<string, Agent>> {
  const agents = await db.prisma.agent.findMany({ where: { id: { in: [...ids] }, workspaceId } })
  return new Map(agents.map((agent) => [agent.id, agent]))
}

/** An agent as the actor may see it. @throws NotFoundError */
export async function getAgent(deps: Deps, actor: Actor, id: string): Promise<AgentWithEndpoints> {
  requireLevel(actor, 'READ_ONLY')
  requireId('agent', id, 'Agent')
  const where = { id, workspaceId: actor.workspaceId }
  const agent = await deps.db.prisma.agent.findFirst({ where, include: WITH_ENDPOINTS })
  if (agent === null) throw new NotFoundError('Agent')
  return withVisibleEndpoints(actor, agent)
}

/**
 * Installs an agent: agent, webhook endpoint and READ_WRITE key in one transaction.
 * @returns the agent and its credentials, which cannot be read again
 * @throws ForbiddenError for an agent's key; ValidationError; ConflictError when the workspace already has the URL, or
 *   has reached its limit of endpoints
 */
export async function installAgent(deps: Deps, actor: Actor, input: z.input<typeof InstallAgent>): Promise<Installed> {
  requireLevel(actor, 'READ_WRITE')
  requireNotAgent(actor, 'install agents')
  const { user } = actor
  if (user === null) throw new ForbiddenError('Only a user can install agents: use a key that belongs to a user')
  const { webhookUrl, events = {}, config = {}, type = 'CUSTOM', ...rest } = parse(InstallAgent, input)
  const url = await checkWebhookUrl(deps.targets, webhookUrl, 'webhookUrl')
  const { workspaceId } = actor
  const ids = { agent: newId('agent'), endpoint: newId('webhookEndpoint') }
  const credentials = { webhookSecret: newWebhookSecret(), apiKey: newApiKey() }
  const installedAt = deps.clock.now()
  return inTransaction(deps, async (tx) => {
    const data = { id: ids.agent, workspaceId, type, config: config as Prisma.InputJsonObject, installedAt }
    await tx.db.agent.create({ data: { ...data, ...omitUndefined(rest), name: rest.name } })
    await requestPicture(tx, workspaceId, rest.iconUrl, installedAt)
    const sealedSecret = deps.vault.seal(credentials.webhookSecret, ids.endpoint)
    const endpoint = { id: ids.endpoint, workspaceId, agentId: ids.agent, url, sealedSecret, createdAt: installedAt }
    const created = await tx.db.webhookEndpoint
      .create({ data: { ...endpoint, ...DEFAULT_FLAGS, ...omitUndefined(events) } })
      .catch(rethrowAsUrlConflict)
    await enforceEndpointQuota(deps, tx, workspaceId)
    const key = { name: rest.name, permission: 'READ_WRITE', userId: user.id, workspaceId, agentId: ids.agent } as const
    const apiKey = await tx.db.apiKey.create({ data: { ...apiKeyRow(credentials.apiKey), ...key } })
    const agent = await tx.db.agent.findUniqueOrThrow({ where: { id: ids.agent }, include: WITH_ENDPOINTS })
    const audit = { action: 'agent.installed', target: targetOf(agent), data: { type, url }, at: installedAt } as const
    await recordAudit(tx, actor, audit)
    return { agent, endpoint: created, apiKey, credentials }
  })
}

/**
 * Updates an agent and, through webhookUrl and events, its first endpoint. Disabling the agent stops deliveries and
 * refuses its key. Enabling it resumes both, and also enables endpoints that were disabled automatically.
 * @throws NotFoundError; ForbiddenError for another agent's key, and for webhookUrl and events of an agent that the
 *   actor did not install, below FULL_ACCESS; ConflictError when the workspace already has the new URL
 */
export async function updateAgent(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof AgentPatch>,
): Promise<AgentWithEndpoints> {
  requireLevel(actor, 'READ_WRITE')
  requireId('agent', id, 'Agent')
  const { webhookUrl, events, config, ...rest } = parse(AgentPatch, input)
  const url = webhookUrl === undefined ? undefined : await checkWebhookUrl(deps.targets, webhookUrl, 'webhookUrl')
  return inTransaction(deps, async (tx) => {
    const found = await lockAgent(tx, actor, id)
    requireOwnAgent(actor, id)
    if (url !== undefined || events !== undefined) await requireMayRepoint(tx, deps, actor, id)
    if (url !== undefined || events !== undefined) {
      const [endpoint] = found.webhookEndpoints
      if (endpoint === undefined) {
        throw new ConflictError(
          'This agent has no webhook endpoint: register one with its key (POST /api/agent/webhooks)',
        )
      }
      const data = { ...(url !== undefined && { url }), ...omitUndefined(events ?? {}) }
      await tx.db.webhookEndpoint.update({ where: { id: endpoint.id }, data }).catch(rethrowAsUrlConflict)
    }
    const data = { ...omitUndefined(rest), ...(config !== undefined && { config: config as Prisma.InputJsonObject }) }
    if (rest.isEnabled === true || url !== undefined) {
      // Enabling the agent, or a new URL, also enables its automatically disabled endpoints.
      const stopped = { agentId: id, disabledReason: { not: null } }
      await tx.db.webhookEndpoint.updateMany({ where: stopped, data: { isEnabled: true, ...HEALTH_RESET } })
    }
    const agent = await tx.db.agent.update({ where: { id }, data, include: WITH_ENDPOINTS })
    await requestPicture(tx, actor.workspaceId, rest.iconUrl, deps.clock.now())
    endpointsChanged(tx, deps.bus, endpointIds(agent))
    if ((rest.isEnabled === true && !found.isEnabled) || url !== undefined) {
      for (const endpointId of endpointIds(agent)) await requestProbe(deps, tx, endpointId)
    }
    const { isEnabled, ...named } = omitUndefined({ ...rest, config, events, webhookUrl: url })
    const at = deps.clock.now()
    const changed = Object.keys(named)
    if (changed.length > 0) {
      const [before, after] = [found, agent].map(({ webhookEndpoints: [endpoint] }) => endpoint?.url ?? null)
      const data = { changed, ...(before !== after && { webhookUrl: { from: before, to: after } }) }
      await recordAudit(tx, actor, { action: 'agent.updated', target: targetOf(agent), data, at })
    }
    if (isEnabled !== undefined && isEnabled !== found.isEnabled) {
      const action = isEnabled ? 'agent.enabled' : 'agent.disabled'
      await recordAudit(tx, actor, { action, target: targetOf(agent), at })
    }
    return agent
  })
}

/**
 * An agent of the workspace. Its row is locked before its endpoints and keys, so that concurrent updates and removals
 * wait here.
 * @throws NotFoundError
 */
export async function lockAgent(tx: Tx, { workspaceId }: Actor, id: string): Promise<AgentWithEndpoints> {
  await tx.db.$queryRaw`SELECT id FROM agents WHERE id = ${id} AND workspace_id = ${workspaceId} FOR NO KEY UPDATE`
  const found = await tx.db.agent.findFirst({ where: { id, workspaceId }, include: WITH_ENDPOINTS })
  if (found === null) throw new NotFoundError('Agent')
  return found
}

/**
 * The destination of an agent's events can be changed with FULL_ACCESS, by the agent itself, and by its installer.
 * @throws ForbiddenError
 */
async function requireMayRepoint(tx: Tx, { clock }: Deps, actor: Actor, id: string): Promise<void> {
  if (actor.type === 'agent' || hasLevel(actor.permission, 'FULL_ACCESS')) return
  const installer = (await installersOf({ db: { prisma: tx.db }, clock }, actor, [id])).get(id)
  if (actor.user !== null && installer?.userId === actor.user.id) return
  throw new ForbiddenError(
    "To change webhookUrl or events of an agent that another user installed, use FULL_ACCESS permission or the agent's own key",
  )
}

function endpointIds({ webhookEndpoints }: AgentWithEndpoints): string[] {
  return webhookEndpoints.map(({ id }) => id)
}

function targetOf({ id, name }: Agent): AuditTarget {
  return { type: 'agent', id, name }
}

/**
 * Removes an agent with its endpoints, their deliveries, and its keys.
 * @returns the removed objects
 * @throws NotFoundError; ForbiddenError below FULL_ACCESS
 */
export async function uninstallAgent(deps: Deps, actor: Actor, id: string): Promise<AgentRemoval> {
  requireLevel(actor, 'FULL_ACCESS')
  requireId('agent', id, 'Agent')
  return inTransaction(deps, async (tx) => {
    const at = deps.clock.now()
    const found = await lockAgent(tx, actor, id)
    return removeAgent(tx, deps, actor, found, at)
  })
}

/** Removes a locked agent. The caller has checked the permission. */
export async function removeAgent(
  tx: Tx,
  deps: Deps,
  actor: Actor,
  agent: AgentWithEndpoints,
  at: Date,
): Promise<AgentRemoval> {
  const removal = await removalOf(tx.db, agent.id, at)
  await tx.db.agent.delete({ where: { id: agent.id } })
  await recordAudit(tx, actor, { action: 'agent.uninstalled', target: targetOf(agent), at })
  endpointsChanged(tx, deps.bus, endpointIds(agent))
  return removal
}
