import { ALL_FIELDS, type ConversationFields, WITH_PEOPLE } from '../domain/conversations/conversations.ts'
import type { InboxCounts as InboxCountsOf } from '../domain/conversations/inbox-counts.ts'
import { visitorConversations } from '../domain/conversations/list-conversations.ts'
import { MAX_UNREAD } from '../domain/conversations/read-states.ts'
import { messagePage } from '../domain/messages/list-messages.ts'
import { visibleConversations } from '../domain/shared/authorization.ts'
import { builder } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Channel, ConversationStatus } from './enums.ts'
import { type FieldSelection, projectedColumns } from './field-selection.ts'
import { loadMany } from './loaders.ts'
import { MessageConnection } from './message.ts'
import { Visitor } from './visitor.ts'
import { Member } from './workspace.ts'

export const Conversation = builder.prismaNode('Conversation', {
  nullable: true,
  description: 'What a visitor and the team write to each other.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleConversations(context.actor()) }),
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
    metadata: t.field({
      type: 'JSON',
      description: 'Whatever you keep with it.',
      resolve: ({ metadata }, _args, { budget }) => budget.spend(metadata),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it started.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true, description: 'When it was closed.' }),
    lastReadSequence: t.int({
      nullable: true,
      description: 'Up to where the asking person has read; null for agents.',
      resolve: async ({ id }, _args, { loaders }) => (await loaders.readStates.load(id))?.lastReadSequence ?? null,
    }),
    unreadCount: t.int({
      nullable: true,
      description: `Messages of visitors, people and bots after that, one's own left out; counted up to ${MAX_UNREAD}. Null for agents.`,
      resolve: async ({ id }, _args, { loaders }) => (await loaders.readStates.load(id))?.unreadCount ?? null,
    }),
    messages: t.field({
      type: MessageConnection,
      description: 'Its messages, oldest first.',
      args: pageArgs(t.arg),
      resolve: async (conversation, page, { loaders, budget }) =>
        toConnection(
          await messagePage(conversation, pageRequest(page, budget), (range) =>
            loaders.messages.load([conversation.id, range]),
          ),
        ),
    }),
  }),
})

/** What a query reads of conversations. What is not known here of a type makes all of its columns read. */
export function conversationFields(selection: FieldSelection): ConversationFields {
  const of = { lastReadSequence: [], unreadCount: [], messages: ['messageCount'], visitor: [], assignee: [] } as const
  const ofVisitor = { avatar: ['avatarUrl'] } as const
  const ofAssignee = { name: [], email: [] } as const
  const conversation = projectedColumns(selection, ALL_FIELDS.conversation, of)
  const visitor = selection.has('visitor')
    ? projectedColumns(selection.under('visitor'), ALL_FIELDS.visitor, ofVisitor)
    : []
  const assignee = selection.has('assignee')
    ? projectedColumns(selection.under('assignee'), ALL_FIELDS.assignee, ofAssignee)
    : []
  return { conversation, visitor, assignee }
}

export const ConversationConnection = connectionOf(Conversation, 'Conversation')

builder.prismaObjectFields(Visitor, (t) => ({
  conversations: t.field({
    type: ConversationConnection,
    description: 'Their conversations, newest activity first.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { loaders, budget }) =>
      toConnection(
        await visitorConversations(pageRequest(page, budget), {
          find: (range) => loaders.visitorConversations.load([id, range]),
          rows: (ids) => loadMany(loaders.conversations, ids),
          count: async () => (await loaders.visitorConversationCounts.load(id)) ?? 0,
        }),
      ),
  }),
  conversationCount: t.int({
    description: 'How many conversations they have.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.visitorConversationCounts.load(id)) ?? 0,
  }),
}))

export const ConversationSort = builder.enumType('ConversationSort', {
  description: 'Orders of conversations.',
  values: {
    ACTIVITY: { description: 'Latest activity first.' },
    CREATED: { description: 'Latest start first.' },
  } as const,
})

const AssigneeFilterInput = builder.inputType('AssigneeFilter', {
  isOneOf: true,
  description: 'Whose conversations.',
  fields: (t) => ({
    me: t.boolean({ description: 'True: those of the person behind the session or key.' }),
    none: t.boolean({ description: 'True: those that nobody has.' }),
    memberId: t.id({ description: "A member's." }),
  }),
})

const TagsFilterInput = builder.inputType('TagsFilter', {
  description: 'Which tags; both conditions must hold.',
  fields: (t) => ({
    any: t.stringList({ description: 'At least one of these.' }),
    all: t.stringList({ description: 'Every one of these.' }),
  }),
})

export const ConversationFilterInput = builder.inputType('ConversationFilter', {
  description: 'Which conversations; all conditions must hold.',
  fields: (t) => ({
    status: t.field({ type: [ConversationStatus], description: 'In one of these states.' }),
    assignee: t.field({ type: AssigneeFilterInput, description: 'Who takes care of it.' }),
    visitorId: t.id({ description: "A visitor's id." }),
    tags: t.field({ type: TagsFilterInput, description: 'Its labels.' }),
    channel: t.field({ type: [Channel], description: 'How the visitor got in touch: one of these.' }),
    priority: t.intList({ description: 'One of these, 0 (normal) to 3 (urgent).' }),
    text: t.string({
      description:
        "Words that must all stand in one message or note, in the subject, or in the visitor's name and email address. Case does not matter; the last word may be a beginning. 1 to 200 characters.",
    }),
    createdAfter: t.field({ type: 'DateTime', description: 'Started after this.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Started before this.' }),
    activeAfter: t.field({ type: 'DateTime', description: 'With its latest activity after this.' }),
    activeBefore: t.field({ type: 'DateTime', description: 'With its latest activity before this.' }),
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
    tags: t.stringList({ description: 'The whole new set; not together with addTags or removeTags.' }),
    addTags: t.stringList({ description: 'Tags to add to those that are there; at most 50 in all afterwards.' }),
    removeTags: t.stringList({ description: 'Tags to take away; those that are not there are ignored.' }),
    subject: t.string({ description: 'Null clears it.' }),
    priority: t.int({ description: '0 to 3.' }),
    snoozedUntil: t.field({ type: 'DateTime', description: 'Snooze until then.' }),
    metadata: t.field({ type: 'JSON', description: 'Replaces the whole object.' }),
  }),
})

export const SetTypingInput = builder.inputType('SetTypingInput', {
  description: 'A live signal; nothing is stored. It lasts ten seconds, an agent’s 60, or until you write.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'Where.' }),
    typing: t.boolean({ required: true, description: 'True: typing; false: no longer.' }),
  }),
})

export const MarkConversationReadInput = builder.inputType('MarkConversationReadInput', {
  description: 'How far you have read.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'Which conversation.' }),
    sequence: t.int({ required: true, description: "The last message's that you have seen." }),
  }),
})

export const InboxCounts = builder.objectRef<InboxCountsOf>('InboxCounts').implement({
  description: 'How many conversations there are.',
  fields: (t) => ({
    mine: t.exposeInt('mine', { nullable: true, description: "Open, and the asking person's; null for agents." }),
    unassigned: t.exposeInt('unassigned', { description: "Open, and nobody's." }),
    open: t.exposeInt('open', { description: 'Open.' }),
    snoozed: t.exposeInt('snoozed', { description: 'Snoozed.' }),
    closed: t.exposeInt('closed', { description: 'Closed.' }),
    total: t.exposeInt('total', { description: 'All of them.' }),
  }),
})
