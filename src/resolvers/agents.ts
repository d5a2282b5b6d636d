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
import { subscriptionFlags } from '../domain/events/events.ts'
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
  description: 'The result of `installAgent`. The credentials are only returned here.',
  fields: (t) => ({
    agent: t.field({
      type: Agent,
      description: 'The installed agent.',
    }),
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint of the agent.',
    }),
    secret: t.string({
      description: 'The secret that signs webhooks to `endpoint`. Only returned here.',
    }),
    apiKey: t.field({
      type: ApiKey,
      description: 'The API key of the agent, without the key itself.',
    }),
    key: t.string({
      description: 'The key with which the agent authenticates: `gd_` and 43 characters. Only returned here.',
    }),
  }),
})

builder.mutationFields((t) => ({
  installAgent: t.field({
    type: InstallAgentPayload,
    description: 'Installs an agent, with a webhook endpoint and an API key. Refused for the key of an agent.',
    args: { input: t.arg({ type: InstallAgentInput, required: true, description: 'The properties of the agent.' }) },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...omitNull(input), ...(events != null && { events: subscriptionFlags(events) }) }
      const { credentials, ...installed } = await installAgent(deps, actor(), inputOf(InstallAgent, wanted))
      return { ...installed, secret: credentials.webhookSecret, key: credentials.apiKey }
    },
  }),
}))

const InstallEchoAgentPayload = builder.simpleObject('InstallEchoAgentPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `installEchoAgent`. Its credentials are not returned.',
  fields: (t) => ({
    agent: t.field({
      type: Agent,
      description: 'The installed agent.',
    }),
  }),
})

builder.mutationField('installEchoAgent', (t) =>
  t.field({
    type: InstallEchoAgentPayload,
    description:
      'Installs the built-in echo agent, which replies to visitors with their own text. Only available in development.',
    args: {
      input: t.arg({ type: InstallEchoAgentInput, required: true, description: 'The properties of the agent.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      agent: await installEchoAgent(deps, actor(), omitNull(input)),
    }),
  }),
)

const UpdateAgentPayload = builder.simpleObject('UpdateAgentPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateAgent`.',
  fields: (t) => ({
    agent: t.field({
      type: Agent,
      description: 'The agent in its current state.',
    }),
  }),
})

const UninstallAgentPayload = builder.simpleObject('UninstallAgentPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `uninstallAgent`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the uninstalled agent.',
    }),
    removal: t.field({
      type: AgentRemoval,
      description: 'The objects that were removed with the agent.',
    }),
  }),
})

builder.mutationFields((t) => ({
  updateAgent: t.field({
    type: UpdateAgentPayload,
    description: 'Changes, enables or disables an agent. The key of an agent can only change that agent.',
    args: { input: t.arg({ type: UpdateAgentInput, required: true, description: 'The agent and its changes.' }) },
    resolve: async (_root, { input: { agentId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: subscriptionFlags(events) }) }
      return { agent: await updateAgent(deps, actor(), agentId, inputOf(AgentPatch, wanted)) }
    },
  }),
  uninstallAgent: t.field({
    type: UninstallAgentPayload,
    description:
      'Uninstalls an agent, with its webhook endpoints, their deliveries, and its API keys. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: UninstallAgentInput, required: true, description: 'The agent to uninstall.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const removal = await uninstallAgent(deps, actor(), input.agentId)
      return { deletedId: input.agentId, removal }
    },
  }),
}))

const RotateAgentApiKeyPayload = builder.simpleObject('RotateAgentApiKeyPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `rotateAgentApiKey`. The key is only returned here.',
  fields: (t) => ({
    agent: t.field({
      type: Agent,
      description: 'The agent that the key belongs to.',
    }),
    apiKey: t.field({
      type: ApiKey,
      description: 'The new API key, without the key itself.',
    }),
    key: t.string({
      description: 'The new key: `gd_` and 43 characters. Only returned here.',
    }),
  }),
})

builder.mutationField('rotateAgentApiKey', (t) =>
  t.field({
    type: RotateAgentApiKeyPayload,
    description:
      'Creates a new API key for an agent. The old key keeps working until the overlap ends. During an overlap, only a rotation with `overlapHours: 0` is allowed, which revokes both old keys. Requires FULL_ACCESS.',
    args: {
      input: t.arg({
        type: RotateAgentApiKeyInput,
        required: true,
        description: 'The agent and the overlap of its keys.',
      }),
    },
    resolve: (_root, { input }, { deps, actor }) =>
      rotateAgentApiKey(deps, actor(), inputOf(RotateAgentApiKey, omitNull(input))),
  }),
)

builder.queryField('agentRemoval', (t) =>
  t.field({
    type: AgentRemoval,
    description: 'A preview of `uninstallAgent`: the objects that are removed with an agent.',
    args: { id: t.arg.id({ required: true, description: 'The id of the agent.' }) },
    resolve: (_root, { id }, { deps, actor }) => agentRemoval(deps, actor(), id),
  }),
)

builder.queryField('agents', (t) =>
  t.field({
    type: AgentConnection,
    description: 'The installed agents, latest first.',
    args: {
      filter: t.arg({ type: AgentFilterInput, description: 'Conditions on the agents. All agents by default.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) =>
      toConnection(await listAgents(deps, actor(), omitNull(filter ?? {}), pageRequest(page, budget))),
  }),
)
