import { visibleConversations } from '../domain/shared/authorization.ts'
import { Actor, resolveActor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { MessageType, SendableMessageType } from './enums.ts'

export const Message = builder.prismaNode('Message', {
  nullable: true,
  description: 'A message, internal note or system entry of a conversation.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, conversation: visibleConversations(context.actor()) }),
  fields: (t) => ({
    conversationId: t.exposeID('conversationId', { description: 'The id of the conversation.' }),
    sequence: t.exposeInt('sequence', {
      description: 'The position of the message in its conversation, starting at 1, without gaps.',
    }),
    type: t.expose('type', { type: MessageType, description: 'The type of the message.' }),
    body: t.string({
      description: 'The text of the message, 1 to 20,000 characters.',
      resolve: ({ body }, _args, { budget }) => budget.spend(body),
    }),
    sender: t.field({
      type: Actor,
      nullable: true,
      description: 'The author of the message. Null when the message has none.',
      resolve: ({ senderId, senderName }, _args, context) =>
        senderId === null ? null : resolveActor({ id: senderId, name: senderName }, context),
    }),
    senderName: t.exposeString('senderName', {
      nullable: true,
      description:
        'The name under which the message was sent: the one that its client gave, else that of the author at the time. Null when there was none.',
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
    clientMessageId: t.exposeString('clientMessageId', {
      nullable: true,
      description: 'The id that the client of the sender gave the message. Null when it gave none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the message was sent.' }),
  }),
})

export const MessageConnection = connectionOf(Message, 'Message')

export const SendMessageInput = builder.inputType('SendMessageInput', {
  description: 'Input of `sendMessage`.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'The id of the conversation.' }),
    body: t.string({
      required: true,
      description:
        'The text, without white space at its ends: 1 to 10,000 characters for VISITOR and NOTE, 1 to 20,000 for BOT and AGENT. At most 60,000 bytes as JSON.',
    }),
    type: t.field({
      type: SendableMessageType,
      required: true,
      description: 'The type of the message. VISITOR reopens the conversation, and is refused for the key of an agent.',
    }),
    clientMessageId: t.string({
      description:
        'An id from the client, 1 to 100 characters, such as a UUID, unique for the conversation and sender. If a message with this id exists, the payload has that message and none is added; another body or type is a CONFLICT. None by default.',
    }),
    senderName: t.string({
      description:
        'The display name, 1 to 100 characters. By default, the name of the author, or `AI Agent` for a BOT message that no installed agent sends. Ignored for AGENT and NOTE messages of an agent, which always have its own name.',
    }),
  }),
})
