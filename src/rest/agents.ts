import { z } from 'zod'
import {
  AgentFilter,
  AgentPatch,
  type AgentWithEndpoints,
  getAgent,
  InstallAgent,
  installAgent,
  listAgents,
  uninstallAgent,
  updateAgent,
} from '../domain/agents/agents.ts'
import { omitUndefined } from '../domain/shared/input.ts'
import { booleanParameter } from './query.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'
import { showFlags } from './webhooks.ts'

const Query = z.object({
  type: AgentFilter.shape.type.describe('Agents of this origin.'),
  enabled: booleanParameter.optional().describe('true: enabled agents. false: disabled agents. All by default.'),
})

export const agentRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/agents',
    summary: 'List agents, most recently installed first.',
    needs: 'READ_ONLY',
    query: Query,
    response: z.array(shapes.Agent),
    async handle({ deps, actor, query: { type, enabled }, page }) {
      const filter = omitUndefined({ type, isEnabled: enabled })
      return listResponse(await listAgents(deps, await actor(), filter, page), page, showAgent)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/agents',
    summary: 'Install an agent. Only this response contains its credentials.',
    needs: 'READ_WRITE',
    body: InstallAgent,
    response: shapes.InstalledAgent,
    statuses: [201],
    async handle({ deps, actor, body }) {
      const { agent, credentials } = await installAgent(deps, await actor(), body)
      return { status: 201, data: { ...showAgent(agent), credentials } }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/agents/:id',
    summary: 'Retrieve an agent.',
    needs: 'READ_ONLY',
    response: shapes.Agent,
    async handle({ deps, actor, id }) {
      return { data: showAgent(await getAgent(deps, await actor(), id)) }
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/agents/:id',
    summary: 'Update, enable or disable an agent.',
    needs: 'READ_WRITE',
    body: AgentPatch,
    response: shapes.Agent,
    async handle({ deps, actor, id, body }) {
      return { data: showAgent(await updateAgent(deps, await actor(), id, body)) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/agents/:id',
    summary: 'Uninstall an agent. Deletes its webhook endpoints and revokes its API key.',
    needs: 'FULL_ACCESS',
    response: shapes.Deleted,
    async handle({ deps, actor, id }) {
      await uninstallAgent(deps, await actor(), id)
      return { data: { deleted: true } }
    },
  }),
]

const showFields = shapes.shown(shapes.Agent)
const showInstalledEndpoint = shapes.shown(shapes.InstalledEndpoint)

function showAgent(agent: AgentWithEndpoints) {
  const [endpoint] = agent.webhookEndpoints
  const webhookEndpoint =
    endpoint === undefined ? null : showInstalledEndpoint({ ...endpoint, events: showFlags(endpoint) })
  return showFields({ ...agent, webhookEndpoint })
}
