import { ValidationError } from '../domain/errors.ts'
import { cursorOf, sequenceOf } from '../domain/messages.ts'
import type { Conversation, Message } from '../generated/prisma/client.ts'
import { type Connection, type ForwardArgs, pageRequest } from './connection.ts'
import type { Loaders } from './loaders.ts'

export interface MessageArgs extends ForwardArgs {
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/**
 * A part of a conversation's messages (Relay's cursor connections). However many conversations ask, it costs one statement.
 * @throws ValidationError for malformed cursors, and for `first` together with `last`
 */
export async function messagePage(
  { id, messageCount }: Pick<Conversation, 'id' | 'messageCount'>,
  { first, after, last, before }: MessageArgs,
  loaders: Loaders,
): Promise<Connection<Message>> {
  if (first != null && last != null) {
    throw new ValidationError([{ path: 'last', message: 'must be left out when `first` is given' }])
  }
  const fromEnd = last != null
  const { limit } = pageRequest({ first: fromEnd ? last : first })
  const range = {
    ...(after != null && { after: sequenceOf(after) }),
    ...(before != null && { before: sequenceOf(before) }),
  }
  // One row more tells whether there is another page.
  const found = await loaders.messages.load({ conversationId: id, ...range, take: limit + 1, fromEnd })
  const rows = fromEnd ? found.slice(-limit) : found.slice(0, limit)
  const isCut = found.length > limit
  const edges = rows.map((node) => ({ cursor: cursorOf(node), node }))
  return {
    edges,
    pageInfo: {
      hasNextPage: fromEnd ? before != null : isCut,
      hasPreviousPage: fromEnd ? isCut : after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: async () => messageCount,
  }
}
