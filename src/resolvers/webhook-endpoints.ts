import { subscriptionFlags } from '../domain/events/events.ts'
import { deleteEndpoint } from '../domain/webhooks/delete-endpoint.ts'
import { CreateEndpoint, EndpointPatch } from '../domain/webhooks/endpoint-input.ts'
import { registerEndpoint } from '../domain/webhooks/register-endpoint.ts'
import { endWebhookSecretOverlap, RotateSecret, rotateWebhookSecret } from '../domain/webhooks/secret-rotation.ts'
import { unregisterEndpoint } from '../domain/webhooks/unregister-endpoint.ts'
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
  UnregisterWebhookEndpointInput,
  UpdateWebhookEndpointInput,
  WebhookEndpoint,
  WebhookEndpointConnection,
} from '../schema/webhook-endpoint.ts'
import { inputOf, omitNull } from './input.ts'

const RegisterWebhookEndpointPayload = builder.simpleObject('RegisterWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `registerWebhookEndpoint`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint, new or existing.',
    }),
    secret: t.string({
      description:
        'The secret that signs webhooks to the endpoint, 64 hexadecimal characters. The previous secret during a rotation.',
    }),
    nextSecret: t.string({
      nullable: true,
      description: 'The new secret during a rotation, 64 hexadecimal characters. Null when there is no rotation.',
    }),
    isNew: t.boolean({
      nullable: true,
      description:
        'Whether a new endpoint was created. False when the URL was already registered, null when the mutation was refused.',
    }),
    isResumed: t.boolean({
      description: 'Whether an unregistered endpoint was resumed.',
    }),
  }),
})

builder.mutationFields((t) => ({
  registerWebhookEndpoint: t.field({
    type: RegisterWebhookEndpointPayload,
    description:
      'Registers a webhook endpoint. A URL that is already registered, or was unregistered less than a day ago, returns the same endpoint and enables it.',
    args: {
      input: t.arg({
        type: RegisterWebhookEndpointInput,
        required: true,
        description: 'The URL and the settings of the endpoint.',
      }),
    },
    resolve: async (_root, { input: { events, ...input } }, { deps, actor }) => {
      const wanted = { ...omitNull(input), ...(events != null && { events: subscriptionFlags(events) }) }
      const registered = await registerEndpoint(deps, actor(), inputOf(CreateEndpoint, wanted))
      return { ...registered, isNew: registered.status === 'created', isResumed: registered.resumed }
    },
  }),
}))

const UpdateWebhookEndpointPayload = builder.simpleObject('UpdateWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateWebhookEndpoint`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint in its current state.',
    }),
  }),
})

const DeleteWebhookEndpointPayload = builder.simpleObject('DeleteWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `deleteWebhookEndpoint`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the deleted webhook endpoint.',
    }),
  }),
})

builder.mutationFields((t) => ({
  updateWebhookEndpoint: t.field({
    type: UpdateWebhookEndpointPayload,
    description: 'Changes the URL, events or settings of a webhook endpoint.',
    args: {
      input: t.arg({
        type: UpdateWebhookEndpointInput,
        required: true,
        description: 'The webhook endpoint and its changes.',
      }),
    },
    resolve: async (_root, { input: { endpointId, events, ...patch } }, { deps, actor }) => {
      const wanted = { ...patch, ...(events != null && { events: subscriptionFlags(events) }) }
      return { endpoint: await updateEndpoint(deps, actor(), endpointId, inputOf(EndpointPatch, wanted)) }
    },
  }),
  deleteWebhookEndpoint: t.field({
    type: DeleteWebhookEndpointPayload,
    description: 'Deletes a webhook endpoint and its deliveries permanently. The endpoint can be an unregistered one.',
    args: {
      input: t.arg({
        type: DeleteWebhookEndpointInput,
        required: true,
        description: 'The webhook endpoint to delete.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => {
      await deleteEndpoint(deps, actor(), { endpointId: input.endpointId })
      return { deletedId: input.endpointId }
    },
  }),
}))

const UnregisterWebhookEndpointPayload = builder.simpleObject('UnregisterWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `unregisterWebhookEndpoint`.',
  fields: (t) => ({
    endpointId: t.id({
      description: 'The id of the webhook endpoint.',
    }),
  }),
})

builder.mutationField('unregisterWebhookEndpoint', (t) =>
  t.field({
    type: UnregisterWebhookEndpointPayload,
    description:
      'Unregisters a webhook endpoint, as its service does when it stops: no events are sent, and it is kept for 24 hours for `registerWebhookEndpoint`. Has no effect when its URL was registered again less than ten minutes ago and answers a ping, which takes up to four seconds.',
    args: {
      input: t.arg({
        type: UnregisterWebhookEndpointInput,
        required: true,
        description: 'The webhook endpoint to unregister.',
      }),
    },
    resolve: async (_root, { input: { endpointId } }, { deps, actor }) => {
      await unregisterEndpoint(deps, actor(), { endpointId })
      return { endpointId }
    },
  }),
)

const EnableWebhookEndpointPayload = builder.simpleObject('EnableWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `enableWebhookEndpoint`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint in its current state.',
    }),
  }),
})

