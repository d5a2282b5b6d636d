import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { EndpointOrdering } from './enums.ts'

export const WebhookEndpoint = builder.prismaNode('WebhookEndpoint', {
  nullable: true,
  description: 'A URL that receives signed events. Its secret is shown only when it is registered.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where events are sent.' }),
    description: t.exposeString('description', { nullable: true, description: 'For people.' }),
    agentId: t.exposeID('agentId', { nullable: true, description: 'The agent that it belongs to.' }),
    isEnabled: t.exposeBoolean('isEnabled', { description: 'Whether events are sent.' }),
    disabledReason: t.exposeString('disabledReason', {
      nullable: true,
      description: '"gone" (the receiver answered 410) or "failing" (five days of nothing but failure).',
    }),
    onMessageCreated: t.exposeBoolean('onMessageCreated', { description: 'Receives message.created.' }),
    onConversationCreated: t.exposeBoolean('onConversationCreated', { description: 'Receives conversation.created.' }),
    onConversationClosed: t.exposeBoolean('onConversationClosed', { description: 'Receives conversation.closed.' }),
    onConversationAssigned: t.exposeBoolean('onConversationAssigned', {
      description: 'Receives conversation.assigned.',
    }),
    maxInFlight: t.exposeInt('maxInFlight', { description: 'Requests that it may have in flight at once.' }),
    ordering: t.expose('ordering', { type: EndpointOrdering, description: 'What follows a failed attempt.' }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'The first failure since the last success; null while the last attempt succeeded.',
    }),
    consecutiveFailures: t.exposeInt('consecutiveFailures', { description: 'Failed attempts since the last success.' }),
    lastSuccessAt: t.expose('lastSuccessAt', { type: 'DateTime', nullable: true, description: 'The last success.' }),
    lastFailureAt: t.expose('lastFailureAt', { type: 'DateTime', nullable: true, description: 'The last failure.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
  }),
})

export const WebhookEndpointConnection = connectionOf(WebhookEndpoint, 'WebhookEndpoint')

export const EventFlagsInput = builder.inputType('EventFlagsInput', {
  description: 'Which events an endpoint receives.',
  fields: (t) => ({
    onMessageCreated: t.boolean({ description: 'message.created; true when left out.' }),
    onConversationCreated: t.boolean({ description: 'conversation.created; true when left out.' }),
    onConversationClosed: t.boolean({ description: 'conversation.closed; false when left out.' }),
    onConversationAssigned: t.boolean({ description: 'conversation.assigned; false when left out.' }),
  }),
})

export const CreateWebhookEndpointInput = builder.inputType('CreateWebhookEndpointInput', {
  description: 'Registers a URL; again for the same URL gives the same endpoint.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Absolute; https in production.' }),
    description: t.string({ description: 'For people.' }),
    events: t.field({ type: EventFlagsInput, description: 'Which events.' }),
    maxInFlight: t.int({ description: 'Requests that it may have in flight at once: 1 to 100; 10 when left out.' }),
    ordering: t.field({ type: EndpointOrdering, description: 'What follows a failed attempt; RELAXED when left out.' }),
  }),
})

export const UpdateWebhookEndpointInput = builder.inputType('UpdateWebhookEndpointInput', {
  description: 'What to change; fields left out stay as they are.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Which endpoint.' }),
    url: t.string({ description: 'Absolute; https in production.' }),
    description: t.string({ description: 'For people; null clears it.' }),
    isEnabled: t.boolean({ description: 'Enabling resumes what waits for it.' }),
    events: t.field({ type: EventFlagsInput, description: 'Which events.' }),
    maxInFlight: t.int({ description: 'Requests that it may have in flight at once: 1 to 100.' }),
    ordering: t.field({ type: EndpointOrdering, description: 'What follows a failed attempt.' }),
  }),
})

export const DeleteWebhookEndpointInput = builder.inputType('DeleteWebhookEndpointInput', {
  description: 'An endpoint to remove with its deliveries.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'Which endpoint.' }) }),
})
