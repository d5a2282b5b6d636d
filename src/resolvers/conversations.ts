import { ConversationFilter } from '../domain/conversations/conversation-filter.ts'
import { getConversation } from '../domain/conversations/conversations.ts'
import { countInbox } from '../domain/conversations/inbox-counts.ts'
import { listConversations } from '../domain/conversations/list-conversations.ts'
import { markConversationRead } from '../domain/conversations/read-states.ts'
import { ConversationPatch, updateConversation } from '../domain/conversations/update-conversation.ts'
import { Reply, reply } from '../domain/messages/reply.ts'
import { SendMessageOnce, sendMessage } from '../domain/messages/send-message.ts'
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
import { ReplySkipReason } from '../schema/enums.ts'
import { MutationPayload } from '../schema/errors.ts'
import { selectedOfRows } from '../schema/field-selection.ts'
import { Message, ReplyToConversationInput, SendMessageInput } from '../schema/message.ts'
import { conditionsOf, inputOf, omitNull } from './input.ts'

builder.queryFields((t) => ({
  conversations: t.field({
    type: ConversationConnection,
    description:
      'The conversations of the workspace, latest first. New activity while paging neither skips nor repeats a conversation.',
    args: {
      filter: t.arg({
        type: ConversationFilterInput,
        description: 'Conditions on the conversations. All conversations by default.',
      }),
      sort: t.arg({ type: ConversationSort, description: 'The order of the list. ACTIVITY by default.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, sort, ...page }, { deps, actor, budget }, info) => {
      const wanted = inputOf(ConversationFilter, conditionsOf(filter))
      const fields = conversationFields(selectedOfRows(info))
      return toConnection(
        await listConversations(deps, actor(), wanted, pageRequest(page, budget), sort ?? 'ACTIVITY', fields),
      )
    },
  }),
  conversation: t.field({
    type: Conversation,
    nullable: true,
    description: 'A conversation by its id. Null when it does not exist or the caller cannot see it.',
    args: { id: t.arg.id({ required: true, description: 'The id of the conversation.' }) },
    resolve: (_root, { id }, { deps, actor }) => getConversation(deps, actor(), id).catch(nullWhenMissing),
  }),
}))

function nullWhenMissing(error: unknown): null {
  if (error instanceof NotFoundError) return null
  throw error
}

const StartConversationPayload = builder.simpleObject('StartConversationPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `startConversation`.',
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      description: 'The new conversation.',
    }),
  }),
})

const UpdateConversationPayload = builder.simpleObject('UpdateConversationPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateConversation`.',
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      description: 'The conversation in its current state.',
    }),
  }),
})

const SendMessagePayload = builder.simpleObject('SendMessagePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `sendMessage`.',
  fields: (t) => ({
    message: t.field({
      type: Message,
      description: 'The new message.',
    }),
  }),
})

builder.mutationFields((t) => ({
  startConversation: t.field({
    type: StartConversationPayload,
    description: 'Starts a conversation for a visitor, optionally with a first message.',
    args: {
      input: t.arg({
        type: StartConversationInput,
        required: true,
        description: 'The visitor, and the properties of the new conversation.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => {
      const conversation = await startConversation(deps, actor(), inputOf(StartConversation, omitNull(input)))
      return { conversation }
    },
  }),
  updateConversation: t.field({
    type: UpdateConversationPayload,
    description: 'Changes the status, assignee, tags, subject, priority, snooze or metadata of a conversation.',
    args: {
      input: t.arg({ type: UpdateConversationInput, required: true, description: 'The conversation and its changes.' }),
    },
    resolve: async (_root, { input: { conversationId, ...patch } }, { deps, actor }) => {
      const conversation = await updateConversation(deps, actor(), conversationId, inputOf(ConversationPatch, patch))
      return { conversation }
    },
  }),
  sendMessage: t.field({
    type: SendMessagePayload,
    description: 'Adds a message or an internal note to a conversation.',
    args: {
      input: t.arg({ type: SendMessageInput, required: true, description: 'The conversation and the message.' }),
    },
    resolve: async (_root, { input: { conversationId, ...message } }, { deps, actor }) => ({
      message: await sendMessage(deps, actor(), conversationId, inputOf(SendMessageOnce, omitNull(message))),
    }),
  }),
}))

const ReplyToConversationPayload = builder.simpleObject('ReplyToConversationPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `replyToConversation`: either a message, or the reason why none was added.',
  fields: (t) => ({
    message: t.field({
      type: Message,
      nullable: true,
      description: 'The new message. Null when the reply was skipped, or the mutation was refused.',
    }),
    skipReason: t.field({
      type: ReplySkipReason,
      nullable: true,
      description:
        'The reason why the reply was skipped. Null when the message was added, or the mutation was refused.',
    }),
  }),
})

builder.mutationField('replyToConversation', (t) =>
  t.field({
    type: ReplyToConversationPayload,
    description:
      'Adds a BOT message to a conversation, unless it is assigned to a member or closed: then the reply is skipped. Ends the typing signal of the caller in both cases.',
    args: {
      input: t.arg({ type: ReplyToConversationInput, required: true, description: 'The conversation and the reply.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => {
      const result = await reply(deps, actor(), inputOf(Reply, omitNull(input)))
      return result.skipped
        ? { message: null, skipReason: result.reason }
        : { message: result.message, skipReason: null }
    },
  }),
)

builder.queryField('inboxCounts', (t) =>
  t.field({
    type: InboxCounts,
    description: 'The number of conversations in the workspace, by state.',
    resolve: (_root, _args, { deps, actor }) => countInbox(deps, actor()),
  }),
)

const MarkConversationReadPayload = builder.simpleObject('MarkConversationReadPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `markConversationRead`.',
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      description: 'The conversation, with its new `lastReadSequence`.',
    }),
  }),
})

builder.mutationField('markConversationRead', (t) =>
  t.field({
    type: MarkConversationReadPayload,
    description:
      'Marks the messages of a conversation as read by the caller. The marker never moves back, and other people cannot see it. Refused for agents.',
    args: {
      input: t.arg({
        type: MarkConversationReadInput,
        required: true,
        description: 'The conversation and the last message that was read.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      conversation: await markConversationRead(deps, actor(), input),
    }),
  }),
)

const SetTypingPayload = builder.simpleObject('SetTypingPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `setTyping`.',
  fields: (t) => ({
    conversationId: t.id({
      description: 'The id of the conversation.',
    }),
  }),
})

builder.mutationField('setTyping', (t) =>
  t.field({
    type: SetTypingPayload,
    description:
      'Signals that the caller started or stopped typing. The signal lasts 10 seconds for people and 60 seconds for agents and API keys, and is not stored.',
    args: {
      input: t.arg({
        type: SetTypingInput,
        required: true,
        description: 'The conversation, and whether the caller is typing.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => {
      await setTyping(deps, actor(), { conversationId: input.conversationId, typing: input.isTyping })
      return { conversationId: input.conversationId }
    },
  }),
)
