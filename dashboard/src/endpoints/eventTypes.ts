import type { EventType, SubscribableEvent, WebhookEventType } from '../generated/documents.ts'

/** What an endpoint can subscribe to: as it stands in the payload, and what it says. */
export const SUBSCRIPTIONS: readonly { type: SubscribableEvent; name: string; description: string }[] = [
  {
    type: 'MESSAGE_CREATED',
    name: 'message.created',
    description: 'A visitor, a team member or a bot sent a message.',
  },
  { type: 'CONVERSATION_CREATED', name: 'conversation.created', description: 'A conversation was started.' },
  { type: 'CONVERSATION_CLOSED', name: 'conversation.closed', description: 'A conversation was closed.' },
  {
    type: 'CONVERSATION_ASSIGNED',
    name: 'conversation.assigned',
    description: 'A conversation was assigned to a member.',
  },
]

/** What a new endpoint subscribes to by default. */
export const DEFAULT_EVENTS: readonly SubscribableEvent[] = ['MESSAGE_CREATED', 'CONVERSATION_CREATED']

/** `MESSAGE_CREATED` as receivers know it: `message.created`. */
export function eventName(type: EventType | WebhookEventType): string {
  return type.toLowerCase().replace('_', '.')
}

/** What an endpoint subscribes to, as receivers know it. */
export function eventNames(events: readonly SubscribableEvent[]): string[] {
  return events.map(eventName)
}

/** What is sent as webhooks, for menus. */
export const SENT_TYPES: readonly WebhookEventType[] = [
  'MESSAGE_CREATED',
  'CONVERSATION_CREATED',
  'CONVERSATION_CLOSED',
  'CONVERSATION_ASSIGNED',
  'PING',
]
