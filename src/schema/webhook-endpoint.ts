import { managedEndpoints } from '../domain/shared/authorization.ts'
import type { UnregisteredEndpoint } from '../domain/webhooks/unregistered-endpoints.ts'
import {
  type BreakerOf,
  breakerOf,
  type DisabledReason as DisabledReasonName,
  rotationOf,
} from '../domain/webhooks/webhook-endpoints.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { BreakerState, DisabledReason, EndpointOrdering, WebhookEventType } from './enums.ts'

const SecretRotation = builder.objectRef<{ readonly overlapEndsAt: Date }>('SecretRotation').implement({
  description: 'Two secrets sign: the new one and the one before.',
  fields: (t) => ({
    overlapEndsAt: t.expose('overlapEndsAt', {
      type: 'DateTime',
      description: 'When the secret before ends, unless endWebhookSecretOverlap ends it earlier.',
    }),
  }),
})

const Breaker = builder.objectRef<BreakerOf>('Breaker').implement({
  description: 'Keeps requests from a receiver that is away or overloaded. What waits for it spends no attempts.',
  fields: (t) => ({
    state: t.expose('state', { type: BreakerState, description: 'Whether requests go out.' }),
    openedAt: t.expose('openedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it stopped letting requests out; null while it is closed.',
    }),
    nextProbeAt: t.expose('nextProbeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next single request may try the receiver; null while it is closed.',
    }),
  }),
})

export const WebhookEndpoint = builder.prismaNode('WebhookEndpoint', {
  nullable: true,
  description: 'A URL that receives signed events. Its secret is shown only when it is registered.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...managedEndpoints(context.actor()) }),
  fields: (t) => ({
    url: t.expose('url', { type: 'URL', description: 'Where events are sent.' }),
    description: t.exposeString('description', { nullable: true, description: 'For people.' }),
    agentId: t.exposeID('agentId', { nullable: true, description: 'The agent that it belongs to.' }),
    isEnabled: t.exposeBoolean('isEnabled', { description: 'Whether events are sent.' }),
    disabledReason: t.field({
      type: DisabledReason,
      nullable: true,
      description: 'Why it was disabled automatically; null while it is enabled, and when somebody disabled it.',
      resolve: ({ disabledReason }) => disabledReason as DisabledReasonName | null,
    }),
    secretRotation: t.field({
      type: SecretRotation,
      nullable: true,
      description: 'The rotation of its secret that is under way; null otherwise.',
      resolve: (endpoint, _args, { deps }) => rotationOf(endpoint, deps.clock.now()),
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
    breaker: t.field({
      type: Breaker,
      description: 'Whether requests go to it, or its receiver is given time.',
      resolve: (endpoint, _args, { deps }) => breakerOf(endpoint, deps.clock.steady()),
    }),
    lastSuccessAt: t.expose('lastSuccessAt', { type: 'DateTime', nullable: true, description: 'The last success.' }),
    lastFailureAt: t.expose('lastFailureAt', { type: 'DateTime', nullable: true, description: 'The last failure.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
  }),
})

export const WebhookEndpointConnection = connectionOf(WebhookEndpoint, 'WebhookEndpoint')

export const UnregisteredWebhookEndpoint = builder
  .objectRef<UnregisteredEndpoint>('UnregisteredWebhookEndpoint')
  .implement({
    description:
      'An endpoint that its service has unregistered: nothing is sent, and registering its URL gives it back.',
    fields: (t) => ({
      endpointId: t.exposeID('id', { description: "The endpoint's id, which deleteWebhookEndpoint takes." }),
      url: t.expose('url', { type: 'URL', description: 'Where events were sent.' }),
      agentId: t.exposeID('agentId', { nullable: true, description: 'The agent that it belongs to.' }),
      unregisteredAt: t.expose('unregisteredAt', { type: 'DateTime', description: 'Since when.' }),
      keptUntil: t.expose('keptUntil', {
        type: 'DateTime',
        description: 'When it is removed with what waits for it, unless it is registered again.',
      }),
    }),
  })

export const EventFlagsInput = builder.inputType('EventFlagsInput', {
  description: 'Which events an endpoint receives.',
  fields: (t) => ({
    onMessageCreated: t.boolean({ description: 'message.created; true when left out.' }),
    onConversationCreated: t.boolean({ description: 'conversation.created; true when left out.' }),
    onConversationClosed: t.boolean({ description: 'conversation.closed; false when left out.' }),
    onConversationAssigned: t.boolean({ description: 'conversation.assigned; false when left out.' }),
  }),
})

export const RegisterWebhookEndpointInput = builder.inputType('RegisterWebhookEndpointInput', {
  description: 'Registers a URL; again for the same URL gives the same endpoint.',
  fields: (t) => ({
    url: t.field({ type: 'URL', required: true, description: 'Absolute; https in production.' }),
    description: t.string({ description: 'For people.' }),
    events: t.field({ type: EventFlagsInput, description: 'Which events.' }),
    maxInFlight: t.int({ description: 'Requests that it may have in flight at once: 1 to 100; 10 when left out.' }),
    ordering: t.field({ type: EndpointOrdering, description: 'What follows a failed attempt; RELAXED when left out.' }),
    resumeWithinSeconds: t.int({
      description:
        'When it was unregistered: how long ago events may have happened that it is sent now, 0 to 86,400; 3,600 when left out.',
    }),
  }),
})

export const UpdateWebhookEndpointInput = builder.inputType('UpdateWebhookEndpointInput', {
  description: 'What to change; fields left out stay as they are.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Which endpoint.' }),
    url: t.field({ type: 'URL', description: 'Absolute; https in production.' }),
    description: t.string({ description: 'For people; null clears it.' }),
    isEnabled: t.boolean({ description: 'Enabling resumes what waits for it.' }),
    events: t.field({ type: EventFlagsInput, description: 'Which events.' }),
    maxInFlight: t.int({ description: 'Requests that it may have in flight at once: 1 to 100.' }),
    ordering: t.field({ type: EndpointOrdering, description: 'What follows a failed attempt.' }),
  }),
})

