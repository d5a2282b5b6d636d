import type { InputFieldBuilder } from '@pothos/core'
import { ConversationColumns } from '../domain/conversations/columns/conversation-columns.ts'
import { AssigneeFilter, ConversationFilter, TagsFilter } from '../domain/conversations/conversation-filter.ts'
import { ALL_FIELDS, type ConversationFields, WITH_PEOPLE } from '../domain/conversations/conversations.ts'
import type { InboxCounts as InboxCountsOf } from '../domain/conversations/inbox-counts.ts'
import { ownedConversations } from '../domain/conversations/list-conversations.ts'
import { MAX_UNREAD, MarkRead } from '../domain/conversations/read-states.ts'
import { ConversationPatch } from '../domain/conversations/update-conversation.ts'
import { messagePage } from '../domain/messages/list-messages.ts'
import { StartConversation } from '../domain/messages/start-conversation.ts'
import { Typing } from '../domain/messages/typing.ts'
import { visibleConversations } from '../domain/shared/authorization.ts'
import { builder, type Kinds } from './builder.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { Channel, ConversationStatus } from './enums.ts'
import { type FieldSelection, projectedColumns } from './field-selection.ts'
import { inputFields, outputFields } from './fields.ts'
import { loadMany, readerOf } from './loaders.ts'
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
    ...outputFields(t, ConversationColumns.omit({ assigneeId: true }).shape, {
      status: ConversationStatus,
      channel: Channel,
    }),
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
          ...readerOf(loaders.visitorConversations, id),
          rows: (ids) => loadMany(loaders.conversations, ids),
        }),
      ),
  }),
  conversationCount: t.int({
    description: 'The number of conversations of the visitor.',
    resolve: async ({ id }, _args, { loaders }) => readerOf(loaders.visitorConversations, id).count(),
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
  fields: (t) => inputFields(t, AssigneeFilter.shape, { memberId: 'ID' }),
})

const TagsFilterInput = builder.inputType('TagsFilter', {
  description: 'Conditions on tags. All of them must hold.',
  fields: (t) => inputFields(t, TagsFilter.shape),
})

export const ConversationFilterInput = builder.inputType('ConversationFilter', {
  description: 'Conditions on conversations. All of them must hold. A list has 1 to 50 values.',
  fields: (t) =>
    inputFields(t, ConversationFilter.shape, {
      statuses: ConversationStatus,
      assignee: AssigneeFilterInput,
      visitorId: 'ID',
      tags: TagsFilterInput,
      channels: Channel,
      createdAt: TimeRange,
      lastActivityAt: TimeRange,
    }),
})

export const StartConversationInput = builder.inputType('StartConversationInput', {
  description: 'Input of `startConversation`.',
  fields: (t) => inputFields(t, StartConversation.shape, { visitorId: 'ID', channel: Channel }),
})

/** What a conversation can be changed in: the fields of the inputs for one and for many. */
export const conversationChanges = (t: InputFieldBuilder<Kinds, 'InputObject'>) =>
  inputFields(t, ConversationPatch.shape, { status: ConversationStatus, assigneeId: 'ID' })

export const UpdateConversationInput = builder.inputType('UpdateConversationInput', {
  description: 'Input of `updateConversation`. Fields that are left out do not change. Null removes a value.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    ...conversationChanges(t),
  }),
})

export const SetTypingInput = builder.inputType('SetTypingInput', {
  description: 'Input of `setTyping`.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    isTyping: t.boolean({ required: true, description: Typing.shape.typing.description ?? '' }),
  }),
})

export const MarkConversationReadInput = builder.inputType('MarkConversationReadInput', {
  description: 'Input of `markConversationRead`.',
  fields: (t) => inputFields(t, MarkRead.shape, { conversationId: 'ID' }),
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
