import { ownedConversations } from '../domain/conversations/list-conversations.ts'
import { isNeighbour } from '../domain/shared/authorization.ts'
import { Agent } from './agent.ts'
import { builder } from './builder.ts'
import { pageArgs, pageRequest, toConnection } from './connection.ts'
import { Conversation, ConversationConnection } from './conversation.ts'
import { loadMany, readerOf } from './loaders.ts'
import { Message } from './message.ts'

builder.prismaObjectField(Message, 'conversation', (t) =>
  t.field({
    type: Conversation,
    nullable: true,
    description: 'The conversation that the message belongs to. Null when it was deleted in the meantime.',
    resolve: ({ conversationId }, _args, { loaders }) => loaders.conversations.load(conversationId),
  }),
)

builder.prismaObjectField(Agent, 'conversations', (t) =>
  t.field({
    type: ConversationConnection,
    nullable: true,
    description:
      'The conversations in which the agent sent a message or note, latest activity first. Null for the key of another agent, and when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async ({ id }, page, { actor, loaders, budget }) => {
      const request = pageRequest(page, budget)
      if (isNeighbour(actor(), id)) return null
      return toConnection(
        await ownedConversations(request, {
          ...readerOf(loaders.agentConversations, id),
          rows: (ids) => loadMany(loaders.conversations, ids),
        }),
      )
    },
  }),
)
