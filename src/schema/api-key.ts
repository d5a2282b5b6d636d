import { mayReadAgentKeys } from '../domain/credentials/agent-api-keys.ts'
import { visibleApiKeys } from '../domain/credentials/api-keys.ts'
import { ownedPage } from '../domain/shared/page-sql.ts'
import { Actor } from './actor.ts'
import { Agent } from './agent.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { ApiKeyPermission } from './enums.ts'
import { readerOf } from './loaders.ts'
import { Member } from './workspace.ts'

export const ApiKey = builder.prismaNode('ApiKey', {
  nullable: true,
  interfaces: [Actor],
  description: 'The credential of a program. The key itself is only returned when it is created.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleApiKeys(context.actor(), context.caller()) }),
  fields: (t) => ({
    displayName: t.exposeString('name', { description: 'The display name.' }),
    name: t.exposeString('name', { description: 'The display name, at most 100 characters.' }),
    prefix: t.exposeString('prefix', { description: 'The first eight characters of the key.' }),
    permission: t.expose('permission', {
      type: ApiKeyPermission,
      description: 'The permission level, which the role of the user can lower.',
    }),
    isForAllWorkspaces: t.boolean({
      description: 'Whether the key is valid in all workspaces of its user. If so, each request names a workspace.',
      resolve: ({ workspaceId }) => workspaceId === null,
    }),
    agentId: t.exposeID('agentId', {
      nullable: true,
      description: 'The id of the agent that the key belongs to. Null for the key of a person.',
    }),
    agent: t.field({
      type: Agent,
      nullable: true,
      description:
        'The agent that the key belongs to. Null for the key of a person, and when the agent was uninstalled.',
      resolve: ({ agentId }, _args, { loaders }) => (agentId === null ? null : loaders.agents.load(agentId)),
    }),
    owner: t.field({
      type: Member,
      nullable: true,
      description:
        'The member that the key belongs to, whose role limits it. Null for the key of an agent, and when the person has left the workspace.',
      resolve: ({ agentId, userId }, _args, { loaders }) => (agentId === null ? loaders.members.load(userId) : null),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the key expires. Null when it does not expire.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the key was revoked. Null when it was not.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time of the latest request with the key, to the minute. Null when there was none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the key was created.' }),
  }),
})

export const ApiKeyConnection = connectionOf(ApiKey, 'ApiKey')

builder.prismaObjectField(Agent, 'apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    nullable: true,
    description:
      'The API keys of the agent, newest first, including revoked keys. Null unless the caller has FULL_ACCESS, and when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { actor, loaders, budget }) => {
      const request = pageRequest(page, budget)
      if (!mayReadAgentKeys(actor())) return null
      return toConnection(await ownedPage(request, readerOf(loaders.agentApiKeys, id)))
    },
  }),
)

export const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'Input of `createApiKey`.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The display name, 1 to 100 characters.' }),
    permission: t.field({ type: ApiKeyPermission, required: true, description: 'The permission level.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'A future time when the key expires. By default, it does not expire.',
    }),
    isForAllWorkspaces: t.boolean({
      description:
        'Whether the key is valid in all workspaces of the caller, instead of only this one. False by default. Refused when the caller uses a key of one workspace.',
    }),
  }),
})

export const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'Input of `revokeApiKey`.',
  fields: (t) => ({ apiKeyId: t.id({ required: true, description: 'The id of the API key.' }) }),
})
