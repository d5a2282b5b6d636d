import type { Deps } from '../domain/shared/deps.ts'
import { type ConversationStreams, openConversationStreams } from './conversation-stream.ts'
import { type DeliveryStreams, openDeliveryStreams } from './delivery-stream.ts'
import { type EventLog, openEventLog } from './event-log.ts'
import { type InboxStreams, openInboxStreams } from './inbox-stream.ts'

/** Everything that can be followed live at this node. */
export interface Streams {
  readonly events: EventLog
  readonly conversations: ConversationStreams
  readonly inbox: InboxStreams
  readonly deliveries: DeliveryStreams
  /** Ends them all with StreamEndedError. */
  close(): void
}

export function openStreams(deps: Deps): Streams {
  const events = openEventLog(deps)
  const conversations = openConversationStreams(deps, events)
  const inbox = openInboxStreams(deps, events)
  const deliveries = openDeliveryStreams(deps)
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
