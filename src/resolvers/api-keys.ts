import {
  CreateApiKey,
  createApiKey,
  listApiKeys,
  listOwnApiKeys,
  revokeApiKey,
} from '../domain/credentials/api-keys.ts'
import { ApiKey, ApiKeyConnection, CreateApiKeyInput, RevokeApiKeyInput } from '../schema/api-key.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import { inputOf, omitNull } from './input.ts'

const CreateApiKeyPayload = builder.simpleObject('CreateApiKeyPayload', {
  interfaces: [MutationPayload],
  description: 'The key, which is shown here and never again.',
  fields: (t) => ({
    apiKey: t.field({ nullable: true, type: ApiKey, description: 'What is kept of it.' }),
    key: t.string({ nullable: true, description: 'The key itself: gd_ and 43 characters.' }),
  }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayload,
    nullable: true,
    description: 'Makes an API key, for this workspace or all of yours.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'What it may do.' }) },
    resolve: (_root, { input }, { deps, actor, caller }) =>
      createApiKey(deps, actor(), inputOf(CreateApiKey, omitNull(input)), caller()),
  }),
}))

const RevokeApiKeyPayload = builder.simpleObject('RevokeApiKeyPayload', {
  interfaces: [MutationPayload],
  description: 'What was revoked.',
  fields: (t) => ({ apiKey: t.field({ nullable: true, type: ApiKey, description: 'The key as it is now.' }) }),
})

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    nullable: true,
    description: 'Ends an API key at once: with FULL_ACCESS any of the workspace; whoever is signed in, their own.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor, caller }) => ({
      apiKey: await revokeApiKey(deps, actor(), input.apiKeyId, caller()),
    }),
  }),
)

builder.queryField('apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description:
      "The workspace's API keys and your own all-workspaces keys, newest first, revoked ones included. For FULL_ACCESS.",
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, caller, budget }) =>
      toConnection(await listApiKeys(deps, actor(), pageRequest(page, budget), caller())),
  }),
)

builder.queryField('ownApiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description:
      'Your own API keys in this workspace and those for all workspaces, newest first, revoked ones included. For whoever is signed in, and for FULL_ACCESS keys.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, caller, budget }) =>
      toConnection(await listOwnApiKeys(deps, actor(), pageRequest(page, budget), caller())),
  }),
)
