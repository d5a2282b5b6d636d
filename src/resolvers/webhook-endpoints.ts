import { deleteEndpoint } from '../domain/webhooks/delete-endpoint.ts'
import { CreateEndpoint, EndpointPatch } from '../domain/webhooks/endpoint-input.ts'
import { registerEndpoint } from '../domain/webhooks/register-endpoint.ts'
import { endWebhookSecretOverlap, RotateSecret, rotateWebhookSecret } from '../domain/webhooks/secret-rotation.ts'
import { listUnregistered } from '../domain/webhooks/unregistered-endpoints.ts'
import { updateEndpoint } from '../domain/webhooks/update-endpoint.ts'
import { listEndpoints } from '../domain/webhooks/webhook-endpoints.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import {
  DeleteWebhookEndpointInput,
  DisableWebhookEndpointInput,
  EnableWebhookEndpointInput,
  EndWebhookSecretOverlapInput,
  RegisterWebhookEndpointInput,
  RotateWebhookSecretInput,
  UnregisteredWebhookEndpoint,
  UpdateWebhookEndpointInput,
  WebhookEndpoint,
  WebhookEndpointConnection,
} from '../schema/webhook-endpoint.ts'
import { inputOf, omitNull } from './input.ts'

const RegisterWebhookEndpointPayload = builder.simpleObject('RegisterWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The endpoint and its secret.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint, new or known.' }),
    secret: t.string({ nullable: true, description: 'Signs what it receives: 64 hex characters.' }),
    nextSecret: t.string({
      nullable: true,
      description: 'While the secret is being rotated, the new one; `secret` is then the one before.',
    }),
    created: t.boolean({ nullable: true, description: 'False when the workspace had that URL.' }),
    resumed: t.boolean({ nullable: true, description: 'Whether it was unregistered, and is the same endpoint again.' }),
  }),
})

builder.mutationFields((t) => ({
  registerWebhookEndpoint: t.field({
    type: RegisterWebhookEndpointPayload,
    nullable: true,
    description:
      'Registers a webhook URL. Registering it again gives the same endpoint, enabled; also within a day after it was unregistered.',
    args: { input: t.arg({ type: RegisterWebhookEndpointInput, required: true, description: 'What to register.' }) },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...omitNull(input), ...(events != null && { events: omitNull(events) }) }
      const { status, ...registered } = await registerEndpoint(deps, actor(), inputOf(CreateEndpoint, wanted))
      return { ...registered, created: status === 'created' }
    },
  }),
}))

const UpdateWebhookEndpointPayload = builder.simpleObject('UpdateWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint as it is now.' }),
  }),
})

const DeleteWebhookEndpointPayload = builder.simpleObject('DeleteWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'What was removed.',
  fields: (t) => ({ deletedId: t.id({ nullable: true, description: "The endpoint's id." }) }),
})

builder.mutationFields((t) => ({
  updateWebhookEndpoint: t.field({
    type: UpdateWebhookEndpointPayload,
    nullable: true,
    description: 'Changes a webhook endpoint.',
    args: { input: t.arg({ type: UpdateWebhookEndpointInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { endpointId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: omitNull(events) }) }
      return { endpoint: await updateEndpoint(deps, actor(), endpointId, inputOf(EndpointPatch, wanted)) }
    },
  }),
  deleteWebhookEndpoint: t.field({
    type: DeleteWebhookEndpointPayload,
    nullable: true,
    description: 'Removes a webhook endpoint with its deliveries, for good; also one that is unregistered.',
    args: { input: t.arg({ type: DeleteWebhookEndpointInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await deleteEndpoint(deps, actor(), { endpointId: input.endpointId })
      return { deletedId: input.endpointId }
    },
  }),
}))

const EnableWebhookEndpointPayload = builder.simpleObject('EnableWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'What was enabled.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint as it is now.' }),
  }),
})

const DisableWebhookEndpointPayload = builder.simpleObject('DisableWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'What was disabled.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint as it is now.' }),
  }),
})

builder.mutationFields((t) => ({
  enableWebhookEndpoint: t.field({
    type: EnableWebhookEndpointPayload,
    nullable: true,
    description: 'Enables an endpoint: what waits for it is sent, and what failed before no longer counts.',
    args: { input: t.arg({ type: EnableWebhookEndpointInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await updateEndpoint(deps, actor(), input.endpointId, { isEnabled: true }),
    }),
  }),
  disableWebhookEndpoint: t.field({
    type: DisableWebhookEndpointPayload,
    nullable: true,
    description: 'Disables an endpoint: what waits for it stays, and what happens meanwhile is SKIPPED.',
    args: { input: t.arg({ type: DisableWebhookEndpointInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await updateEndpoint(deps, actor(), input.endpointId, { isEnabled: false }),
    }),
  }),
}))

const RotateWebhookSecretPayload = builder.simpleObject('RotateWebhookSecretPayload', {
  interfaces: [MutationPayload],
  description: 'The new secret, which is shown here and never again by GraphQL.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint as it is now.' }),
    secret: t.string({ nullable: true, description: 'The new secret: 64 hex characters.' }),
  }),
})

const EndWebhookSecretOverlapPayload = builder.simpleObject('EndWebhookSecretOverlapPayload', {
  interfaces: [MutationPayload],
  description: 'Whose rotation has ended.',
  fields: (t) => ({
    endpoint: t.field({ nullable: true, type: WebhookEndpoint, description: 'The endpoint as it is now.' }),
  }),
})

builder.mutationFields((t) => ({
  rotateWebhookSecret: t.field({
    type: RotateWebhookSecretPayload,
    nullable: true,
    description:
      'Gives an endpoint a new secret. Until the overlap ends, `webhook-signature` carries both signatures and `X-GudDesk-Signature` the old one. Within an overlap only overlapHours 0 works, which ends both old secrets.',
    args: { input: t.arg({ type: RotateWebhookSecretInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, { deps, actor }) =>
      rotateWebhookSecret(deps, actor(), inputOf(RotateSecret, omitNull(input))),
  }),
  endWebhookSecretOverlap: t.field({
    type: EndWebhookSecretOverlapPayload,
    nullable: true,
    description: "Ends the overlap of a secret's rotation: only the new one signs from now on.",
    args: { input: t.arg({ type: EndWebhookSecretOverlapInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await endWebhookSecretOverlap(deps, actor(), input),
    }),
  }),
}))

builder.queryField('webhookEndpoints', (t) =>
  t.field({
    type: WebhookEndpointConnection,
    description: 'Webhook endpoints, newest first.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listEndpoints(deps, actor(), pageRequest(page, budget))),
  }),
)

builder.queryField('unregisteredWebhookEndpoints', (t) =>
  t.field({
    type: [UnregisteredWebhookEndpoint],
    description: 'Endpoints that their services have unregistered within a day, the latest first; at most 100.',
    resolve: (_root, _args, { deps, actor }) => listUnregistered(deps, actor()),
  }),
)