export const DeleteWebhookEndpointInput = builder.inputType('DeleteWebhookEndpointInput', {
  description: 'An endpoint to remove with its deliveries, for good; it may be unregistered.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'Which endpoint.' }) }),
})

export const EnableWebhookEndpointInput = builder.inputType('EnableWebhookEndpointInput', {
  description: 'An endpoint to enable.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'Which endpoint.' }) }),
})

export const DisableWebhookEndpointInput = builder.inputType('DisableWebhookEndpointInput', {
  description: 'An endpoint to disable.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'Which endpoint.' }) }),
})

export const RotateWebhookSecretInput = builder.inputType('RotateWebhookSecretInput', {
  description: 'An endpoint that gets a new secret.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Which endpoint.' }),
    overlapHours: t.int({
      defaultValue: 24,
      description: 'How long the old secret goes on signing beside the new one: 0 to 168; 0 ends it at once.',
    }),
  }),
})

export const EndWebhookSecretOverlapInput = builder.inputType('EndWebhookSecretOverlapInput', {
  description: 'An endpoint whose receiver knows the new secret.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'Which endpoint.' }) }),
})

export const SendTestEventInput = builder.inputType('SendTestEventInput', {
  description: 'A test of an endpoint.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Which endpoint; it may be disabled.' }),
    type: t.field({ type: WebhookEventType, required: true, description: 'Which kind of event, with sample data.' }),
  }),
})

export const ReplayFailedDeliveriesInput = builder.inputType('ReplayFailedDeliveriesInput', {
  description: 'Which deliveries of an endpoint to send once more.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'Which endpoint; it must be enabled.' }),
    since: t.field({ type: 'DateTime', required: true, description: 'Those made at this time or later.' }),
    includeSkipped: t.boolean({
      defaultValue: false,
      description: 'Also what it missed because it or its agent was disabled.',
    }),
  }),
})
