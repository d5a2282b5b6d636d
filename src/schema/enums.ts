import type { SkipReason } from '../domain/messages/reply.ts'
import {
  AgentType as AgentTypes,
  Channel as Channels,
  EndpointOrdering as EndpointOrderings,
  MailStatus as MailStatuses,
  MessageType as MessageTypes,
  ApiKeyPermission as Permissions,
  Plan as Plans,
  MemberRole as Roles,
  ConversationStatus as Statuses,
} from '../generated/prisma/enums.ts'
import { builder } from './builder.ts'

/** The description of each value of a Prisma enum: none can be left out. */
function described<Name extends string>(descriptions: Record<Name, string>): Record<Name, { description: string }> {
  const values = Object.entries<string>(descriptions).map(([name, description]) => [name, { description }])
  return Object.fromEntries(values) as Record<Name, { description: string }>
}

export const ConversationStatus = builder.enumType(Statuses, {
  name: 'ConversationStatus',
  description: 'The state of a conversation.',
  values: described<Statuses>({
    OPEN: 'The conversation needs attention. New conversations are open.',
    SNOOZED: 'The conversation is set aside until `snoozedUntil`, or until its visitor writes.',
    CLOSED: 'The conversation is resolved. A new message of its visitor reopens it.',
  }),
})

export const Channel = builder.enumType(Channels, {
  name: 'Channel',
  description: 'The channel through which a conversation was started.',
  values: described<Channels>({
    WIDGET: 'A chat widget on a web page.',
    API: 'The REST or GraphQL API.',
    EMAIL: 'An email of the visitor.',
  }),
})

const SENDABLE_MESSAGES = {
  VISITOR: 'A message of the visitor.',
  AGENT: 'A message of a member of the team.',
  BOT: 'A message of an automated agent.',
  NOTE: 'An internal note. Visitors cannot see it.',
} satisfies Partial<Record<MessageTypes, string>>

export const MessageType = builder.enumType(MessageTypes, {
  name: 'MessageType',
  description: 'The type of a message: the kind of its author, or a note of the team.',
  values: described<MessageTypes>({
    ...SENDABLE_MESSAGES,
    SYSTEM: 'An internal entry of the system. Visitors cannot see it, and clients cannot send it.',
  }),
})

export const SendableMessageType = builder.enumType('SendableMessageType', {
  description: 'The type of a message that a client can send.',
  values: described(SENDABLE_MESSAGES),
})

export const ReplySkipReason = builder.enumType('ReplySkipReason', {
  description: 'The reason why a reply was not added to its conversation.',
  values: {
    CONVERSATION_ASSIGNED: {
      value: 'conversation_assigned',
      description: 'The conversation is assigned to a member of the team.',
    },
    CONVERSATION_CLOSED: { value: 'conversation_closed', description: 'The conversation is closed.' },
  } as const satisfies Record<string, { value: SkipReason; description: string }>,
})

export const Plan = builder.enumType(Plans, {
  name: 'Plan',
  description: 'The plan of a workspace. It sets the rate limit of API keys.',
  values: described<Plans>({
    FREE: 'The lower rate limit: 60 requests a minute for each API key, unless the operator sets another one.',
    PRO: 'The higher rate limit: 600 requests a minute for each API key, unless the operator sets another one.',
  }),
})

export const MemberRole = builder.enumType(Roles, {
  name: 'MemberRole',
  description: 'The role of a member. It limits the permission of the member and of their API keys.',
  values: described<Roles>({
    OWNER: 'FULL_ACCESS, and the only role that can add, change or remove owners.',
    ADMIN: 'FULL_ACCESS, including the management of members other than owners.',
    AGENT: 'READ_WRITE: work on conversations, visitors, articles and agents.',
    VIEWER: 'READ_ONLY: list and read.',
  }),
})

export const MailStatus = builder.enumType(MailStatuses, {
  name: 'MailStatus',
  description: 'The state of an email that the server sends.',
  values: described<MailStatuses>({
    PENDING: 'The email was not handed to the mail server yet.',
    SENT: 'The mail server accepted the email.',
    FAILED: 'The mail server did not accept the email.',
  }),
})

const INSTALLABLE_AGENTS = {
  CUSTOM: 'An agent that the team or one of its partners built.',
  MARKETPLACE: 'An agent from a marketplace.',
} satisfies Partial<Record<AgentTypes, string>>

