import type { ConversationItem } from '../live/conversation-stream.ts'
import type { DeliveryProgress as DeliveryProgressOf } from '../live/delivery-stream.ts'
import type { InboxUpdate as InboxUpdateOf } from '../live/inbox-stream.ts'
import { Actor, resolvePresentActor } from './actor.ts'
import { builder } from './builder.ts'
import { Conversation, InboxCounts } from './conversation.ts'
import { Delivery } from './delivery.ts'
import { Message } from './message.ts'

type ItemOf<Kind extends ConversationItem['kind']> = Extract<ConversationItem, { kind: Kind }>

const CURSOR = { description: 'The cursor of this update. Pass it as `after` to resume the subscription from here.' }

const MessageAdded = builder.objectRef<ItemOf<'message'>>('MessageAdded').implement({
  description: 'A new message or note in the conversation.',
  fields: (t) => ({
    message: t.field({ type: Message, description: 'The new message.', resolve: ({ message }) => message }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

const ConversationChanged = builder.objectRef<ItemOf<'conversation'>>('ConversationChanged').implement({
  description:
    'The current state of the conversation. Sent when the subscription starts without `after`, and after each change of a field of the conversation.',
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      description: 'The conversation in its current state.',
      resolve: ({ conversation }) => conversation,
    }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

const TypingChanged = builder.objectRef<ItemOf<'typing'>>('TypingChanged').implement({
  description:
    'A typing signal: an actor started or stopped typing. Signals can be lost, and are not sent again when a subscription resumes.',
  fields: (t) => ({
    conversationId: t.exposeID('conversationId', { description: 'The id of the conversation.' }),
    actor: t.field({
      type: Actor,
      description: 'The actor who is typing. An API key that the caller cannot see has the name `AI Agent`.',
      resolve: ({ actor }, _args, context, info) => resolvePresentActor(actor, context, info),
    }),
    isTyping: t.exposeBoolean('isTyping', {
      description: 'Whether the actor is typing. False when they stopped or sent a BOT message.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'The time when the signal expires unless it is repeated: 10 seconds after it was sent by a person, 60 seconds after it was sent by an agent or API key.',
    }),
  }),
})

const TYPE_NAMES = { message: MessageAdded, conversation: ConversationChanged, typing: TypingChanged } as const

export const ConversationUpdate = builder.unionType('ConversationUpdate', {
  description: 'An update of one conversation: its state, a new message, or a typing signal.',
  types: [MessageAdded, ConversationChanged, TypingChanged],
  resolveType: ({ kind }) => TYPE_NAMES[kind],
})

export const InboxUpdate = builder.objectRef<InboxUpdateOf>('InboxUpdate').implement({
  description:
    'The changes of a list of conversations since the last update. To keep a list: remove `removedIds`, add or replace `conversations`, and sort.',
  fields: (t) => ({
    conversations: t.field({
      type: [Conversation],
      description:
        'The conversations that changed and match the filter, each once and in its current state, latest change last. At most 100 together with `removedIds`.',
      resolve: ({ conversations }) => [...conversations],
    }),
    removedIds: t.idList({
      description:
        'The ids of the conversations that changed and do not match the filter, whether or not they did before, and of those that were deleted. At most 100 together with `conversations`.',
      resolve: ({ removedIds }) => [...removedIds],
    }),
    counts: t.field({
      type: InboxCounts,
      nullable: true,
      description:
        'The number of conversations by state: in the first update and after each change, at most once a second. Null when unchanged. Requires that the field is selected from the first update on.',
      resolve: (update) => update.counts(),
    }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

export const DeliveryProgress = builder.objectRef<DeliveryProgressOf>('DeliveryProgress').implement({
  description: 'The progress of webhook deliveries within an interval.',
  fields: (t) => ({
    from: t.expose('since', { type: 'DateTime', description: 'The start of the interval, inclusive.' }),
    to: t.expose('until', { type: 'DateTime', description: 'The end of the interval, exclusive.' }),
    created: t.int({
      description: 'The number of new deliveries that are waiting to be sent.',
      resolve: ({ counts }) => counts.created,
    }),
    skipped: t.int({
      description: 'The number of new deliveries that are not sent because the endpoint or its agent is disabled.',
      resolve: ({ counts }) => counts.skipped,
    }),
    delivered: t.int({
      description: 'The number of attempts that succeeded.',
      resolve: ({ counts }) => counts.delivered,
    }),
    retrying: t.int({
      description: 'The number of attempts that failed and will be retried.',
      resolve: ({ counts }) => counts.retrying,
    }),
    failed: t.int({
      description: 'The number of attempts that failed and will not be retried.',
      resolve: ({ counts }) => counts.failed,
    }),
    durationP50Ms: t.int({
      nullable: true,
      description: 'The median duration of the attempts, in milliseconds. Null when there was no attempt.',
      resolve: ({ durationMs }) => durationMs.p50,
    }),
    durationP95Ms: t.int({
      nullable: true,
      description:
        'The 95th percentile of the duration of the attempts, in milliseconds. Null when there was no attempt.',
      resolve: ({ durationMs }) => durationMs.p95,
    }),
    newest: t.field({
      type: [Delivery],
      description: 'The deliveries that changed, each in its current state, latest change first. At most 50.',
      resolve: (progress) => progress.newest(),
    }),
    omitted: t.exposeInt('omitted', { description: 'The number of deliveries that changed and are not in `newest`.' }),
  }),
})
