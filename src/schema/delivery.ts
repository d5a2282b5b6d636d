import { visibleDeliveries } from '../domain/deliveries/deliveries.ts'
import { type DeliveryOwner, sizeOfDelivery } from '../domain/deliveries/deliveries-of.ts'
import { DeliveryFilter } from '../domain/deliveries/delivery-filter.ts'
import type { WebhookEventType as WebhookEventTypeName } from '../domain/events/events.ts'
import { ownedPage } from '../domain/shared/page-sql.ts'
import { DeliveryStatus as Statuses } from '../generated/prisma/enums.ts'
import { builder } from './builder.ts'
import { connectionOf, type PageArgs, pageArgs, pageRequest, toConnection } from './connection.ts'
import type { Context } from './context.ts'
import { Conversation } from './conversation.ts'
import { WebhookEventType } from './enums.ts'
import { inputFields } from './fields.ts'
import { readerOf } from './loaders.ts'
import { TimeRange } from './time-range.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'

export const DeliveryStatus = builder.enumType(Statuses, {
  name: 'DeliveryStatus',
  description: 'The state of a delivery.',
  values: {
    PENDING: { description: 'The delivery is waiting for its next attempt, or is being sent.' },
    DELIVERED: { description: 'The receiver accepted the event.' },
    FAILED: { description: 'The last attempt failed. There will be no other one unless the delivery is replayed.' },
    SKIPPED: { description: 'The endpoint or its agent was disabled when the event happened.' },
  } satisfies Record<Statuses, { description: string }>,
})

/** A delivery has eight attempts, and as many again whenever it is replayed. */
const MAX_ATTEMPTS = 100

const DeliveryAttempt = builder.prismaObject('DeliveryAttempt', {
  description: 'One HTTP request of a delivery, with its result.',
  fields: (t) => ({
    id: t.id({
      description:
        'The id of the attempt, which never changes: the id of the delivery, a full stop, and the number. `node` does not find it.',
      resolve: ({ deliveryId, number }) => `${deliveryId}.${number}`,
    }),
    number: t.exposeInt('number', {
      description: 'The number of the attempt, starting at 1. Sent as the header `X-GudDesk-Attempt`.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'The time when the request was sent.' }),
    durationMs: t.exposeInt('durationMs', {
      description: 'The time until the response was complete, in milliseconds.',
    }),
    statusCode: t.exposeInt('statusCode', {
      nullable: true,
      description: 'The HTTP status of the response. Null when there was no response.',
    }),
    response: t.exposeString('response', {
      nullable: true,
      description: 'The first 4 kB of the response body. Null when there was none.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'The reason of the failure. Null when the attempt succeeded, or when the HTTP status is the reason.',
    }),
    isResent: t.exposeBoolean('isResent', {
      description:
        'Whether the request was sent twice, because the receiver closed the reused connection on which it was sent first.',
    }),
  }),
})

export const Delivery = builder.prismaNode('Delivery', {
  nullable: true,
  description: 'The delivery of one event to one webhook endpoint.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleDeliveries(context.actor()) }),
  include: { event: true },
  fields: (t) => ({
    status: t.expose('status', { type: DeliveryStatus, description: 'The state of the delivery.' }),
    eventId: t.exposeID('eventId', { description: 'The id of the event that is delivered.' }),
    eventType: t.field({
      type: WebhookEventType,
      description: 'The type of the event.',
      resolve: ({ event }) => event.type as WebhookEventTypeName,
    }),
    body: t.string({
      description: 'The exact request body that is signed and sent.',
      resolve: ({ event }, _args, { budget }) => budget.spend(event.body),
    }),
    conversationId: t.exposeID('conversationId', {
      nullable: true,
      description: 'The id of the conversation that the event is about. Null when there is none.',
    }),
    endpoint: t.relation('endpoint', {
      type: WebhookEndpoint,
      description: 'The webhook endpoint that the event is delivered to.',
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'The conversation that the event is about. Null when there is none, or when it was deleted.',
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId === null ? null : loaders.conversations.load(conversationId),
    }),
    durationMs: t.int({
      nullable: true,
      description: 'The duration of the latest attempt, in milliseconds. Null when there was no attempt.',
      resolve: async ({ id }, _args, { loaders }) => (await loaders.lastAttempts.load(id))?.durationMs ?? null,
    }),
    lastStatusCode: t.int({
      nullable: true,
      description: 'The HTTP status of the latest attempt. Null when there was no attempt, or no response.',
      resolve: async ({ id }, _args, { loaders }) => (await loaders.lastAttempts.load(id))?.statusCode ?? null,
    }),
    attemptCount: t.exposeInt('attempts', { description: 'The number of attempts so far.' }),
    attempts: t.relation('attemptLog', {
      type: DeliveryAttempt,
      description: `The latest attempts of the delivery, at most ${MAX_ATTEMPTS}, oldest first.`,
      query: { orderBy: { number: 'asc' }, take: -MAX_ATTEMPTS },
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'The time of the next attempt. In the past while the delivery waits for its turn or is being sent. Null when it is finished.',
    }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether the event is a test event.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the delivery finished. Null while it is pending.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the event happened.' }),
  }),
})

export const DeliveryConnection = connectionOf(Delivery, 'Delivery')

/** Resolves the deliveries of an object that has some. */
export function deliveriesPage(owner: DeliveryOwner) {
  return async ({ id }: { id: string }, page: PageArgs, { loaders, budget }: Context) => {
    const reader = { ...readerOf(loaders.deliveries[owner], id), sizeOf: sizeOfDelivery }
    return toConnection(await ownedPage(pageRequest(page, budget), reader))
  }
}

builder.prismaObjectField(Conversation, 'deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description:
      'The webhook deliveries of the events of the conversation, newest first. The key of an agent only sees those to its own endpoints. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: deliveriesPage('conversation'),
  }),
)

builder.prismaObjectField(WebhookEndpoint, 'deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description:
      'The deliveries to the endpoint, newest first, including those of test events. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: deliveriesPage('endpoint'),
  }),
)

export const DeliveryFilterInput = builder.inputType('DeliveryFilter', {
  description: 'Conditions on deliveries. All of them must hold.',
  fields: (t) =>
    inputFields(t, DeliveryFilter.shape, {
      statuses: DeliveryStatus,
      endpointId: 'ID',
      agentId: 'ID',
      eventTypes: WebhookEventType,
      conversationId: 'ID',
      createdAt: TimeRange,
    }),
})

export const ReplayDeliveryInput = builder.inputType('ReplayDeliveryInput', {
  description: 'Input of `replayDelivery`.',
  fields: (t) => ({ deliveryId: t.id({ required: true, description: 'The id of the delivery.' }) }),
})
