import { visibleConversations } from '../domain/shared/authorization.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { MessageType } from './enums.ts'
import { Sender } from './sender.ts'

export const Message = builder.prismaNode('Message', {
  nullable: true,
  description: 'What somebody wrote in a conversation.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, conversation: visibleConversations(context.actor()) }),
  fields: (t) => ({
    conversationId: t.exposeID('conversationId', { description: 'Where it was written.' }),
    sequence: t.exposeInt('sequence', { description: "Counts the conversation's messages from 1." }),
    type: t.expose('type', { type: MessageType, description: 'Whose words these are.' }),
    body: t.string({
      description: 'The text, 1 to 20,000 characters.',
      resolve: ({ body }, _args, { budget }) => budget.spend(body),
    }),
    senderId: t.exposeID('senderId', {
      nullable: true,
      description: "The visitor's, member's, agent's or API key's id.",
    }),
    senderName: t.exposeString('senderName', { nullable: true, description: 'The name to show.' }),
    actorId: t.exposeID('actorId', {
      nullable: true,
      description:
        "Who added it: for a visitor's message, the key, agent or member that passed it on. Null for messages before that was kept.",
    }),
    sender: t.field({
      type: Sender,
      nullable: true,
      description: 'Who wrote it; null when they are no more. API keys show themselves to FULL_ACCESS only.',
      resolve: ({ senderId }, _args, { loaders }) => (senderId === null ? null : loaders.senders.load(senderId)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
})

export const MessageConnection = connectionOf(Message, 'Message')

export const SendMessageInput = builder.inputType('SendMessageInput', {
  description: 'A message for a conversation.',
  fields: (t) => ({
    conversationId: t.id({ required: true, description: 'Where to write.' }),
    body: t.string({
      required: true,
      description:
        'After trimming, 1 to 10,000 characters of a visitor or a note; of BOT and AGENT 1 to 20,000, and at most 60,000 bytes as JSON.',
    }),
    type: t.field({
      type: MessageType,
      required: true,
      description:
        "Whose words these are. A visitor's message reopens the conversation, and is not for agents' keys; SYSTEM is not for clients.",
    }),
    senderName: t.string({
      description: "The name to show instead of your own; an agent's AGENT messages and notes always show its own.",
    }),
  }),
})
