import { ConversationFilter } from '../domain/conversations/conversation-filter.ts'
import { builder } from '../schema/builder.ts'
import { ConversationFilterInput } from '../schema/conversation.ts'
import { DeliveryFilterInput } from '../schema/delivery.ts'
import { ConversationUpdate, DeliveryProgress, InboxUpdate } from '../schema/streams.ts'
import { abortable } from './abortable.ts'
import { conditionsOf, inputOf } from './input.ts'

builder.subscriptionFields((t) => ({
  conversation: t.field({
    type: ConversationUpdate,
    description:
      'The updates of one conversation: first its current state, then new messages, changes and typing signals. With `after`, first all updates since that cursor. Completes when the conversation is deleted.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the conversation.' }),
      after: t.arg.string({
        description: 'The cursor of an update after which to resume, without gaps or repeated messages.',
      }),
    },
    subscribe: (_root, { id, after }, context) => {
      const who = context.actor()
      return abortable(context, (signal) =>
        context.streams.conversations.follow(who, { id, after: after ?? null }, signal),
      )
    },
    resolve: (update) => update,
  }),
  inbox: t.field({
    type: InboxUpdate,
    description:
      'The changes of a list of conversations: those that enter it, change in it and leave it, at most four times a second. The first update is sent immediately. With `after`, first all conversations that changed since that cursor. A new name, email address or picture of a visitor changes all of their conversations.',
    args: {
      filter: t.arg({
        type: ConversationFilterInput,
        description: 'The filter of the list, as for `conversations`. All conversations by default.',
      }),
      after: t.arg.string({
        description:
          'The cursor of an update after which to resume. Each conversation that changed since then is sent once.',
      }),
    },
    subscribe: (_root, { filter, after }, context) => {
      const who = context.actor()
      const wanted = inputOf(ConversationFilter, conditionsOf(filter))
      const options = { filter: wanted, after: after ?? null }
      return abortable(context, (signal) => context.streams.inbox.follow(who, options, signal))
    },
    resolve: (update) => update,
  }),
  deliveries: t.field({
    type: DeliveryProgress,
    description:
      'The progress of webhook deliveries, summarized at most four times a second. The first summary is sent immediately and is usually empty. The subscription cannot be resumed: after a reconnect, query `deliveries` again.',
    args: {
      filter: t.arg({
        type: DeliveryFilterInput,
        description:
          'Conditions on the deliveries, the same as those of the query `deliveries`. All deliveries by default. A delivery is in the state that it has when the summary is made.',
      }),
    },
    subscribe: (_root, { filter }, context) => {
      const who = context.actor()
      return abortable(context, (signal) => context.streams.deliveries.follow(who, conditionsOf(filter), signal))
    },
    resolve: (progress) => progress,
  }),
}))
