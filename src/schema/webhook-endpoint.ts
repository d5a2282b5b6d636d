import { subscribedEvents } from '../domain/events/events.ts'
import { managedEndpoints } from '../domain/shared/authorization.ts'
import { fieldOf } from '../domain/shared/field.ts'
import { CreateEndpoint, EndpointColumns, EndpointPatch } from '../domain/webhooks/endpoint-input.ts'
import type { UnregisteredEndpoint } from '../domain/webhooks/unregistered-endpoints.ts'
import { type BreakerOf, breakerOf, rotationOf } from '../domain/webhooks/webhook-endpoints.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { BreakerState, DisabledReason, EndpointOrdering, SubscribableEvent, WebhookEventType } from './enums.ts'
import { inputFields, outputFields } from './fields.ts'

const EVENTS = fieldOf(EndpointPatch.shape.events).description ?? ''

const SecretRotation = builder.objectRef<{ readonly overlapEndsAt: Date }>('SecretRotation').implement({
  description: 'A secret rotation in progress: both the new and the previous secret sign webhooks.',
  fields: (t) => ({
    overlapEndsAt: t.expose('overlapEndsAt', {
      type: 'DateTime',
      description:
        'The time when the previous secret expires, unless `endWebhookSecretOverlap` ends the overlap earlier.',
    }),
  }),
})

const Breaker = builder.objectRef<BreakerOf>('Breaker').implement({
  description:
    'The circuit breaker of a webhook endpoint: it holds back requests while the receiver is down or overloaded. Deliveries that wait for it use no attempts.',
  fields: (t) => ({
    state: t.expose('state', { type: BreakerState, description: 'The state of the circuit breaker.' }),
    openedAt: t.expose('openedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the circuit breaker opened. Null while it is closed.',
    }),
    nextProbeAt: t.expose('nextProbeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time of the next request that tests the receiver. Null while the circuit breaker is closed.',
    }),
  }),
})

export const WebhookEndpoint = builder.prismaNode('WebhookEndpoint', {
  nullable: true,
  description:
    'A URL that receives signed events, with its settings and state. The secret is only returned when it is registered or rotated.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...managedEndpoints(context.actor()) }),
  fields: (t) => ({
    ...outputFields(t, EndpointColumns.shape, {
      url: 'URL',
      agentId: 'ID',
      disabledReason: DisabledReason,
      ordering: EndpointOrdering,
    }),
    secretRotation: t.field({
      type: SecretRotation,
      nullable: true,
      description: 'The secret rotation in progress. Null when there is none.',
      resolve: (endpoint, _args, { deps }) => rotationOf(endpoint, deps.clock.now()),
    }),
    events: t.field({
      type: [SubscribableEvent],
      description: EVENTS,
      resolve: subscribedEvents,
    }),
    breaker: t.field({
      type: Breaker,
      description: 'The circuit breaker of the endpoint.',
      resolve: (endpoint, _args, { deps }) => breakerOf(endpoint, deps.clock.steady()),
    }),
  }),
})

export const WebhookEndpointConnection = connectionOf(WebhookEndpoint, 'WebhookEndpoint')

export const UnregisteredWebhookEndpoint = builder
  .objectRef<UnregisteredEndpoint>('UnregisteredWebhookEndpoint')
  .implement({
    description:
      'A webhook endpoint that its service has unregistered. It receives no events, and resumes when its URL is registered again.',
    fields: (t) => ({
      endpointId: t.exposeID('id', { description: 'The id of the endpoint, for `deleteWebhookEndpoint`.' }),
      url: t.expose('url', { type: 'URL', description: 'The URL that received the events.' }),
      agentId: t.exposeID('agentId', {
        nullable: true,
        description: EndpointColumns.shape.agentId.description ?? '',
      }),
      unregisteredAt: t.expose('unregisteredAt', {
        type: 'DateTime',
        description: 'The time when the endpoint was unregistered.',
      }),
      keptUntil: t.expose('keptUntil', {
        type: 'DateTime',
        description: 'The time when the endpoint and its deliveries are removed, unless it is registered again.',
      }),
    }),
  })

/** GraphQL lists the events, where the operations take a flag for each. */
const { events: _created, ...created } = CreateEndpoint.shape
const { events: _patched, ...patched } = EndpointPatch.shape
const INPUT_TYPES = { url: 'URL', ordering: EndpointOrdering } as const

export const RegisterWebhookEndpointInput = builder.inputType('RegisterWebhookEndpointInput', {
  description: 'Input of `registerWebhookEndpoint`.',
  fields: (t) => ({
    ...inputFields(t, created, INPUT_TYPES),
    events: t.field({
      type: [SubscribableEvent],
      description: `${EVENTS} MESSAGE_CREATED and CONVERSATION_CREATED by default.`,
    }),
  }),
})

export const UpdateWebhookEndpointInput = builder.inputType('UpdateWebhookEndpointInput', {
  description: 'Input of `updateWebhookEndpoint`. Fields that are left out do not change. Null removes a value.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }),
    ...inputFields(t, patched, INPUT_TYPES),
    events: t.field({ type: [SubscribableEvent], description: EVENTS }),
  }),
})

export const DeleteWebhookEndpointInput = builder.inputType('DeleteWebhookEndpointInput', {
  description: 'Input of `deleteWebhookEndpoint`.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }) }),
})

export const UnregisterWebhookEndpointInput = builder.inputType('UnregisterWebhookEndpointInput', {
  description: 'Input of `unregisterWebhookEndpoint`.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }) }),
})

export const EnableWebhookEndpointInput = builder.inputType('EnableWebhookEndpointInput', {
  description: 'Input of `enableWebhookEndpoint`.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }) }),
})

export const DisableWebhookEndpointInput = builder.inputType('DisableWebhookEndpointInput', {
  description: 'Input of `disableWebhookEndpoint`.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }) }),
})

export const RotateWebhookSecretInput = builder.inputType('RotateWebhookSecretInput', {
  description: 'Input of `rotateWebhookSecret`.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }),
    overlapHours: t.int({
      defaultValue: 24,
      description: 'The number of hours for which the old secret also signs, 0 to 168. 0 ends it immediately.',
    }),
  }),
})

export const EndWebhookSecretOverlapInput = builder.inputType('EndWebhookSecretOverlapInput', {
  description: 'Input of `endWebhookSecretOverlap`.',
  fields: (t) => ({ endpointId: t.id({ required: true, description: 'The id of the webhook endpoint.' }) }),
})

export const SendTestEventInput = builder.inputType('SendTestEventInput', {
  description: 'Input of `sendTestEvent`.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The id of the webhook endpoint, which can be disabled.' }),
    type: t.field({ type: WebhookEventType, required: true, description: 'The type of the test event.' }),
  }),
})

export const ReplayFailedDeliveriesInput = builder.inputType('ReplayFailedDeliveriesInput', {
  description: 'Input of `replayFailedDeliveries`.',
  fields: (t) => ({
    endpointId: t.id({ required: true, description: 'The id of the webhook endpoint, which must be enabled.' }),
    since: t.field({
      type: 'DateTime',
      required: true,
      description: 'Replays only deliveries of events that happened at this time or later.',
    }),
    includeSkipped: t.boolean({
      defaultValue: false,
      description: 'Whether to also send events that were skipped because the endpoint or its agent was disabled.',
    }),
  }),
})
