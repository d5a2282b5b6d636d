import DataLoader from 'dataloader'
import { articleBodies } from '../domain/articles.ts'
import type { Deps } from '../domain/deps.ts'
import { type MessageSlice, messagesOf } from '../domain/messages.ts'
import type { Message } from '../generated/prisma/client.ts'

export interface MessageKey extends MessageSlice {
  readonly conversationId: string
}

/** What fields of many objects ask for one by one, asked of the database once. Nothing is kept: subscriptions live long. */
export interface Loaders {
  readonly messages: DataLoader<MessageKey, Message[], string>
  /** By the article's id. */
  readonly articleBodies: DataLoader<string, string>
}

export function createLoaders(deps: Deps): Loaders {
  return {
    messages: new DataLoader((keys) => loadMessages(deps, keys), { cache: false }),
    articleBodies: new DataLoader((ids) => articleBodies(deps, ids), { cache: false }),
  }
}

/** One statement for each distinct slice: one per field of the query. */
async function loadMessages(deps: Deps, keys: readonly MessageKey[]): Promise<Message[][]> {
  const sliceOf = ({ conversationId: _, ...slice }: MessageKey) => JSON.stringify(slice)
  const bySlice = Map.groupBy(keys, sliceOf)
  const found = new Map<string, Map<string, Message[]>>()
  for (const [slice, [first, ...rest]] of bySlice) {
    if (first === undefined) continue
    const ids = [first, ...rest].map(({ conversationId }) => conversationId)
    found.set(slice, await messagesOf(deps, [...new Set(ids)], first))
  }
  return keys.map((key) => found.get(sliceOf(key))?.get(key.conversationId) ?? [])
}
