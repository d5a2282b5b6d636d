import type { LoggedEvent } from '../domain/event-position.ts'
import type { EventType as EventTypeName } from '../domain/events.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { EventType } from './enums.ts'

export const Event = builder.objectRef<LoggedEvent>('Event').implement({
  description: 'Something that happened.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique.' }),
    type: t.field({ type: EventType, description: 'What kind.', resolve: ({ type }) => type as EventTypeName }),
    conversationId: t.exposeID('conversationId', { nullable: true, description: 'In which conversation.' }),
    data: t.field({
      type: 'JSON',
      description: "The webhook payload's data.",
      resolve: ({ body }) => (JSON.parse(body) as { data: unknown }).data,
    }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether it is sample data that was sent to test an endpoint.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
    cursor: t.exposeString('cursor', { description: 'Resume after this event.' }),
  }),
})

export const EventConnection = connectionOf(Event, 'Event')

export const EventFilterInput = builder.inputType('EventFilter', {
  description: 'Which events; all conditions must hold.',
  fields: (t) => ({
    types: t.field({ type: [EventType], description: 'Only these kinds.' }),
    conversationId: t.id({ description: 'Only those of one conversation.' }),
    includeTests: t.boolean({ description: 'Test events too; false when left out.' }),
  }),
})
