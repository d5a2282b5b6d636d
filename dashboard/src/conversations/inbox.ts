import type { Client } from '@urql/core'
import { follow } from '../api/follow.ts'
import { openSignal } from '../api/signal.ts'
import type { Inbox } from '../viewer/workspace.ts'
import { InboxFeed } from './documents.ts'

/** Follows the inbox for as long as the workspace is open, so that every list in the cache stays true. */
export function openInbox(client: Client): Inbox & { close(): void } {
  const changed = openSignal()
  const reset = openSignal()
  const close = follow(client, InboxFeed, {
    variables: {},
    cursorOf: ({ inbox }) => inbox.cursor,
    onUpdate: changed.send,
    onFresh: reset.send,
  })
  return { changed, reset, close }
}
