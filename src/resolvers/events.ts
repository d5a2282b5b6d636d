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
    description:
      'The events of the workspace as they happen, each once and in the order of the log. With `after`, first all events since that cursor.',
    args: {
      types: t.arg({ type: [EventType], description: 'Only events of these types. All types by default.' }),
      conversationId: t.arg.id({ description: 'Only events of the conversation with this id.' }),
      includeTests: t.arg.boolean({ description: 'Whether to include test events. False by default.' }),
      after: t.arg.string({
        description: 'The cursor of an event after which to resume, without gaps or repeated events.',
      }),
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
      'The event log of the workspace, oldest first. To follow new events, pass the last cursor to the subscription `events`.',
    args: {
      filter: t.arg({
        type: EventFilterInput,
        description: 'Conditions on the events. All events except test events by default.',
      }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const { types = null, conversationId = null, includeTests } = filter ?? {}
      const wanted = { types, conversationId, includeTests: includeTests ?? false }
      return toConnection(await listEvents(deps, actor(), wanted, pageRequest(page, budget)))
    },
  }),
)
