import type { Client } from '@urql/core'
import { follow } from '../api/follow.ts'
import { openSignal } from '../api/signal.ts'
import type { ConversationFilter, ListFeedSubscription } from '../generated/documents.ts'
import type { Inbox } from '../viewer/workspace.ts'
import { InboxFeed, ListFeed } from './documents.ts'

/** Follows the inbox for as long as the workspace is open, so that the counts in the cache stay true. */
export function openInbox(client: Client): Inbox & { close(): void } {
  const changed = openSignal()
  let cursor: string | null = null
  const close = follow(client, InboxFeed, {
    variables: {},
    cursorOf: ({ inbox }) => inbox.cursor,
    onUpdate: ({ inbox }) => {
      cursor = inbox.cursor
      changed.send()
    },
  })
  return { changed, cursor: () => cursor, left: new Map(), close }
}

interface FollowList {
  readonly filter: ConversationFilter
  /** A cursor of the inbox from before the list was read; null: none was known yet. */
  readonly after: string | null
  /** After each update. The cache has the conversations already, and the first pages of the list those that have entered it. */
  readonly onUpdate?: (update: ListFeedSubscription['inbox']) => void
  /** Nothing is known of the time until now: the list must be read again. */
  readonly onFresh: () => void
}

/** Follows one list, which has been read. @returns ends it */
export function followList(client: Client, { filter, after, onUpdate, onFresh }: FollowList): () => void {
  return follow(client, ListFeed, {
    variables: { filter },
    after,
    cursorOf: ({ inbox }) => inbox.cursor,
    onUpdate: ({ inbox }) => onUpdate?.(inbox),
    onFresh,
  })
}
