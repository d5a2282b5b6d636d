import type { InputFieldBuilder } from '@pothos/core'
import { ALL_FIELDS, type ConversationFields, WITH_PEOPLE } from '../domain/conversations/conversations.ts'
import type { InboxCounts as InboxCountsOf } from '../domain/conversations/inbox-counts.ts'
import { ownedConversations } from '../domain/conversations/list-conversations.ts'
import { MAX_UNREAD } from '../domain/conversations/read-states.ts'
import { messagePage } from '../domain/messages/list-messages.ts'
import { visibleConversations } from '../domain/shared/authorization.ts'
import { builder, type Types } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Channel, ConversationStatus } from './enums.ts'
import { type FieldSelection, projectedColumns } from './field-selection.ts'
import { loadMany } from './loaders.ts'
import { MessageConnection } from './message.ts'
import { TimeRange } from './time-range.ts'
import { Visitor } from './visitor.ts'
import { Member } from './workspace.ts'

export const Conversation = builder.prismaNode('Conversation', {
  nullable: true,
  description: 'A thread of messages between a visitor and the team.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleConversations(context.actor()) }),
  include: WITH_PEOPLE,
  fields: (t) => ({
    status: t.expose('status', { type: ConversationStatus, description: 'The state of the conversation.' }),
    channel: t.expose('channel', {
      type: Channel,
      description: 'The channel through which the conversation was started.',
    }),
    subject: t.exposeString('subject', {
      nullable: true,
      description: 'The subject, at most 255 characters. Null when there is none.',
    }),
    priority: t.exposeInt('priority', { description: 'The priority, from 0 (normal) to 3 (urgent).' }),
    tags: t.exposeStringList('tags', { description: 'The tags, at most 50 of at most 50 characters.' }),
    visitor: t.field({
      type: Visitor,
      description: 'The visitor of the conversation.',
      resolve: ({ visitor }) => visitor,
    }),
    assignee: t.field({
      type: Member,
      nullable: true,
      description: 'The member who is assigned. Null when the conversation is unassigned.',
      resolve: ({ assignee }) => assignee,
    }),
    messageCount: t.exposeInt('messageCount', {
      description: 'The number of messages of all types, including notes and system entries.',
    }),
    lastMessageAt: t.expose('lastMessageAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time of the latest VISITOR, AGENT or BOT message. Null when there is none.',
    }),
    lastMessagePreview: t.exposeString('lastMessagePreview', {
      nullable: true,
      description: 'The first 100 characters of the latest VISITOR, AGENT or BOT message. Null when there is none.',
    }),
    lastActivityAt: t.expose('lastActivityAt', {
      type: 'DateTime',
      description:
        'The time of the latest VISITOR, AGENT or BOT message, or of the start of the conversation. By default, lists are sorted by it.',
    }),
    snoozedUntil: t.expose('snoozedUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'The time when a snoozed conversation reopens. Null when it is not snoozed, or snoozed until the visitor writes.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Custom data, an object of at most 16 kB.',
      resolve: ({ metadata }, _args, { budget }) => budget.spend(metadata),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the conversation was started.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change or message.' }),
    closedAt: t.expose('closedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the conversation was closed. Null unless it is closed.',
    }),
    lastReadSequence: t.int({
      nullable: true,
      description:
        'The sequence number of the last message that the caller has read, 0 when none. Null for agents and visitors.',
      resolve: async ({ id }, _args, { loaders }) => (await loaders.readStates.load(id))?.lastReadSequence ?? null,
    }),
    unreadCount: t.int({
      nullable: true,
      description: `The number of VISITOR, AGENT and BOT messages of others that the caller has not read, counted up to ${MAX_UNREAD}. Null for agents and visitors.`,
      resolve: async ({ id }, _args, { loaders }) => (await loaders.readStates.load(id))?.unreadCount ?? null,
    }),
    messages: t.field({
      type: MessageConnection,
      description: 'The messages of the conversation, oldest first. Null when the arguments are refused.',
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

/** The columns of conversations and their people that a query reads. A field that is unknown here makes it read all columns of its type. */
export function conversationFields(selection: FieldSelection): ConversationFields {
  const of = {
    lastReadSequence: [],
    unreadCount: [],
    messages: ['messageCount'],
    events: [],
    deliveries: [],
    visitor: [],
    assignee: [],
  } as const
  const ofVisitor = { avatar: ['avatarUrl'], displayName: ['name', 'email'] } as const
  const ofAssignee = { name: [], displayName: [], email: [], user: [] } as const
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
    description: 'The conversations of the visitor, latest activity first. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { loaders, budget }) =>
      toConnection(
        await ownedConversations(pageRequest(page, budget), {
          find: (range) => loaders.visitorConversations.load([id, range]),
          rows: (ids) => loadMany(loaders.conversations, ids),
          count: async () => (await loaders.visitorConversationCounts.load(id)) ?? 0,
        }),
      ),
  }),
  conversationCount: t.int({
    description: 'The number of conversations of the visitor.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.visitorConversationCounts.load(id)) ?? 0,
  }),
}))

export const ConversationSort = builder.enumType('ConversationSort', {
  description: 'The order of a list of conversations.',
  values: {
    LATEST_ACTIVITY: { value: 'ACTIVITY', description: 'By `lastActivityAt`, latest first.' },
    NEWEST: { value: 'CREATED', description: 'By `createdAt`, latest first.' },
  } as const,
})

const AssigneeFilterInput = builder.inputType('AssigneeFilter', {
  isOneOf: true,
  description: 'A condition on the assignee: exactly one of the fields.',
  fields: (t) => ({
    me: t.boolean({
      description:
        'True for conversations that are assigned to the caller; for an API key, to its user. False is refused, and agents cannot use this condition.',
    }),
    none: t.boolean({ description: 'True for unassigned conversations. False is refused.' }),
    memberId: t.id({ description: 'Conversations that are assigned to the member with this id.' }),
  }),
})

const TagsFilterInput = builder.inputType('TagsFilter', {
  description: 'Conditions on tags. All of them must hold.',
  fields: (t) => ({
    any: t.stringList({ description: 'At least one of these tags: 1 to 50 tags.' }),
    all: t.stringList({ description: 'All of these tags: 1 to 50 tags.' }),
  }),
})

export const ConversationFilterInput = builder.inputType('ConversationFilter', {
  description: 'Conditions on conversations. All of them must hold. A list has 1 to 50 values.',
  fields: (t) => ({
    statuses: t.field({ type: [ConversationStatus], description: 'Conversations in one of these states.' }),
    assignee: t.field({ type: AssigneeFilterInput, description: 'Conversations with this assignee.' }),
    visitorId: t.id({ description: 'Conversations of the visitor with this id.' }),
    tags: t.field({ type: TagsFilterInput, description: 'Conversations with these tags.' }),
    channels: t.field({ type: [Channel], description: 'Conversations from one of these channels.' }),
    priorities: t.intList({
      description: 'Conversations with one of these priorities, from 0 (normal) to 3 (urgent).',
    }),
    text: t.string({
      description:
        'A text search of 1 to 200 characters, ignoring case. One message or note, the subject, or the name and email address of the visitor must contain all of the words; the last word can be a prefix.',
    }),
    createdAt: t.field({ type: TimeRange, description: 'Conversations that were started in this time.' }),
    lastActivityAt: t.field({ type: TimeRange, description: 'Conversations with their latest activity in this time.' }),
  }),
})

export const StartConversationInput = builder.inputType('StartConversationInput', {
  description: 'Input of `startConversation`.',
  fields: (t) => ({
    visitorId: t.id({ required: true, description: 'The id of the visitor.' }),
    subject: t.string({ description: 'The subject, at most 255 characters. None by default.' }),
    message: t.string({
      description: 'The first message, written by the visitor, 1 to 10,000 characters. None by default.',
    }),
    channel: t.field({ type: Channel, description: 'The channel. API by default.' }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Custom data, an object of at most 16 kB. Empty by default.',
    }),
  }),
})

