import type { EventFlagsInput, EventType, WebhookEventType } from '../generated/documents.ts'

type Flag = keyof EventFlagsInput

/** What an endpoint can subscribe to: as it stands in the payload, and what it says. */
export const SUBSCRIPTIONS = [
  { flag: 'onMessageCreated', name: 'message.created', description: 'A visitor, a person or a bot wrote.' },
  { flag: 'onConversationCreated', name: 'conversation.created', description: 'A new conversation was started.' },
  { flag: 'onConversationClosed', name: 'conversation.closed', description: 'A conversation was resolved.' },
  {
    flag: 'onConversationAssigned',
    name: 'conversation.assigned',
    description: 'A conversation was given to somebody.',
  },
] as const satisfies readonly { flag: Flag; name: string; description: string }[]

export type EventFlags = Record<Flag, boolean>

/** What the API takes for flags that nobody gave. */
export const DEFAULT_EVENTS: EventFlags = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
}

export function flagsOf(endpoint: EventFlags): EventFlags {
  const { onMessageCreated, onConversationCreated, onConversationClosed, onConversationAssigned } = endpoint
  return { onMessageCreated, onConversationCreated, onConversationClosed, onConversationAssigned }
}

/** `MESSAGE_CREATED` as receivers know it: `message.created`. */
export function eventName(type: EventType | WebhookEventType): string {
  return type.toLowerCase().replace('_', '.')
}

/** What is sent as webhooks, for menus. */
export const SENT_TYPES: readonly WebhookEventType[] = [
  'MESSAGE_CREATED',
  'CONVERSATION_CREATED',
  'CONVERSATION_CLOSED',
  'CONVERSATION_ASSIGNED',
  'PING',
]
