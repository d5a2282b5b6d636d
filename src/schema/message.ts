import { MessageColumns } from '../domain/messages/message-columns.ts'
import { Reply } from '../domain/messages/reply.ts'
import { SendMessageOnce } from '../domain/messages/send-message.ts'
import { visibleConversations } from '../domain/shared/authorization.ts'
import { Actor, resolveActor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { MessageType, SendableMessageType } from './enums.ts'
import { inputFields, outputFields } from './fields.ts'

export const Message = builder.prismaNode('Message', {
  nullable: true,
  description: 'A message, internal note or system entry of a conversation.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, conversation: visibleConversations(context.actor()) }),
  fields: (t) => ({
    ...outputFields(t, MessageColumns.omit({ body: true, senderId: true, actorId: true }).shape, {
      conversationId: 'ID',
      type: MessageType,
    }),
    body: t.string({
      description: MessageColumns.shape.body.description ?? '',
      resolve: ({ body }, _args, { budget }) => budget.spend(body),
    }),
    sender: t.field({
      type: Actor,
      nullable: true,
      description: 'The author of the message. Null when the message has none.',
      resolve: ({ senderId, senderName }, _args, context) =>
        senderId === null ? null : resolveActor({ id: senderId, name: senderName }, context),
    }),
    actor: t.field({
      type: Actor,
      nullable: true,
      description:
        'The actor that added the message. For a message of a visitor, the API key, agent or member that submitted it. Null for old messages without this information.',
      resolve: ({ actorId, senderId, senderName }, _args, context) =>
        actorId === null
          ? null
          : resolveActor({ id: actorId, name: actorId === senderId ? senderName : null }, context),
    }),
  }),
})

export const MessageConnection = connectionOf(Message, 'Message')

export const SendMessageInput = builder.inputType('SendMessageInput', {
  description: 'Input of `sendMessage`.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    ...inputFields(t, SendMessageOnce.shape, { type: SendableMessageType }),
  }),
})

export const ReplyToConversationInput = builder.inputType('ReplyToConversationInput', {
  description: 'Input of `replyToConversation`.',
  fields: (t) => inputFields(t, Reply.shape, { conversationId: 'ID' }),
})
