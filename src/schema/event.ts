import { sizeOfDelivery } from '../domain/deliveries/deliveries-of.ts'
import type { LoggedEvent } from '../domain/events/event-position.ts'
import { actorOf, dataVisibleTo, type EventType as EventTypeName } from '../domain/events/events.ts'
import { conversationEvents } from '../domain/events/read-events.ts'
import { ownedPage } from '../domain/shared/page-sql.ts'
import { Actor, resolveActor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Conversation } from './conversation.ts'
import { Delivery, DeliveryConnection } from './delivery.ts'
import { EventType } from './enums.ts'
import { loadMany, readerOf } from './loaders.ts'

export const Event = builder.objectRef<LoggedEvent>('Event')

builder.node(Event, {
  description: 'An event of the log: an immutable record of a change in the workspace.',
  id: { resolve: ({ id }) => id },
  loadMany: async (ids, { loaders }) => {
    const found = await loadMany(loaders.events, ids)
    return ids.map((id) => found.get(id) ?? null)
  },
  fields: (t) => ({
    type: t.field({
      type: EventType,
      description: 'The type of the event.',
      resolve: ({ type }) => type as EventTypeName,
    }),
    conversationId: t.exposeID('conversationId', {
      nullable: true,
      description: 'The id of the conversation that the event is about. Null for an event without a conversation.',
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description:
        'The conversation that the event is about. Null when the event has none, or when the conversation was deleted.',
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId === null ? null : loaders.conversations.load(conversationId),
    }),
    data: t.field({
      type: 'JSONObject',
      description:
        'The `data` of the webhook payload. For the key of an agent, it leaves out the URLs of endpoints that belong to others.',
      resolve: ({ type, body }, _args, { actor, budget }) => {
        const { data } = JSON.parse(budget.spend(body)) as { data: Record<string, unknown> }
        return dataVisibleTo(actor(), type, data)
      },
    }),
    actor: t.field({
      type: Actor,
      description: 'The actor that caused the event.',
      resolve: ({ body }, _args, context) => resolveActor(actorOf(body), context),
    }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether the event is a test event, with sample data.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the event happened.' }),
    cursor: t.exposeString('cursor', {
      description:
        'The position of the event in the log. Pass it as `after` to read on from here. Right after the event happened, reading on can return the event again, but misses no event.',
    }),
  }),
})

builder.objectField(Event, 'deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description:
      'The webhook deliveries of the event, newest first. The key of an agent only sees those to its own endpoints. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { loaders, budget }) => {
      const reader = { ...readerOf(loaders.deliveries.event, id), sizeOf: sizeOfDelivery }
      return toConnection(await ownedPage(pageRequest(page, budget), reader))
    },
  }),
)

export const EventConnection = connectionOf(Event, 'Event')

builder.prismaObjectField(Conversation, 'events', (t) =>
  t.field({
    type: EventConnection,
    description: 'The events of the conversation, oldest first. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { loaders, budget }) =>
      toConnection(
        await conversationEvents(pageRequest(page, budget), {
          find: (range) => loaders.conversationEvents.load([id, range]),
          count: async () => (await loaders.conversationEventCounts.load(id)) ?? 0,
        }),
      ),
  }),
)

builder.prismaObjectField(Delivery, 'event', (t) =>
  t.field({
    type: Event,
    nullable: true,
    description: 'The event that is delivered. Null when the event was removed.',
    resolve: ({ eventId }, _args, { loaders }) => loaders.events.load(eventId),
  }),
)

export const EventFilterInput = builder.inputType('EventFilter', {
  description: 'Conditions on events. All of them must hold.',
  fields: (t) => ({
    types: t.field({ type: [EventType], description: 'Events of one of these types. All types by default.' }),
    conversationId: t.id({ description: 'Events of the conversation with this id.' }),
    includeTests: t.boolean({ description: 'Whether to include test events. False by default.' }),
  }),
})
