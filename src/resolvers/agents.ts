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
import { RotateAgentApiKey, rotateAgentApiKey } from '../domain/agents/rotate-agent-api-key.ts'
import {
  Agent,
  AgentConnection,
  AgentFilterInput,
  AgentRemoval,
  InstallAgentInput,
  InstallEchoAgentInput,
  RotateAgentApiKeyInput,
  UninstallAgentInput,
  UpdateAgentInput,
} from '../schema/agent.ts'
import { ApiKey } from '../schema/api-key.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import { WebhookEndpoint } from '../schema/webhook-endpoint.ts'
import { inputOf, omitNull } from './input.ts'

const InstallAgentPayload = builder.simpleObject('InstallAgentPayload', {
  interfaces: [MutationPayload],
  description: 'The agent and its credentials, which are shown here and never again.',
  fields: (t) => ({
    agent: t.field({ nullable: true, type: Agent, description: 'The installed agent.' }),
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The webhook endpoint of the agent.' }),
    secret: t.string({ nullable: true, description: 'The secret that signs webhooks to `endpoint`. Shown once.' }),
    apiKey: t.field({ nullable: true, type: ApiKey, description: 'The API key of the agent, without the key itself.' }),
    key: t.string({ nullable: true, description: 'The key itself, for the agent to authenticate with. Shown once.' }),
  }),
})

builder.mutationFields((t) => ({
  installAgent: t.field({
    type: InstallAgentPayload,
    nullable: true,
    description: 'Installs an agent with its webhook endpoint and API key.',
    args: { input: t.arg({ type: InstallAgentInput, required: true, description: 'What to install.' }) },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...omitNull(input), ...(events != null && { events: omitNull(events) }) }
      const { credentials, ...installed } = await installAgent(deps, actor(), inputOf(InstallAgent, wanted))
      return { ...installed, secret: credentials.webhookSecret, key: credentials.apiKey }
    },
  }),
}))

const InstallEchoAgentPayload = builder.simpleObject('InstallEchoAgentPayload', {
  interfaces: [MutationPayload],
  description: 'The echo agent. It keeps its credentials to itself.',
  fields: (t) => ({ agent: t.field({ nullable: true, type: Agent, description: 'The installed agent.' }) }),
})

builder.mutationField('installEchoAgent', (t) =>
  t.field({
    type: InstallEchoAgentPayload,
    nullable: true,
    description: 'Installs the built-in agent that answers visitors with their own words. In development only.',
    args: { input: t.arg({ type: InstallEchoAgentInput, required: true, description: 'What to call it.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      agent: await installEchoAgent(deps, actor(), omitNull(input)),
    }),
  }),
)

const UpdateAgentPayload = builder.simpleObject('UpdateAgentPayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({ agent: t.field({ nullable: true, type: Agent, description: 'The agent as it is now.' }) }),
})

const UninstallAgentPayload = builder.simpleObject('UninstallAgentPayload', {
  interfaces: [MutationPayload],
  description: 'What was removed.',
  fields: (t) => ({
    deletedId: t.id({ nullable: true, description: "The agent's id." }),
    removal: t.field({ nullable: true, type: AgentRemoval, description: 'What went with it.' }),
  }),
})

builder.mutationFields((t) => ({
  updateAgent: t.field({
    type: UpdateAgentPayload,
    nullable: true,
    description: 'Changes, enables or disables an agent.',
    args: { input: t.arg({ type: UpdateAgentInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { agentId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: omitNull(events) }) }
      return { agent: await updateAgent(deps, actor(), agentId, inputOf(AgentPatch, wanted)) }
    },
  }),
  uninstallAgent: t.field({
    type: UninstallAgentPayload,
    nullable: true,
    description: 'Removes an agent with its endpoints, their deliveries, and its keys.',
    args: { input: t.arg({ type: UninstallAgentInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const removal = await uninstallAgent(deps, actor(), input.agentId)
      return { deletedId: input.agentId, removal }
    },
  }),
}))

const RotateAgentApiKeyPayload = builder.simpleObject('RotateAgentApiKeyPayload', {
  interfaces: [MutationPayload],
  description: 'The new key, which is shown here and never again.',
  fields: (t) => ({
    agent: t.field({ nullable: true, type: Agent, description: 'Whose key it is.' }),
    apiKey: t.field({ nullable: true, type: ApiKey, description: 'What is kept of it.' }),
    key: t.string({ nullable: true, description: 'The key itself: gd_ and 43 characters.' }),
  }),
})

builder.mutationField('rotateAgentApiKey', (t) =>
  t.field({
    type: RotateAgentApiKeyPayload,
    nullable: true,
    description:
      'Gives an agent a new API key; the old one works until the overlap ends. Within an overlap only overlapHours 0 works, which ends both.',
    args: { input: t.arg({ type: RotateAgentApiKeyInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, { deps, actor }) =>
      rotateAgentApiKey(deps, actor(), inputOf(RotateAgentApiKey, omitNull(input))),
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