export const AgentType = builder.enumType(AgentTypes, {
  name: 'AgentType',
  description: 'The origin of an agent.',
  values: described<AgentTypes>({
    ...INSTALLABLE_AGENTS,
    BUILT_IN: 'An agent that is part of GudDesk.',
  }),
})

export const InstallableAgentType = builder.enumType('InstallableAgentType', {
  description: 'The origin of an agent that a client can install.',
  values: described(INSTALLABLE_AGENTS),
})

export const EndpointOrdering = builder.enumType(EndpointOrderings, {
  name: 'EndpointOrdering',
  description: 'The order in which a webhook endpoint receives the events of one conversation after a failed attempt.',
  values: described<EndpointOrderings>({
    RELAXED: 'An event waits for the first attempt of the previous event in its conversation, not for its retries.',
    STRICT: 'An event also waits for the retries of the previous event in its conversation, up to its fifth attempt.',
  }),
})

export const DisabledReason = builder.enumType('DisabledReason', {
  description: 'The reason why a webhook endpoint was disabled automatically.',
  values: {
    GONE: { value: 'gone', description: 'The receiver responded with HTTP status 410.' },
    FAILING: { value: 'failing', description: 'Attempts failed for five days without a success.' },
  } as const,
})

export const ApiKeyPermission = builder.enumType(Permissions, {
  name: 'ApiKeyPermission',
  description: 'A permission level. Each level includes the lower ones.',
  values: described<Permissions>({
    READ_ONLY: 'List and read.',
    READ_WRITE:
      'Create and change conversations, messages, visitors and articles; install and change agents; send typing signals.',
    FULL_ACCESS:
      'Delete articles and collections; uninstall agents; manage webhook endpoints and API keys. Includes READ_WRITE.',
  }),
})

export const BreakerState = builder.enumType('BreakerState', {
  description: 'The state of the circuit breaker of a webhook endpoint.',
  values: {
    CLOSED: { description: 'Requests are sent to the receiver.' },
    OPEN: { description: 'Requests are held back, because the receiver is down or overloaded.' },
    HALF_OPEN: { description: 'One request at a time is sent, to test whether the receiver responds again.' },
  } as const,
})

/** The events that an endpoint can subscribe to. */
const SUBSCRIBABLE_EVENTS = {
  MESSAGE_CREATED: { value: 'message.created', description: 'A visitor, a person or a bot sent a message.' },
  CONVERSATION_CREATED: { value: 'conversation.created', description: 'A conversation was started.' },
  CONVERSATION_CLOSED: { value: 'conversation.closed', description: 'A conversation was closed.' },
  CONVERSATION_ASSIGNED: {
    value: 'conversation.assigned',
    description: 'A conversation was assigned to a member. Not sent when it is unassigned.',
  },
} as const

/** The events that are sent as webhooks; all of them are in the log, too. */
const WEBHOOK_EVENTS = {
  ...SUBSCRIBABLE_EVENTS,
  PING: { value: 'ping', description: 'A test of a webhook endpoint. Sent on request only.' },
} as const

export const SubscribableEvent = builder.enumType('SubscribableEvent', {
  description: 'The type of an event that a webhook endpoint can subscribe to.',
  values: SUBSCRIBABLE_EVENTS,
})

export const WebhookEventType = builder.enumType('WebhookEventType', {
  description: 'The type of an event that is sent as a webhook.',
  values: WEBHOOK_EVENTS,
})

export const EventType = builder.enumType('EventType', {
  description: 'The type of an event in the log. Types that are also in `WebhookEventType` are sent as webhooks.',
  values: {
    ...WEBHOOK_EVENTS,
    CONVERSATION_UPDATED: {
      value: 'conversation.updated',
      description: 'One or more fields of a conversation changed. `changedFields` has their names.',
    },
    NOTE_CREATED: { value: 'note.created', description: 'An internal note or system message was added.' },
    VISITOR_UPDATED: {
      value: 'visitor.updated',
      description:
        'The name, email address or picture of a visitor changed. `changedFields` has the names of the fields. Belongs to no conversation.',
    },
    ENDPOINT_FAILING: {
      value: 'endpoint.failing',
      description:
        'A webhook endpoint had only failed attempts for two and a half days. After five days it will be disabled.',
    },
    ENDPOINT_DISABLED: { value: 'endpoint.disabled', description: 'A webhook endpoint was disabled automatically.' },
  } as const,
})