const DisableWebhookEndpointPayload = builder.simpleObject('DisableWebhookEndpointPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `disableWebhookEndpoint`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint in its current state.',
    }),
  }),
})

builder.mutationFields((t) => ({
  enableWebhookEndpoint: t.field({
    type: EnableWebhookEndpointPayload,
    description:
      'Enables a webhook endpoint. Its pending deliveries are sent, and its earlier failures no longer count.',
    args: {
      input: t.arg({
        type: EnableWebhookEndpointInput,
        required: true,
        description: 'The webhook endpoint to enable.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await updateEndpoint(deps, actor(), input.endpointId, { isEnabled: true }),
    }),
  }),
  disableWebhookEndpoint: t.field({
    type: DisableWebhookEndpointPayload,
    description:
      'Disables a webhook endpoint. Its pending deliveries are kept, and deliveries of new events are SKIPPED.',
    args: {
      input: t.arg({
        type: DisableWebhookEndpointInput,
        required: true,
        description: 'The webhook endpoint to disable.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await updateEndpoint(deps, actor(), input.endpointId, { isEnabled: false }),
    }),
  }),
}))

const RotateWebhookSecretPayload = builder.simpleObject('RotateWebhookSecretPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `rotateWebhookSecret`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint in its current state.',
    }),
    secret: t.string({
      description: 'The new secret, 64 hexadecimal characters.',
    }),
  }),
})

const EndWebhookSecretOverlapPayload = builder.simpleObject('EndWebhookSecretOverlapPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `endWebhookSecretOverlap`.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint in its current state.',
    }),
  }),
})

builder.mutationFields((t) => ({
  rotateWebhookSecret: t.field({
    type: RotateWebhookSecretPayload,
    description:
      'Creates a new secret for a webhook endpoint. Until the overlap ends, `webhook-signature` has the signatures of both secrets, and `X-GudDesk-Signature` that of the old one. During an overlap, only a rotation with `overlapHours: 0` is allowed, which ends both old secrets.',
    args: {
      input: t.arg({
        type: RotateWebhookSecretInput,
        required: true,
        description: 'The webhook endpoint and the overlap of its secrets.',
      }),
    },
    resolve: (_root, { input }, { deps, actor }) =>
      rotateWebhookSecret(deps, actor(), inputOf(RotateSecret, omitNull(input))),
  }),
  endWebhookSecretOverlap: t.field({
    type: EndWebhookSecretOverlapPayload,
    description: 'Ends the overlap of a secret rotation: from now on, only the new secret signs.',
    args: {
      input: t.arg({
        type: EndWebhookSecretOverlapInput,
        required: true,
        description: 'The webhook endpoint, whose receiver knows the new secret.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      endpoint: await endWebhookSecretOverlap(deps, actor(), input),
    }),
  }),
}))

builder.queryField('webhookEndpoints', (t) =>
  t.field({
    type: WebhookEndpointConnection,
    description: 'The webhook endpoints of the workspace, newest first. The key of an agent only sees its own.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listEndpoints(deps, actor(), pageRequest(page, budget))),
  }),
)

builder.queryField('unregisteredWebhookEndpoints', (t) =>
  t.field({
    type: [UnregisteredWebhookEndpoint],
    description:
      'The webhook endpoints that their services have unregistered less than a day ago, latest first. At most 100.',
    resolve: (_root, _args, { deps, actor }) => listUnregistered(deps, actor()),
  }),
)
