import { listEvents } from '../domain/events/list-events.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { EventConnection, EventFilterInput, EventUpdate } from '../schema/event-log.ts'
import { abortable } from './abortable.ts'
import { conditionsOf } from './input.ts'

builder.subscriptionField('events', (t) =>
  t.field({
    type: EventUpdate,
    description:
      'The events of the workspace as they happen, each once and in the order of the log. With `after`, first all events since that cursor.',
    args: {
      filter: t.arg({
        type: EventFilterInput,
        description: 'Conditions on the events. All events except test events by default.',
      }),
      after: t.arg.string({
        description:
          'The cursor of an event, from an update or a page of `events`, after which to resume without gaps or repeated events.',
      }),
    },
    subscribe: (_root, { filter, after }, context) => {
      const wanted = { ...conditionsOf(filter), after: after ?? null }
      const who = context.actor()
      return abortable(context, (signal) => context.streams.events.follow(who, wanted, signal))
    },
    resolve: (update) => update,
  }),
)

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
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) =>
      toConnection(await listEvents(deps, actor(), conditionsOf(filter), pageRequest(page, budget))),
  }),
)
