import { builder } from '../schema/builder.ts'
import { DeliveryStatus } from '../schema/delivery.ts'
import { ConversationUpdate, DeliveryProgress, InboxUpdate } from '../schema/streams.ts'
import { abortable } from './abortable.ts'
import { omitNull } from './input.ts'

builder.subscriptionFields((t) => ({
  conversation: t.field({
    type: ConversationUpdate,
    description:
      'One open conversation: first itself, then its new messages, its changes and who is typing. With `after`, first everything since that cursor. Completes when the conversation is deleted.',
    args: {
      id: t.arg.id({ required: true, description: 'Which conversation.' }),
      after: t.arg.string({ description: "An update's cursor: resume after it, with no gap and no repeated message." }),
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
      'The conversations that change, each with its latest state and at most four times a second. The first update comes at once; with `after` first every conversation that changed since that cursor.',
    args: {
      after: t.arg.string({ description: "An update's cursor: resume after it; what changed meanwhile comes once." }),
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
      'What happens to webhook deliveries, gathered: at most four times a second, however many there are. The first one comes at once, empty. It cannot be resumed: ask for the list of deliveries again.',
    args: {
      endpointId: t.arg.id({ description: 'Only those to this endpoint.' }),
      status: t.arg({ type: DeliveryStatus, description: 'Only those that are so now.' }),
      conversationId: t.arg.id({ description: 'Only those about this conversation.' }),
    },
    subscribe: (_root, filter, context) => {
      const who = context.actor()
      return abortable(context, (signal) => context.streams.deliveries.follow(who, omitNull(filter), signal))
    },
    resolve: (progress) => progress,
  }),
}))
