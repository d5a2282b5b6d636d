import { agentRemoval } from '../domain/agents/agent-removal.ts'
import {
  AgentPatch,
  InstallAgent,
  installAgent,
  listAgents,
  uninstallAgent,
  updateAgent,
} from '../domain/agents/agents.ts'
import { installEchoAgent } from '../domain/agents/echo-agent.ts'
import { RotateAgentKey, rotateAgentKey } from '../domain/agents/rotate-agent-key.ts'
import {
  Agent,
  AgentConnection,
  AgentFilterInput,
  AgentRemoval,
  InstallAgentInput,
  InstallEchoAgentInput,
  RotateAgentKeyInput,
  UninstallAgentInput,
  UpdateAgentInput,
} from '../schema/agent.ts'
import { ApiKey } from '../schema/api-key.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { mutationErrors } from '../schema/errors.ts'
import { inputOf, omitNull } from './input.ts'

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
      const wanted = { ...omitNull(input), ...(events != null && { events: omitNull(events) }) }
      const { agent, credentials } = await installAgent(deps, actor(), inputOf(InstallAgent, wanted))
      return { agent, ...credentials }
    },
  }),
}))

const InstallEchoAgentPayload = builder.simpleObject('InstallEchoAgentPayload', {
  description: 'The echo agent. It keeps its credentials to itself.',
  fields: (t) => ({ agent: t.field({ type: Agent, description: 'The installed agent.' }) }),
})

builder.mutationField('installEchoAgent', (t) =>
  t.field({
    type: InstallEchoAgentPayload,
    errors: mutationErrors,
    description: 'Installs the built-in agent that answers visitors with their own words. In development only.',
    args: { input: t.arg({ type: InstallEchoAgentInput, required: true, description: 'What to call it.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      agent: await installEchoAgent(deps, actor(), omitNull(input)),
    }),
  }),
)

const UpdateAgentPayload = builder.simpleObject('UpdateAgentPayload', {
  description: 'What was changed.',
  fields: (t) => ({ agent: t.field({ type: Agent, description: 'The agent as it is now.' }) }),
})

const UninstallAgentPayload = builder.simpleObject('UninstallAgentPayload', {
  description: 'What was removed.',
  fields: (t) => ({
    uninstalledId: t.id({ description: "The agent's id." }),
    removal: t.field({ type: AgentRemoval, description: 'What went with it.' }),
  }),
})

builder.mutationFields((t) => ({
  updateAgent: t.field({
    type: UpdateAgentPayload,
    errors: mutationErrors,
    description: 'Changes, enables or disables an agent.',
    args: { input: t.arg({ type: UpdateAgentInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { agentId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: omitNull(events) }) }
      return { agent: await updateAgent(deps, actor(), agentId, inputOf(AgentPatch, wanted)) }
    },
  }),
  uninstallAgent: t.field({
    type: UninstallAgentPayload,
    errors: mutationErrors,
    description: 'Removes an agent with its endpoints, their deliveries, and its keys.',
    args: { input: t.arg({ type: UninstallAgentInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const removal = await uninstallAgent(deps, actor(), input.agentId)
      return { uninstalledId: input.agentId, removal }
    },
  }),
}))

const RotateAgentKeyPayload = builder.simpleObject('RotateAgentKeyPayload', {
  description: 'The new key, which is shown here and never again.',
  fields: (t) => ({
    agent: t.field({ type: Agent, description: 'Whose key it is.' }),
    apiKey: t.field({ type: ApiKey, description: 'What is kept of it.' }),
    key: t.string({ description: 'The key itself: gd_ and 43 characters.' }),
  }),
})

builder.mutationField('rotateAgentKey', (t) =>
  t.field({
    type: RotateAgentKeyPayload,
    errors: mutationErrors,
    description:
      'Gives an agent a new API key; the old one works until the overlap ends. Within an overlap only overlapHours 0 works, which ends both.',
    args: { input: t.arg({ type: RotateAgentKeyInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, { deps, actor }) =>
      rotateAgentKey(deps, actor(), inputOf(RotateAgentKey, omitNull(input))),
  }),
)

builder.queryField('agentRemoval', (t) =>
  t.field({
    type: AgentRemoval,
    description: 'What uninstalling an agent would remove now.',
    args: { id: t.arg.id({ required: true, description: 'Which agent.' }) },
    resolve: (_root, { id }, { deps, actor }) => agentRemoval(deps, actor(), id),
  }),
)

builder.queryField('agents', (t) =>
  t.field({
    type: AgentConnection,
    description: 'Installed agents, latest first.',
    args: {
      filter: t.arg({ type: AgentFilterInput, description: 'Which ones; all when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) =>
      toConnection(await listAgents(deps, actor(), omitNull(filter ?? {}), pageRequest(page, budget))),
  }),
)
