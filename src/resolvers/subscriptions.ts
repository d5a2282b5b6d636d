import { builder } from '../schema/builder.ts'
import { DeliveryStatus } from '../schema/delivery.ts'
import { ConversationUpdate, DeliveryProgress, InboxUpdate } from '../schema/streams.ts'
import { abortable } from './abortable.ts'
import { omitNull } from './input.ts'

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
      'The conversations that change, each in its current state and at most four times a second. The first update is sent immediately. With `after`, first all conversations that changed since that cursor.',
    args: {
      after: t.arg.string({
        description:
          'The cursor of an update after which to resume. Each conversation that changed since then is sent once.',
      }),
    },
    subscribe: (_root, { after }, context) => {
      const who = context.actor()
      return abortable(context, (signal) => context.streams.inbox.follow(who, { after: after ?? null }, signal))
    },
    resolve: (update) => update,
  }),
  deliveries: t.field({
    type: DeliveryProgress,
    description:
      'The progress of webhook deliveries, summarized at most four times a second. The first summary is sent immediately and is usually empty. The subscription cannot be resumed: after a reconnect, query `deliveries` again.',
    args: {
      endpointId: t.arg.id({ description: 'Only deliveries to the webhook endpoint with this id.' }),
      status: t.arg({
        type: DeliveryStatus,
        description: 'Only deliveries that currently have this status.',
      }),
      conversationId: t.arg.id({ description: 'Only deliveries of events of the conversation with this id.' }),
    },
    subscribe: (_root, filter, context) => {
      const who = context.actor()
      return abortable(context, (signal) => context.streams.deliveries.follow(who, omitNull(filter), signal))
    },
    resolve: (progress) => progress,
  }),
}))
