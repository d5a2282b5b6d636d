import type { Deps } from '../domain/shared/deps.ts'
import { type ConversationFeed, openConversationFeed } from './conversation-stream.ts'
import { type DeliveryFeed, openDeliveryFeed } from './delivery-stream.ts'
import { type EventLog, openEventLog } from './event-log.ts'
import { type InboxFeed, openInboxFeed } from './inbox-stream.ts'

/** Everything that can be followed live at this node. */
export interface Feeds {
  readonly events: EventLog
  readonly conversations: ConversationFeed
  readonly inbox: InboxFeed
  readonly deliveries: DeliveryFeed
  /** Ends them all with EventStreamEnded. */
  close(): void
}

export function openFeeds(deps: Deps): Feeds {
  const events = openEventLog(deps)
  const conversations = openConversationFeed(deps, events)
  const inbox = openInboxFeed(deps, events)
  const deliveries = openDeliveryFeed(deps)
  return {
    events,
    conversations,
    inbox,
    deliveries,
    close() {
      deliveries.close()
      inbox.close()
      conversations.close()
      events.close()
    },
  }
}
