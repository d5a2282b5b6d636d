import { ConversationFilter } from '../domain/conversations/conversation-filter.ts'
import { getConversation } from '../domain/conversations/conversations.ts'
import { countInbox } from '../domain/conversations/inbox-counts.ts'
import { listConversations } from '../domain/conversations/list-conversations.ts'
import { markConversationRead } from '../domain/conversations/read-states.ts'
import { ConversationPatch, updateConversation } from '../domain/conversations/update-conversation.ts'
import { SendMessage, sendMessage } from '../domain/messages/send-message.ts'
import { StartConversation, startConversation } from '../domain/messages/start-conversation.ts'
import { setTyping } from '../domain/messages/typing.ts'
import { NotFoundError } from '../domain/shared/errors.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import {
  Conversation,
  ConversationConnection,
  ConversationFilterInput,
  ConversationSort,
  conversationFields,
  InboxCounts,
  MarkConversationReadInput,
  SetTypingInput,
  StartConversationInput,
  UpdateConversationInput,
} from '../schema/conversation.ts'
import { MutationPayload } from '../schema/errors.ts'
import { selectedFields } from '../schema/field-selection.ts'
import { Message, SendMessageInput } from '../schema/message.ts'
import { inputOf, omitNull } from './input.ts'

builder.queryFields((t) => ({
  conversations: t.field({
    type: ConversationConnection,
    description: 'Conversations, newest first. A walk through pages skips and repeats nothing.',
    args: {
      filter: t.arg({ type: ConversationFilterInput, description: 'Which ones; all when left out.' }),
      sort: t.arg({ type: ConversationSort, description: 'By latest activity when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, sort, ...page }, { deps, actor, budget }, info) => {
      const { tags, assignee, ...rest } = filter ?? {}
      const nested = {
        ...(tags != null && { tags: omitNull(tags) }),
        ...(assignee != null && { assignee: omitNull(assignee) }),
      }
      const wanted = inputOf(ConversationFilter, { ...omitNull(rest), ...nested })
      const fields = conversationFields(selectedFields(info, 'edges', 'node'))
      return toConnection(
        await listConversations(deps, actor(), wanted, pageRequest(page, budget), sort ?? 'ACTIVITY', fields),
      )
    },
  }),
  conversation: t.field({
    type: Conversation,
    nullable: true,
    description: 'One conversation; null when there is none, or none that you may see.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, actor }) => getConversation(deps, actor(), id).catch(nullWhenMissing),
  }),
}))

function nullWhenMissing(error: unknown): null {
  if (error instanceof NotFoundError) return null
  throw error
}

const StartConversationPayload = builder.simpleObject('StartConversationPayload', {
  interfaces: [MutationPayload],
  description: 'What was started.',
  fields: (t) => ({
    conversation: t.field({ nullable: true, type: Conversation, description: 'The new conversation.' }),
  }),
})

const UpdateConversationPayload = builder.simpleObject('UpdateConversationPayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({
    conversation: t.field({ nullable: true, type: Conversation, description: 'The conversation as it is now.' }),
  }),
})

const SendMessagePayload = builder.simpleObject('SendMessagePayload', {
  interfaces: [MutationPayload],
  description: 'What was sent.',
  fields: (t) => ({ message: t.field({ nullable: true, type: Message, description: 'The new message.' }) }),
})

builder.mutationFields((t) => ({
  startConversation: t.field({
    type: StartConversationPayload,
    nullable: true,
    description: 'Starts a conversation for a visitor, with a first message if given.',
    args: { input: t.arg({ type: StartConversationInput, required: true, description: 'What to start.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const conversation = await startConversation(deps, actor(), inputOf(StartConversation, omitNull(input)))
      return { conversation }
    },
  }),
  updateConversation: t.field({
    type: UpdateConversationPayload,
    nullable: true,
    description: 'Changes status, assignee, tags, subject, priority, snooze or metadata.',
    args: { input: t.arg({ type: UpdateConversationInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { conversationId, ...patch } }, { deps, actor }) => {
      const conversation = await updateConversation(deps, actor(), conversationId, inputOf(ConversationPatch, patch))
      return { conversation }
    },
  }),
  sendMessage: t.field({
    type: SendMessagePayload,
    nullable: true,
    description: 'Adds a message or note to a conversation.',
    args: { input: t.arg({ type: SendMessageInput, required: true, description: 'What to send.' }) },
    resolve: async (_root, { input: { conversationId, ...message } }, { deps, actor }) => ({
      message: await sendMessage(deps, actor(), conversationId, inputOf(SendMessage, omitNull(message))),
    }),
  }),
}))

builder.queryField('inboxCounts', (t) =>
  t.field({
    type: InboxCounts,
    description: 'How many conversations the workspace has in each state.',
    resolve: (_root, _args, { deps, actor }) => countInbox(deps, actor()),
  }),
)

const MarkConversationReadPayload = builder.simpleObject('MarkConversationReadPayload', {
  interfaces: [MutationPayload],
  description: 'What was read.',
  fields: (t) => ({
    conversation: t.field({
      nullable: true,
      type: Conversation,
      description: 'The conversation, with its new marker.',
    }),
  }),
})

builder.mutationField('markConversationRead', (t) =>
  t.field({
    type: MarkConversationReadPayload,
    nullable: true,
    description:
      'Notes how far you have read. The marker never moves back. Personal: nobody hears of it. Not for agents.',
    args: { input: t.arg({ type: MarkConversationReadInput, required: true, description: 'What was read.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      conversation: await markConversationRead(deps, actor(), input),
    }),
  }),
)

const SetTypingPayload = builder.simpleObject('SetTypingPayload', {
  interfaces: [MutationPayload],
  description: 'The signal was sent.',
  fields: (t) => ({ conversationId: t.id({ nullable: true, description: 'Where.' }) }),
})

builder.mutationField('setTyping', (t) =>
  t.field({
    type: SetTypingPayload,
    nullable: true,
    description: 'Says that you are typing, or have stopped. A live signal only.',
    args: { input: t.arg({ type: SetTypingInput, required: true, description: 'Where.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      await setTyping(deps, actor(), input)
      return { conversationId: input.conversationId }
    },
  }),
)
