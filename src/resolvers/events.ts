import { listEvents } from '../domain/event-log.ts'
import type { LoggedEvent } from '../domain/event-position.ts'
import { builder } from '../schema/builder.ts'
import { AFTER, FIRST, pageRequest, toConnection } from '../schema/connection.ts'
import { EventType } from '../schema/enums.ts'
import { Event, EventConnection, EventFilterInput } from '../schema/event.ts'

builder.subscriptionFields((t) => ({
  events: t.field({
    type: Event,
    description: 'Events as they are committed, each once. With `after`, first everything since that cursor.',
    args: {
      types: t.arg({ type: [EventType], description: 'Only these; all when left out.' }),
      conversationId: t.arg.id({ description: 'Only those of one conversation.' }),
      after: t.arg.string({ description: "An event's cursor: resume after it, with no gap and no repeat." }),
    },
    subscribe: (_root, { types, conversationId, after }, { events, actor, whenRevoked }) => {
      const wanted = { types: types ?? null, conversationId: conversationId ?? null, after: after ?? null }
      const who = actor()
      return abortable((signal) => events.follow(who, wanted, signal), whenRevoked)
    },
    resolve: (event: LoggedEvent) => event,
  }),
}))

/**
 * An iterator whose `return` aborts first: a generator that waits for its next value would otherwise hear of the
 * client's leaving only after that value. A revoked credential aborts it with the reason.
 */
function abortable<T>(
  start: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  whenRevoked: (listener: (error: Error) => void) => () => void,
): AsyncIterableIterator<T> {
  const controller = new AbortController()
  const source = start(controller.signal)
  const unwatch = whenRevoked((error) => controller.abort(error))
  const iterator: AsyncIterableIterator<T> = {
    next: () => source.next(),
    return: () => {
      unwatch()
      controller.abort()
      return source.return()
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description:
      'The log of everything that happened, oldest first. The subscription of this name goes on where it ends.',
    args: {
      filter: t.arg({ type: EventFilterInput, description: 'Which ones; all when left out.' }),
      first: t.arg.int(FIRST),
      after: t.arg.string(AFTER),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor }) => {
      const wanted = { types: filter?.types ?? null, conversationId: filter?.conversationId ?? null }
      return toConnection(await listEvents(deps, actor(), wanted, pageRequest(page)), page.after)
    },
  }),
)