type Kinds = PothosSchemaTypes.ExtendDefaultTypes<Types>

/** What a conversation can be changed in: the fields of the inputs for one and for many. */
export const conversationChanges = (t: InputFieldBuilder<Kinds, 'InputObject'>) => ({
  status: t.field({ type: ConversationStatus, description: 'The new state.' }),
  assigneeId: t.id({ description: 'The id of the member to assign. Null unassigns the conversation.' }),
  tags: t.stringList({
    description:
      'All tags of the conversation, at most 50 of 1 to 50 characters. Not together with `addTags` or `removeTags`.',
  }),
  addTags: t.stringList({
    description: 'Tags to add, of 1 to 50 characters. The conversation can have at most 50 tags.',
  }),
  removeTags: t.stringList({ description: 'Tags to remove. Tags that the conversation does not have are ignored.' }),
  subject: t.string({ description: 'The subject, at most 255 characters. Null removes it.' }),
  priority: t.int({ description: 'The priority, from 0 (normal) to 3 (urgent).' }),
  snoozedUntil: t.field({
    type: 'DateTime',
    description:
      'A future time until which the conversation is snoozed. Null removes the time: a snoozed conversation then stays snoozed until the visitor writes.',
  }),
  metadata: t.field({
    type: 'JSONObject',
    description: 'Custom data, an object of at most 16 kB. Replaces the existing object.',
  }),
})

export const UpdateConversationInput = builder.inputType('UpdateConversationInput', {
  description: 'Input of `updateConversation`. Fields that are left out do not change.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    ...conversationChanges(t),
  }),
})

export const SetTypingInput = builder.inputType('SetTypingInput', {
  description: 'Input of `setTyping`.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    isTyping: t.boolean({
      required: true,
      description: 'True when the caller is typing, false when they have stopped.',
    }),
  }),
})

export const MarkConversationReadInput = builder.inputType('MarkConversationReadInput', {
  description: 'Input of `markConversationRead`.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    sequence: t.int({
      required: true,
      description:
        'The sequence number of the last message that was read, from 0. A number higher than that of the latest message marks all messages as read.',
    }),
  }),
})

export const InboxCounts = builder.objectRef<InboxCountsOf>('InboxCounts').implement({
  description: 'The number of conversations in the workspace, by state.',
  fields: (t) => ({
    mine: t.exposeInt('mine', {
      nullable: true,
      description: 'The number of open conversations that are assigned to the caller. Null for agents.',
    }),
    unassigned: t.exposeInt('unassigned', { description: 'The number of open conversations without an assignee.' }),
    open: t.exposeInt('open', { description: 'The number of open conversations.' }),
    snoozed: t.exposeInt('snoozed', { description: 'The number of snoozed conversations.' }),
    closed: t.exposeInt('closed', { description: 'The number of closed conversations.' }),
    total: t.exposeInt('total', { description: 'The number of all conversations.' }),
  }),
})
