import { AgentProfile, privacyNote, seenBy } from '../domain/agents/agent-profile.ts'
import type { AgentRemoval as AgentRemovalRow } from '../domain/agents/agent-removal.ts'
import { AgentFilter, AgentPatch, InstallAgent } from '../domain/agents/agents.ts'
import type { AgentInstaller as AgentInstallerOf } from '../domain/credentials/agent-installers.ts'
import { fieldOf } from '../domain/shared/field.ts'
import { oldestFirst } from '../domain/shared/pagination.ts'
import { Actor, resolveActor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { AgentType, InstallableAgentType, SubscribableEvent } from './enums.ts'
import { inputFields, outputFields } from './fields.ts'
import { readerOf } from './loaders.ts'
import { WebhookEndpointConnection } from './webhook-endpoint.ts'

/** How many of the objects that are removed are named; all are counted. */
const MAX_NAMED = 100

const NEIGHBOURS = 'Null for the key of another agent.'

const AgentInstaller = builder.objectRef<AgentInstallerOf>('AgentInstaller').implement({
  description:
    'The person who installed an agent, and whether their access has ended. The agent keeps working in that case.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the person.' }),
    actor: t.field({
      type: Actor,
      description: 'The member or API key that installed the agent.',
      resolve: ({ actor }, _args, context) => resolveActor(actor, context),
    }),
    hasLeft: t.exposeBoolean('hasLeft', { description: 'Whether the person has left the workspace.' }),
    hasKeyEnded: t.exposeBoolean('hasKeyEnded', {
      description: 'Whether the API key was revoked or has expired.',
    }),
  }),
})

export const Agent = builder.prismaNode('Agent', {
  nullable: true,
  interfaces: [Actor],
  description: 'An external web service that is installed in the workspace.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    displayName: t.exposeString('name', { description: 'The display name.' }),
    ...outputFields(
      t,
      AgentProfile.shape,
      {},
      { read: (agent, { actor }) => seenBy(actor(), agent), note: privacyNote },
    ),
    type: t.expose('type', { type: AgentType, description: 'The origin of the agent.' }),
    isEnabled: t.exposeBoolean('isEnabled', {
      description: 'Whether the agent is enabled: it receives events and its API key works.',
    }),
    icon: t.string({
      nullable: true,
      description: `The path on this server of a copy of the icon at \`iconUrl\`, for people who are signed in. Null when there is no icon, and until it was fetched. ${NEIGHBOURS}`,
      resolve: (agent, _args, { actor, loaders }) => {
        const { iconUrl } = seenBy(actor(), agent)
        return iconUrl === null ? null : loaders.pictures.load(iconUrl)
      },
    }),
    webhookEndpoints: t.field({
      type: WebhookEndpointConnection,
      description:
        'The webhook endpoints of the agent, oldest first. Empty for the key of another agent. Null when the arguments are refused.',
      args: pageArgs(t.arg),
      resolve: async ({ id }, page, { loaders, budget }) =>
        toConnection(await oldestFirst(pageRequest(page, budget), readerOf(loaders.agentEndpoints, id))),
    }),
    installer: t.field({
      type: AgentInstaller,
      nullable: true,
      description: `The person who installed the agent. Null when they are unknown. ${NEIGHBOURS}`,
      resolve: ({ id }, _args, { loaders }) => loaders.agentInstallers.load(id),
    }),
    installedAt: t.expose('installedAt', { type: 'DateTime', description: 'The time when the agent was installed.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const AgentConnection = connectionOf(Agent, 'Agent')

export const AgentFilterInput = builder.inputType('AgentFilter', {
  description: 'Conditions on agents. All of them must hold.',
  fields: (t) => inputFields(t, AgentFilter.shape, { type: AgentType }),
})

/** GraphQL lists the events, where the operations take a flag for each. */
const { events: installedEvents, ...installed } = InstallAgent.shape
const { events: patchedEvents, ...patched } = AgentPatch.shape
const INPUT_TYPES = { webhookUrl: 'URL' } as const

export const InstallAgentInput = builder.inputType('InstallAgentInput', {
  description: 'Input of `installAgent`.',
  fields: (t) => ({
    ...inputFields(t, installed, { ...INPUT_TYPES, type: InstallableAgentType }),
    events: t.field({
      type: [SubscribableEvent],
      description: `${fieldOf(installedEvents).description} MESSAGE_CREATED and CONVERSATION_CREATED by default.`,
    }),
  }),
})

export const UpdateAgentInput = builder.inputType('UpdateAgentInput', {
  description: 'Input of `updateAgent`. Fields that are left out do not change. Null removes a value.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'The id of the agent.' }),
    ...inputFields(t, patched, INPUT_TYPES),
    events: t.field({ type: [SubscribableEvent], description: fieldOf(patchedEvents).description ?? '' }),
  }),
})

export const RotateAgentApiKeyInput = builder.inputType('RotateAgentApiKeyInput', {
  description: 'Input of `rotateAgentApiKey`.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'The id of the agent.' }),
    overlapHours: t.int({
      defaultValue: 24,
      description: 'The number of hours for which the old key keeps working, 0 to 168. 0 revokes it immediately.',
    }),
  }),
})

export const AgentRemoval = builder.objectRef<AgentRemovalRow>('AgentRemoval').implement({
  description:
    'The objects that are removed with an agent when it is uninstalled. Its messages and the event log are kept.',
  fields: (t) => ({
    webhookUrls: t.stringList({
      description: `The URLs of the webhook endpoints of the agent, oldest first, at most ${MAX_NAMED}.`,
      resolve: ({ webhookUrls }) => webhookUrls.slice(0, MAX_NAMED),
    }),
    webhookEndpointCount: t.int({
      description: 'The number of webhook endpoints of the agent.',
      resolve: ({ webhookUrls }) => webhookUrls.length,
    }),
    pendingDeliveryCount: t.exposeInt('pendingDeliveryCount', {
      description: 'The number of pending deliveries, which will not be sent.',
    }),
    apiKeyPrefixes: t.stringList({
      description: 'The first eight characters of each valid API key of the agent, oldest first, at most 2.',
      resolve: ({ apiKeyPrefixes }) => [...apiKeyPrefixes],
    }),
  }),
})

export const UninstallAgentInput = builder.inputType('UninstallAgentInput', {
  description: 'Input of `uninstallAgent`.',
  fields: (t) => ({ agentId: t.id({ required: true, description: 'The id of the agent.' }) }),
})

export const InstallEchoAgentInput = builder.inputType('InstallEchoAgentInput', {
  description: 'Input of `installEchoAgent`.',
  fields: (t) => ({ name: t.string({ description: 'The display name, 1 to 100 characters. `Echo` by default.' }) }),
})
