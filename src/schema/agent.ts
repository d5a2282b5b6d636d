import { AgentProfile, seenBy } from '../domain/agents/agent-profile.ts'
import type { AgentRemoval as AgentRemovalRow } from '../domain/agents/agent-removal.ts'
import { AgentPatch, InstallAgent } from '../domain/agents/agents.ts'
import type { AgentInstaller as AgentInstallerOf } from '../domain/credentials/agent-installers.ts'
import { managedEndpoints } from '../domain/shared/authorization.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { AgentType } from './enums.ts'
import { inputFields, outputFields } from './fields.ts'
import { EventFlagsInput, WebhookEndpoint } from './webhook-endpoint.ts'

const NEIGHBOURS = "Null for another agent's key."

const AgentInstaller = builder.objectRef<AgentInstallerOf>('AgentInstaller').implement({
  description:
    'Who installed an agent, and whether their own access has ended since. The agent goes on working all the same.',
  fields: (t) => ({
    name: t.exposeString('name', { description: "The person's name." }),
    apiKeyName: t.exposeString('apiKeyName', {
      nullable: true,
      description: 'The API key that they used; null when they were signed in.',
    }),
    hasLeft: t.exposeBoolean('hasLeft', { description: 'Whether the person is no member of the workspace any more.' }),
    hasKeyEnded: t.exposeBoolean('hasKeyEnded', {
      description: 'Whether that key was revoked, or has ended by itself.',
    }),
  }),
})

export const Agent = builder.prismaNode('Agent', {
  nullable: true,
  description: 'An external service that is installed in the workspace.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    ...outputFields(t, AgentProfile.shape, {
      read: (agent, { actor }) => seenBy(actor(), agent),
      note: ({ kind, isNullable }) =>
        kind === 'json' ? "Empty for another agent's key." : isNullable ? NEIGHBOURS : '',
    }),
    type: t.expose('type', { type: AgentType, description: 'Where it comes from.' }),
    isEnabled: t.exposeBoolean('isEnabled', { description: 'Whether it gets events and its key works.' }),
    icon: t.string({
      nullable: true,
      description: `The path on this server of the picture at iconUrl, for people who are signed in; null until it has been fetched. ${NEIGHBOURS}`,
      resolve: (agent, _args, { actor, loaders }) => {
        const { iconUrl } = seenBy(actor(), agent)
        return iconUrl === null ? null : loaders.pictures.load(iconUrl)
      },
    }),
    webhookEndpoints: t.relation('webhookEndpoints', {
      type: WebhookEndpoint,
      description: "Its endpoints, the installed one first; none for another agent's key.",
      query: (_args, { actor }) => ({
        where: managedEndpoints(actor()),
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    }),
    installer: t.field({
      type: AgentInstaller,
      nullable: true,
      description: `Who installed it; null when that is not known. ${NEIGHBOURS}`,
      resolve: ({ id }, _args, { loaders }) => loaders.agentInstallers.load(id),
    }),
    installedAt: t.expose('installedAt', { type: 'DateTime', description: 'When it was installed.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
})

export const AgentConnection = connectionOf(Agent, 'Agent')

export const AgentFilterInput = builder.inputType('AgentFilter', {
  description: 'Which agents; all conditions must hold.',
  fields: (t) => ({
    type: t.field({ type: AgentType, description: 'Where they come from.' }),
    enabled: t.boolean({ description: 'Whether they are enabled.' }),
  }),
})

const INPUT_TYPES = { webhookUrl: 'URL', events: EventFlagsInput } as const

export const InstallAgentInput = builder.inputType('InstallAgentInput', {
  description: 'An agent to install.',
  fields: (t) => inputFields(t, InstallAgent.shape, { ...INPUT_TYPES, type: AgentType }),
})

export const UpdateAgentInput = builder.inputType('UpdateAgentInput', {
  description: 'What to change; fields left out stay as they are, null clears.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'Which agent.' }),
    ...inputFields(t, AgentPatch.shape, INPUT_TYPES),
  }),
})

export const RotateAgentApiKeyInput = builder.inputType('RotateAgentApiKeyInput', {
  description: 'An agent that gets a new API key.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'Which agent.' }),
    overlapHours: t.int({
      defaultValue: 24,
      description: 'How long the old key goes on working: 0 to 168; 0 ends it at once.',
    }),
  }),
})

export const AgentRemoval = builder.objectRef<AgentRemovalRow>('AgentRemoval').implement({
  description: 'What goes with an agent when it is uninstalled. What it wrote, and the log, stay.',
  fields: (t) => ({
    webhookUrls: t.stringList({
      description: 'Of its webhook endpoints, the installed one first.',
      resolve: ({ webhookUrls }) => [...webhookUrls],
    }),
    pendingDeliveryCount: t.exposeInt('pendingDeliveryCount', {
      description: 'Deliveries that are waiting or being sent, and will not be sent any more.',
    }),
    apiKeyPrefixes: t.stringList({
      description: 'The first eight characters of each key that works now, the oldest first.',
      resolve: ({ apiKeyPrefixes }) => [...apiKeyPrefixes],
    }),
  }),
})

export const UninstallAgentInput = builder.inputType('UninstallAgentInput', {
  description: 'An agent to remove with its endpoints, their deliveries, and its keys.',
  fields: (t) => ({ agentId: t.id({ required: true, description: 'Which agent.' }) }),
})

export const InstallEchoAgentInput = builder.inputType('InstallEchoAgentInput', {
  description: 'The built-in agent that answers with what it was told.',
  fields: (t) => ({ name: t.string({ description: 'For people; Echo when left out.' }) }),
})
