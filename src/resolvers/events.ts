import type { LoggedEvent } from '../domain/events/event-position.ts'
import { listEvents } from '../domain/events/list-events.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { EventType } from '../schema/enums.ts'
import { Event, EventConnection, EventFilterInput } from '../schema/event.ts'
import { abortable } from './abortable.ts'

builder.subscriptionFields((t) => ({
  events: t.field({
    type: Event,
    description: 'Events as they are committed, each once. With `after`, first everything since that cursor.',
    args: {
      types: t.arg({ type: [EventType], description: 'Only these; all when left out.' }),
      conversationId: t.arg.id({ description: 'Only those of one conversation.' }),
      includeTests: t.arg.boolean({ description: 'Test events too; false when left out.' }),
      after: t.arg.string({ description: "An event's cursor: resume after it, with no gap and no repeat." }),
    },
    subscribe: (_root, { types, conversationId, includeTests, after }, context) => {
      const filter = { types: types ?? null, conversationId: conversationId ?? null }
      const wanted = { ...filter, includeTests: includeTests ?? false, after: after ?? null }
      const who = context.actor()
      return abortable(context, (signal) => context.streams.events.follow(who, wanted, signal))
    },
    resolve: (event: LoggedEvent) => event,
  }),
}))

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description:
      'The log of everything that happened, oldest first. The subscription of this name goes on where it ends.',
    args: {
      filter: t.arg({ type: EventFilterInput, description: 'Which ones; all when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const { types = null, conversationId = null, includeTests } = filter ?? {}
      const wanted = { types, conversationId, includeTests: includeTests ?? false }
      return toConnection(await listEvents(deps, actor(), wanted, pageRequest(page, budget)))
    },
  }),
)
