import {
  CreateEndpoint,
  deleteEndpoint,
  EndpointPatch,
  listEndpoints,
  registerEndpoint,
  updateEndpoint,
} from '../domain/webhook-endpoints.ts'
import { builder } from '../schema/builder.ts'
import { AFTER, FIRST, pageRequest, toConnection } from '../schema/connection.ts'
import { mutationErrors } from '../schema/errors.ts'
import {
  CreateWebhookEndpointInput,
  DeleteWebhookEndpointInput,
  UpdateWebhookEndpointInput,
  WebhookEndpoint,
  WebhookEndpointConnection,
} from '../schema/webhook-endpoint.ts'
import { given, inputOf } from './input.ts'

const CreateWebhookEndpointPayload = builder.simpleObject('CreateWebhookEndpointPayload', {
  description: 'The endpoint and its secret.',
  fields: (t) => ({
    endpoint: t.field({ type: WebhookEndpoint, description: 'The endpoint, new or known.' }),
    secret: t.string({ description: 'Signs what it receives: 64 hex characters.' }),
    created: t.boolean({ description: 'False when the workspace had that URL.' }),
  }),
})

builder.mutationFields((t) => ({
  createWebhookEndpoint: t.field({
    type: CreateWebhookEndpointPayload,
    errors: mutationErrors,
    description: 'Registers a webhook URL. Registering it again gives the same endpoint, enabled.',
    args: { input: t.arg({ type: CreateWebhookEndpointInput, required: true, description: 'What to register.' }) },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...given(input), ...(events != null && { events: given(events) }) }
      const { endpoint, secret, status } = await registerEndpoint(deps, actor(), inputOf(CreateEndpoint, wanted))
      return { endpoint, secret, created: status === 'created' }
    },
  }),
}))

const UpdateWebhookEndpointPayload = builder.simpleObject('UpdateWebhookEndpointPayload', {
  description: 'What was changed.',
  fields: (t) => ({ endpoint: t.field({ type: WebhookEndpoint, description: 'The endpoint as it is now.' }) }),
})

const DeleteWebhookEndpointPayload = builder.simpleObject('DeleteWebhookEndpointPayload', {
  description: 'What was removed.',
  fields: (t) => ({ deletedId: t.id({ description: "The endpoint's id." }) }),
})

builder.mutationFields((t) => ({
  updateWebhookEndpoint: t.field({
    type: UpdateWebhookEndpointPayload,
    errors: mutationErrors,
    description: 'Changes, enables or disables a webhook endpoint.',
    args: { input: t.arg({ type: UpdateWebhookEndpointInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { endpointId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: given(events) }) }
      return { endpoint: await updateEndpoint(deps, actor(), endpointId, inputOf(EndpointPatch, wanted)) }
    },
  }),
  deleteWebhookEndpoint: t.field({
    type: DeleteWebhookEndpointPayload,
    errors: mutationErrors,
    description: 'Removes a webhook endpoint with its deliveries.',
    args: { input: t.arg({ type: DeleteWebhookEndpointInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await deleteEndpoint(deps, actor(), { endpointId: input.endpointId })
      return { deletedId: input.endpointId }
    },
  }),
}))

builder.queryField('webhookEndpoints', (t) =>
  t.field({
    type: WebhookEndpointConnection,
    description: 'Webhook endpoints, newest first.',
    args: { first: t.arg.int(FIRST), after: t.arg.string(AFTER) },
    resolve: async (_root, page, { deps, actor }) =>
      toConnection(await listEndpoints(deps, actor(), pageRequest(page)), page.after),
  }),
)
