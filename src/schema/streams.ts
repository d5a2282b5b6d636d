import type { ActorRef } from '../domain/shared/actor.ts'
import type { ConversationItem } from '../live/conversation-stream.ts'
import type { DeliveryProgress as DeliveryProgressOf } from '../live/delivery-stream.ts'
import type { InboxUpdate as InboxUpdateOf } from '../live/inbox-stream.ts'
import { builder } from './builder.ts'
import { Conversation, InboxCounts } from './conversation.ts'
import { Delivery } from './delivery.ts'
import { ActorType } from './enums.ts'
import { Message } from './message.ts'

type ItemOf<Kind extends ConversationItem['kind']> = Extract<ConversationItem, { kind: Kind }>

const CURSOR = { description: 'Resume after this.' }

const MessageAdded = builder.objectRef<ItemOf<'message'>>('MessageAdded').implement({
  description: 'A message or note is new in the conversation.',
  fields: (t) => ({
    message: t.field({ type: Message, description: 'The whole message.', resolve: ({ message }) => message }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

const ConversationChanged = builder.objectRef<ItemOf<'conversation'>>('ConversationChanged').implement({
  description: 'The conversation as it is when the subscription starts, and whenever one of its own fields changed.',
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      description: 'The conversation as it is now.',
      resolve: ({ conversation }) => conversation,
    }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

const EventActor = builder.objectRef<ActorRef>('EventActor').implement({
  description: 'Who did something.',
  fields: (t) => ({
    type: t.expose('type', { type: ActorType, description: 'What kind.' }),
    id: t.exposeID('id', { description: "The agent's, API key's, member's or visitor's id." }),
    name: t.exposeString('name', { description: 'For people.' }),
  }),
})

const TypingChanged = builder.objectRef<ItemOf<'typing'>>('TypingChanged').implement({
  description: 'Somebody types, or has stopped. It may be lost, and is not repeated to those who resume.',
  fields: (t) => ({
    conversationId: t.exposeID('conversationId', { description: 'Where.' }),
    actor: t.field({ type: EventActor, description: 'Who.', resolve: ({ actor }) => actor }),
    isTyping: t.exposeBoolean('isTyping', { description: 'False: no longer, also because they wrote.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'Without another signal it is over by then.',
    }),
  }),
})

const TYPE_NAMES = { message: MessageAdded, conversation: ConversationChanged, typing: TypingChanged } as const

export const ConversationUpdate = builder.unionType('ConversationUpdate', {
  description: 'What an open conversation learns.',
  types: [MessageAdded, ConversationChanged, TypingChanged],
  resolveType: ({ kind }) => TYPE_NAMES[kind],
})

export const InboxUpdate = builder.objectRef<InboxUpdateOf>('InboxUpdate').implement({
  description: 'What changed among the conversations since the last update.',
  fields: (t) => ({
    conversations: t.field({
      type: [Conversation],
      description: 'Those that changed, each once and as it is now; the one that changed last at the end. 100 at most.',
      resolve: ({ conversations }) => [...conversations],
    }),
    counts: t.field({
      type: InboxCounts,
      nullable: true,
      description:
        'With the first update, and when they have changed since, at most once a second; null otherwise. Ask for it from the start.',
      resolve: (update) => update.counts(),
    }),
    deletedIds: t.idList({
      description: 'Conversations that are no more.',
      resolve: ({ deletedIds }) => [...deletedIds],
    }),
    cursor: t.exposeString('cursor', CURSOR),
  }),
})

export const DeliveryProgress = builder.objectRef<DeliveryProgressOf>('DeliveryProgress').implement({
  description: 'What happened to webhook deliveries within some time.',
  fields: (t) => ({
    since: t.expose('since', { type: 'DateTime', description: 'From when.' }),
    until: t.expose('until', { type: 'DateTime', description: 'Until when.' }),
    created: t.int({ description: 'New deliveries that wait to be sent.', resolve: ({ counts }) => counts.created }),
    skipped: t.int({
      description: 'New deliveries that are not sent, because the endpoint or its agent is disabled.',
      resolve: ({ counts }) => counts.skipped,
    }),
    delivered: t.int({ description: 'Attempts that succeeded.', resolve: ({ counts }) => counts.delivered }),
    retrying: t.int({
      description: 'Attempts that failed and are followed by another.',
      resolve: ({ counts }) => counts.retrying,
    }),
    failed: t.int({ description: 'Attempts that failed as the last ones.', resolve: ({ counts }) => counts.failed }),
    p50DurationMs: t.int({
      nullable: true,
      description: 'Half of the attempts were not slower, in milliseconds; null without attempts.',
      resolve: ({ durationMs }) => durationMs.p50,
    }),
    p95DurationMs: t.int({
      nullable: true,
      description: 'All but a twentieth of the attempts were not slower, in milliseconds; null without attempts.',
      resolve: ({ durationMs }) => durationMs.p95,
    }),
    newest: t.field({
      type: [Delivery],
      description: 'The deliveries that changed last, the latest first, as they are now; 50 at most.',
      resolve: (progress) => progress.newest(),
    }),
    omitted: t.exposeInt('omitted', { description: 'How many other deliveries changed.' }),
  }),
})
