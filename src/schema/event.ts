import type { LoggedEvent } from '../domain/events/event-position.ts'
import { dataVisibleTo, type EventType as EventTypeName } from '../domain/events/events.ts'
import { conversationEvents } from '../domain/events/read-events.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Conversation } from './conversation.ts'
import { Delivery } from './delivery.ts'
import { EventType } from './enums.ts'
import { loadMany } from './loaders.ts'

export const Event = builder.objectRef<LoggedEvent>('Event')

builder.node(Event, {
  description: 'Something that happened.',
  id: { resolve: ({ id }) => id },
  loadMany: async (ids, { loaders }) => {
    const found = await loadMany(loaders.events, ids)
    return ids.map((id) => found.get(id) ?? null)
  },
  fields: (t) => ({
    type: t.field({ type: EventType, description: 'What kind.', resolve: ({ type }) => type as EventTypeName }),
    conversationId: t.exposeID('conversationId', { nullable: true, description: 'In which conversation.' }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'In which conversation; null when it is no more.',
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId === null ? null : loaders.conversations.load(conversationId),
    }),
    data: t.field({
      type: 'JSON',
      description: "The webhook payload's data. An agent's key is not told where other agents' endpoints are.",
      resolve: ({ type, body }, _args, { actor, budget }) => {
        const { data } = JSON.parse(budget.spend(body)) as { data: Record<string, unknown> }
        return dataVisibleTo(actor(), type, data)
      },
    }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether it is sample data that was sent to test an endpoint.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
    cursor: t.exposeString('cursor', {
      description: 'Resume after this event; when it has only just happened, perhaps with it: nothing is left out.',
    }),
  }),
})

export const EventConnection = connectionOf(Event, 'Event')

builder.prismaObjectField(Conversation, 'events', (t) =>
  t.field({
    type: EventConnection,
    description: 'What happened in it, oldest first.',
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
    description: 'The event that it carries.',
    resolve: ({ eventId }, _args, { loaders }) => loaders.events.load(eventId),
  }),
)

export const EventFilterInput = builder.inputType('EventFilter', {
  description: 'Which events; all conditions must hold.',
  fields: (t) => ({
    types: t.field({ type: [EventType], description: 'Only these kinds.' }),
    conversationId: t.id({ description: 'Only those of one conversation.' }),
    includeTests: t.boolean({ description: 'Test events too; false when left out.' }),
  }),
})
