import type { EventType, SubscribableEvent, WebhookEventType } from '../generated/documents.ts'

/** What an endpoint can subscribe to: each event, and what it says. */
export const SUBSCRIPTIONS: readonly { type: SubscribableEvent; description: string }[] = [
  {
    type: 'MESSAGE_CREATED',
    description: 'A visitor, a team member or a bot sent a message.',
  },
  { type: 'CONVERSATION_CREATED', description: 'A conversation was started.' },
  { type: 'CONVERSATION_CLOSED', description: 'A conversation was closed.' },
  {
    type: 'CONVERSATION_ASSIGNED',
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
export const SENT_TYPES: readonly WebhookEventType[] = [...SUBSCRIPTIONS.map(({ type }) => type), 'PING']
