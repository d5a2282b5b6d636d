import { conversationEvents } from '../domain/events/read-events.ts'
import type { EventUpdate as EventUpdateOf } from '../live/event-log.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Conversation } from './conversation.ts'
import { Delivery, DeliveryConnection, deliveriesPage } from './delivery.ts'
import { EventType } from './enums.ts'
import { Event } from './event.ts'
import { readerOf } from './loaders.ts'

export const EventConnection = connectionOf(Event, 'Event')

export const EventUpdate = builder.objectRef<EventUpdateOf>('EventUpdate').implement({
  description: 'An event of the log as it happens, with its position.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description:
        'The position of the event in the log, the same text as the cursor of its edge. Pass it as `after` to the query or the subscription `events` to continue from here.',
    }),
    event: t.field({ type: Event, description: 'The event that happened.', resolve: ({ event }) => event }),
  }),
})

builder.interfaceField(Event, 'deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description:
      'The webhook deliveries of the event, newest first. The key of an agent only sees those to its own endpoints. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: deliveriesPage('event'),
  }),
)

builder.prismaObjectField(Conversation, 'events', (t) =>
  t.field({
    type: EventConnection,
    description: 'The events of the conversation, oldest first. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { loaders, budget }) =>
      toConnection(await conversationEvents(pageRequest(page, budget), readerOf(loaders.conversationEvents, id))),
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
