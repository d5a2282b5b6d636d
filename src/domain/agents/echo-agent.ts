import { z } from 'zod'
import { VaultError } from '../../infra/secrets.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, ForbiddenError } from '../shared/errors.ts'
import { parse, text } from '../shared/input.ts'
import { registerEndpoint } from '../webhooks/register-endpoint.ts'
import { type AgentWithEndpoints, installAgent, updateAgent } from './agents.ts'

const LIVE = { unregisteredAt: null } as const
const EVENTS = { onMessageCreated: true, onConversationCreated: false } as const

export const InstallEchoAgent = z.object({ name: text(100).optional() })

/** Identifies the echo agent. Its key is sealed with its own id as context, so that it opens nowhere else. */
const EchoConfig = z.object({ builtIn: z.literal('echo'), sealedKey: z.string() })

/**
 * Installs the built-in echo agent: an agent like any other, with an endpoint, a secret and a key, whose service runs
 * in this process. Installing it again enables and returns the same agent.
 * @throws ForbiddenError in production, and for an agent's key; ConflictError when another agent has its URL
 */
export async function installEchoAgent(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof InstallEchoAgent>,
): Promise<AgentWithEndpoints> {
  requireLevel(actor, 'READ_WRITE')
  requireNotAgent(actor, 'install agents')
  const { name = 'Echo' } = parse(InstallEchoAgent, input)
  if (deps.echoAgentUrl === undefined) throw new ForbiddenError('The echo agent is available only in development')
  const webhookUrl = deps.echoAgentUrl()
  const existing = await findEchoAgent(deps, actor.workspaceId)
  if (existing !== null) {
    const [endpoint] = existing.webhookEndpoints
    if (endpoint === undefined) {
      // The endpoint was removed or unregistered. The service, which would register it again, runs in this process.
      const itself = { ...actor, type: 'agent', id: existing.id, name: existing.name } as const
      await registerEndpoint(deps, itself, { url: webhookUrl, events: EVENTS })
    }
    // The URL contains PORT, which may have changed.
    const isElsewhere = endpoint !== undefined && endpoint.url !== webhookUrl
    return updateAgent(deps, actor, existing.id, { isEnabled: true, ...(isElsewhere && { webhookUrl }) })
  }
  const { agent, credentials } = await installAgent(deps, actor, {
    name,
    description: 'Built in, for trying things out: answers every visitor with their own words.',
    type: 'BUILT_IN',
    webhookUrl,
    events: EVENTS,
  }).catch(async (error: unknown) => {
    // Of two concurrent installations, one gets a conflict: the agent exists now.
    if (error instanceof ConflictError)
      throw new ConflictError('The echo agent is already being installed: try again in a moment')
    throw error
  })
  const config = { builtIn: 'echo', sealedKey: deps.vault.seal(credentials.apiKey, agent.id) }
  return updateAgent(deps, actor, agent.id, { config })
}

async function findEchoAgent(deps: Deps, workspaceId: string) {
  const where = { workspaceId, type: 'BUILT_IN', config: { path: ['builtIn'], equals: 'echo' } } as const
  return deps.db.prisma.agent.findFirst({
    where,
    select: { id: true, name: true, webhookEndpoints: { where: LIVE, select: { url: true } } },
  })
}

/** The settings that the service of the echo agent needs. Other services get theirs from their environment. */
export interface EchoCredentials {
  readonly webhookSecret: string
  readonly apiKey: string
}

/** @returns null when there is no such echo agent, also when its row contains a key that was sealed for another row */
export async function echoCredentials(deps: Deps, agentId: string): Promise<EchoCredentials | null> {
  const where = { id: agentId, type: 'BUILT_IN' } as const
  const agent = await deps.db.prisma.agent.findFirst({ where, include: { webhookEndpoints: { where: LIVE, take: 1 } } })
  const config = EchoConfig.safeParse(agent?.config)
  const [endpoint] = agent?.webhookEndpoints ?? []
  if (!config.success || endpoint === undefined) return null
  try {
    return {
      webhookSecret: deps.vault.open(endpoint.sealedSecret, endpoint.id),
      apiKey: deps.vault.open(config.data.sealedKey, agentId),
    }
  } catch (error) {
    if (error instanceof VaultError) return null
    throw error
  }
}
