import { visibleDeliveries } from '../domain/deliveries/deliveries.ts'
import type { EventType as EventTypeName } from '../domain/events/events.ts'
import { DeliveryStatus as Statuses } from '../generated/prisma/enums.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { Conversation } from './conversation.ts'
import { EventType } from './enums.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'

export const DeliveryStatus = builder.enumType(Statuses, {
  name: 'DeliveryStatus',
  description: 'How far a delivery has come: PENDING is waiting or being sent, SKIPPED met a disabled endpoint.',
})

const DeliveryAttempt = builder.prismaObject('DeliveryAttempt', {
  description: 'One try to send.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1, 2, …: X-GudDesk-Attempt.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was sent.' }),
    durationMs: t.exposeInt('durationMs', { description: 'Until the answer was complete, in milliseconds.' }),
    statusCode: t.exposeInt('statusCode', { nullable: true, description: 'HTTP status; null without an answer.' }),
    response: t.exposeString('response', { nullable: true, description: "The first 4 kB of the answer's body." }),
    error: t.exposeString('error', { nullable: true, description: 'Why it failed, where the status does not say it.' }),
    isResent: t.exposeBoolean('isResent', {
      description: 'Whether it went out twice: the receiver was closing the kept connection that it went out on first.',
    }),
  }),
})

export const Delivery = builder.prismaNode('Delivery', {
  nullable: true,
  description: "One event's way to one endpoint.",
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleDeliveries(context.actor()) }),
  include: { event: true },
  fields: (t) => ({
    status: t.expose('status', { type: DeliveryStatus, description: 'How far it has come.' }),
    eventId: t.exposeID('eventId', { description: 'The event that it carries.' }),
    eventType: t.field({
      type: EventType,
      description: 'What kind of event.',
      resolve: ({ event }) => event.type as EventTypeName,
    }),
    body: t.string({
      description: 'The exact text that is signed and sent.',
      resolve: ({ event }, _args, { budget }) => budget.spend(event.body),
    }),
    conversationId: t.exposeID('conversationId', { nullable: true, description: 'In which conversation it happened.' }),
    endpoint: t.relation('endpoint', { type: WebhookEndpoint, description: 'Where it is sent.' }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'In which conversation it happened; null when it is no more.',
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId === null ? null : loaders.conversations.load(conversationId),
    }),
    durationMs: t.int({
      nullable: true,
      description: 'How long the last attempt took, in milliseconds; null before the first.',
      resolve: async ({ id }, _args, { loaders }) => (await loaders.lastAttempts.load(id))?.durationMs ?? null,
    }),
    lastStatusCode: t.int({
      nullable: true,
      description: "The last attempt's HTTP status; null before the first, and when no answer came.",
      resolve: async ({ id }, _args, { loaders }) => (await loaders.lastAttempts.load(id))?.statusCode ?? null,
    }),
    attemptCount: t.exposeInt('attempts', { description: 'Attempts so far.' }),
    attempts: t.relation('attemptLog', {
      type: DeliveryAttempt,
      description: 'Every attempt, the first one first.',
      query: { orderBy: { number: 'asc' } },
    }),
    nextAttemptAt: t.expose('due', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it is tried next; in the past while it waits for its turn or is being sent; null when finished.',
    }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether it carries a test event, sent on request.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the event happened.' }),
  }),
})

export const DeliveryConnection = connectionOf(Delivery, 'Delivery')

export const DeliveryFilterInput = builder.inputType('DeliveryFilter', {
  description: 'Which deliveries; all conditions must hold.',
  fields: (t) => ({
    status: t.field({ type: [DeliveryStatus], description: 'In one of these states.' }),
    endpointId: t.id({ description: 'Sent to this endpoint.' }),
    agentId: t.id({ description: "Sent to one of this agent's endpoints." }),
    eventType: t.field({ type: [EventType], description: 'Carrying one of these kinds of events.' }),
    conversationId: t.id({ description: 'About this conversation.' }),
    isTest: t.boolean({ description: 'Only tests, or only real ones; both when left out.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Made after this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Made before this.' }),
  }),
})

export const ReplayDeliveryInput = builder.inputType('ReplayDeliveryInput', {
  description: 'A delivery to send once more.',
  fields: (t) => ({ deliveryId: t.id({ required: true, description: 'A finished one.' }) }),
})
