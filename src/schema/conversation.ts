import { WITH_PEOPLE } from '../domain/conversations.ts'
import { builder } from './builder.ts'
import { AFTER, connectionOf, FIRST } from './connection.ts'
import { Channel, ConversationStatus } from './enums.ts'
import { MessageConnection } from './message.ts'
import { messagePage } from './message-page.ts'
import { Visitor } from './visitor.ts'
import { Member } from './workspace.ts'

export const Conversation = builder.prismaNode('Conversation', {
  nullable: true,
  description: 'What a visitor and the team write to each other.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  include: WITH_PEOPLE,
  fields: (t) => ({
    status: t.expose('status', { type: ConversationStatus, description: 'Where it stands.' }),
    channel: t.expose('channel', { type: Channel, description: 'How the visitor got in touch.' }),
    subject: t.exposeString('subject', { nullable: true, description: 'What it is about.' }),
    priority: t.exposeInt('priority', { description: '0 (normal) to 3 (urgent).' }),
    tags: t.exposeStringList('tags', { description: 'Labels, at most 50.' }),
    visitor: t.field({ type: Visitor, description: 'Who wrote to the team.', resolve: ({ visitor }) => visitor }),
    assignee: t.field({
      type: Member,
      nullable: true,
      description: 'Who takes care of it.',
      resolve: ({ assignee }) => assignee,
    }),
    messageCount: t.exposeInt('messageCount', { description: 'Messages of every type, notes included.' }),
    lastMessageAt: t.expose('lastMessageAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When visitor, person or bot last wrote.',
    }),
    lastMessagePreview: t.exposeString('lastMessagePreview', {
      nullable: true,
      description: 'The first 100 characters of that message.',
    }),
    lastActivityAt: t.expose('lastActivityAt', { type: 'DateTime', description: 'The order of lists.' }),
    snoozedUntil: t.expose('snoozedUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'When a snoozed conversation reopens by itself.',
    }),
    metadata: t.expose('metadata', { type: 'JSON', description: 'Whatever you keep with it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it started.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true, description: 'When it was closed.' }),
    messages: t.field({
      type: MessageConnection,
      description: 'Its messages, oldest first. `last` and `before` walk from the end.',
      args: {
        first: t.arg.int(FIRST),
        after: t.arg.string(AFTER),
        last: t.arg.int({ description: 'As `first`, from the end.' }),
        before: t.arg.string({ description: 'A cursor: what comes before it.' }),
      },
      resolve: (conversation, args, { loaders }) => messagePage(conversation, args, loaders),
    }),
  }),
})

export const ConversationConnection = connectionOf(Conversation, 'Conversation')

export const ConversationFilterInput = builder.inputType('ConversationFilter', {
  description: 'Which conversations; all conditions must hold.',
  fields: (t) => ({
    status: t.field({ type: ConversationStatus, description: 'Where it stands.' }),
    assigneeId: t.id({ description: "A member's id." }),
    unassigned: t.boolean({ description: 'True: those that nobody has.' }),
    visitorId: t.id({ description: "A visitor's id." }),
    tag: t.string({ description: 'Among its tags.' }),
    channel: t.field({ type: Channel, description: 'How the visitor got in touch.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Started after this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Started before this.' }),
  }),
})

export const StartConversationInput = builder.inputType('StartConversationInput', {
  description: 'A new conversation for a visitor.',
  fields: (t) => ({
    visitorId: t.id({ required: true, description: 'Whose.' }),
    subject: t.string({ description: 'At most 255 characters.' }),
    message: t.string({ description: "The visitor's first message." }),
    channel: t.field({ type: Channel, description: 'API when left out.' }),
    metadata: t.field({ type: 'JSON', description: 'An object of at most 16 kB.' }),
  }),
})

export const UpdateConversationInput = builder.inputType('UpdateConversationInput', {
  description: 'What to change; fields left out stay as they are.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'Which conversation.' }),
    status: t.field({ type: ConversationStatus, description: 'Open, snooze or close it.' }),
    assigneeId: t.id({ description: "A member's id; null unassigns." }),
    tags: t.stringList({ description: 'The whole new set.' }),
    subject: t.string({ description: 'Null clears it.' }),
    priority: t.int({ description: '0 to 3.' }),
    snoozedUntil: t.field({ type: 'DateTime', description: 'Snooze until then.' }),
    metadata: t.field({ type: 'JSON', description: 'Replaces the whole object.' }),
  }),
})

export const SetTypingInput = builder.inputType('SetTypingInput', {
  description: 'A live signal; nothing is stored.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'Where.' }),
    typing: t.boolean({ required: true, description: 'True: typing; false: no longer.' }),
  }),
})
