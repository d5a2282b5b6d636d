import { type ConversationFeed, openConversationFeed } from './conversation-feed.ts'
import type { Deps } from './deps.ts'
import { type EventLog, openEventLog } from './event-log.ts'
import { type InboxFeed, openInboxFeed } from './inbox-feed.ts'

/** Everything that can be followed live at this node. */
export interface Feeds {
  readonly events: EventLog
  readonly conversations: ConversationFeed
  readonly inbox: InboxFeed
  /** Ends them all with EventStreamEnded. */
  close(): void
}

export function openFeeds(deps: Deps): Feeds {
  const events = openEventLog(deps)
  const conversations = openConversationFeed(deps, events)
  const inbox = openInboxFeed(deps, events)
  return {
    events,
    conversations,
    inbox,
    close() {
      inbox.close()
      conversations.close()
      events.close()
    },
  }
}
