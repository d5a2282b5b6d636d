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
  description: 'The result of `createApiKey`. The key is only returned here.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      description: 'The new API key, without the key itself.',
    }),
    key: t.string({
      description: 'The new key: `gd_` and 43 characters. Only returned here.',
    }),
  }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayload,
    description:
      'Creates an API key of the caller, for this workspace or all of their workspaces. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The properties of the API key.' }) },
    resolve: (_root, { input }, { deps, actor, caller }) =>
      createApiKey(deps, actor(), inputOf(CreateApiKey, omitNull(input)), caller()),
  }),
}))

const RevokeApiKeyPayload = builder.simpleObject('RevokeApiKeyPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `revokeApiKey`.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      description: 'The revoked API key.',
    }),
  }),
})

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    description:
      'Revokes an API key immediately. Callers with FULL_ACCESS can revoke any key of the workspace; people who are signed in, their own keys.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'The API key to revoke.' }) },
    resolve: async (_root, { input }, { deps, actor, caller }) => ({
      apiKey: await revokeApiKey(deps, actor(), input.apiKeyId, caller()),
    }),
  }),
)

builder.queryField('apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description:
      'The API keys of the workspace, and the keys of the caller for all workspaces, newest first. Includes revoked keys. Requires FULL_ACCESS.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, caller, budget }) =>
      toConnection(await listApiKeys(deps, actor(), pageRequest(page, budget), caller())),
  }),
)

builder.queryField('ownApiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description:
      'The API keys of the caller for this workspace and for all workspaces, newest first. Includes revoked keys. Requires a session or FULL_ACCESS.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, caller, budget }) =>
      toConnection(await listOwnApiKeys(deps, actor(), pageRequest(page, budget), caller())),
  }),
)
