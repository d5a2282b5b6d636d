import { AgentPatch, InstallAgent, installAgent, listAgents, uninstallAgent, updateAgent } from '../domain/agents.ts'
import {
  Agent,
  AgentConnection,
  AgentFilterInput,
  InstallAgentInput,
  UninstallAgentInput,
  UpdateAgentInput,
} from '../schema/agent.ts'
import { builder } from '../schema/builder.ts'
import { AFTER, FIRST, pageRequest, toConnection } from '../schema/connection.ts'
import { mutationErrors } from '../schema/errors.ts'
import { given, inputOf } from './input.ts'

const InstallAgentPayload = builder.simpleObject('InstallAgentPayload', {
  description: 'The agent and its credentials, which are shown here and never again.',
  fields: (t) => ({
    agent: t.field({ type: Agent, description: 'The installed agent.' }),
    webhookSecret: t.string({ description: 'Signs what the agent receives.' }),
    apiKey: t.string({ description: 'What the agent calls the API with.' }),
  }),
})

builder.mutationFields((t) => ({
  installAgent: t.field({
    type: InstallAgentPayload,
    errors: mutationErrors,
    description: 'Installs an agent with its webhook endpoint and API key.',
    args: { input: t.arg({ type: InstallAgentInput, required: true, description: 'What to install.' }) },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...given(input), ...(events != null && { events: given(events) }) }
      const { agent, credentials } = await installAgent(deps, actor(), inputOf(InstallAgent, wanted))
      return { agent, ...credentials }
    },
  }),
}))

const UpdateAgentPayload = builder.simpleObject('UpdateAgentPayload', {
  description: 'What was changed.',
  fields: (t) => ({ agent: t.field({ type: Agent, description: 'The agent as it is now.' }) }),
})

const UninstallAgentPayload = builder.simpleObject('UninstallAgentPayload', {
  description: 'What was removed.',
  fields: (t) => ({ uninstalledId: t.id({ description: "The agent's id." }) }),
})

builder.mutationFields((t) => ({
  updateAgent: t.field({
    type: UpdateAgentPayload,
    errors: mutationErrors,
    description: 'Changes, enables or disables an agent.',
    args: { input: t.arg({ type: UpdateAgentInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { agentId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: given(events) }) }
      return { agent: await updateAgent(deps, actor(), agentId, inputOf(AgentPatch, wanted)) }
    },
  }),
  uninstallAgent: t.field({
    type: UninstallAgentPayload,
    errors: mutationErrors,
    description: 'Removes an agent with its endpoints, their deliveries, and its key.',
    args: { input: t.arg({ type: UninstallAgentInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await uninstallAgent(deps, actor(), input.agentId)
      return { uninstalledId: input.agentId }
    },
  }),
}))

builder.queryField('agents', (t) =>
  t.field({
    type: AgentConnection,
    description: 'Installed agents, latest first.',
    args: {
      filter: t.arg({ type: AgentFilterInput, description: 'Which ones; all when left out.' }),
      first: t.arg.int(FIRST),
      after: t.arg.string(AFTER),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor }) =>
      toConnection(await listAgents(deps, actor(), given(filter ?? {}), pageRequest(page)), page.after),
  }),
)
