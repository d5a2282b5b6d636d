import { visibleApiKeys } from '../domain/credentials/api-keys.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { ApiKeyPermission } from './enums.ts'

export const ApiKey = builder.prismaNode('ApiKey', {
  nullable: true,
  description: 'A credential for programs. The key itself is shown only when it is made.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleApiKeys(context.actor(), context.caller()) }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people.' }),
    prefix: t.exposeString('prefix', { description: 'Its first eight characters.' }),
    permission: t.expose('permission', { type: ApiKeyPermission, description: 'What it may do.' }),
    allWorkspaces: t.boolean({
      description: 'Whether it is valid in all workspaces of its person; then requests name one.',
      resolve: ({ workspaceId }) => workspaceId === null,
    }),
    agentId: t.exposeID('agentId', { nullable: true, description: 'The agent that it acts as.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it ends by itself.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To the minute.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
})

export const ApiKeyConnection = connectionOf(ApiKey, 'ApiKey')

export const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new key.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'For people.' }),
    permission: t.field({ type: ApiKeyPermission, required: true, description: 'What it may do.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself.' }),
    allWorkspaces: t.boolean({
      description: 'Valid in all your workspaces, instead of this one. Not with a key of one workspace.',
    }),
  }),
})

export const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'A key to end at once.',
  fields: (t) => ({ apiKeyId: t.id({ required: true, description: 'Which key.' }) }),
})
