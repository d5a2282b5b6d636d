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

export const ConversationStatus = builder.enumType(Statuses, {
  name: 'ConversationStatus',
  description: 'Where a conversation stands.',
})
export const Channel = builder.enumType(Channels, { name: 'Channel', description: 'How a visitor got in touch.' })
export const MessageType = builder.enumType(MessageTypes, {
  name: 'MessageType',
  description: 'Whose words a message holds. Notes and system messages are seen by the team only.',
})
export const Plan = builder.enumType(Plans, { name: 'Plan', description: 'What a workspace may use.' })
export const MemberRole = builder.enumType(Roles, { name: 'MemberRole', description: 'What a member may do.' })
export const MailStatus = builder.enumType(MailStatuses, {
  name: 'MailStatus',
  description:
    'What became of a mail: PENDING was not handed over yet, SENT the mail server has taken, FAILED it has not.',
})
export const AgentType = builder.enumType(AgentTypes, { name: 'AgentType', description: 'Where an agent comes from.' })
export const EndpointOrdering = builder.enumType(EndpointOrderings, {
  name: 'EndpointOrdering',
  description:
    'What an event waits for when the one before it in its conversation could not be delivered: RELAXED for its first attempt only, STRICT also for its retries, for a bounded time.',
})
export const DisabledReason = builder.enumType('DisabledReason', {
  description: 'Why a webhook endpoint was disabled automatically.',
  values: {
    GONE: { value: 'gone', description: 'The receiver answered 410.' },
    FAILING: { value: 'failing', description: 'Five days of nothing but failure.' },
  } as const,
})
export const ApiKeyPermission = builder.enumType(Permissions, {
  name: 'ApiKeyPermission',
  description: 'What an API key may do; each level contains the one before.',
})

export const BreakerState = builder.enumType('BreakerState', {
  description: "Whether requests go to a webhook's receiver.",
  values: {
    CLOSED: { description: 'They do.' },
    OPEN: { description: 'None does: the receiver was away or overloaded, and is given time.' },
    HALF_OPEN: { description: 'One at a time does, to see whether the receiver is back.' },
  } as const,
})

export const ActorType = builder.enumType('ActorType', {
  description: 'Kinds of those who do something.',
  values: {
    VISITOR: { value: 'visitor' },
    MEMBER: { value: 'member' },
    AGENT: { value: 'agent' },
    API_KEY: { value: 'api_key' },
    SYSTEM: { value: 'system' },
  } as const,
})

export const WebhookEventType = builder.enumType('WebhookEventType', {
  description: 'Kinds of events that are sent as webhooks.',
  values: {
    MESSAGE_CREATED: { value: 'message.created', description: 'A visitor, a person or a bot wrote.' },
    CONVERSATION_CREATED: { value: 'conversation.created', description: 'A conversation started.' },
    CONVERSATION_CLOSED: { value: 'conversation.closed', description: 'A conversation was resolved.' },
    CONVERSATION_ASSIGNED: { value: 'conversation.assigned', description: 'A member was assigned.' },
    PING: { value: 'ping', description: 'Nothing but a greeting: only ever sent on request.' },
  } as const,
})

export const EventType = builder.enumType('EventType', {
  description: 'Kinds of events in the log. The first five are also sent as webhooks.',
  values: {
    MESSAGE_CREATED: { value: 'message.created', description: 'A visitor, a person or a bot wrote.' },
    CONVERSATION_CREATED: { value: 'conversation.created', description: 'A conversation started.' },
    CONVERSATION_CLOSED: { value: 'conversation.closed', description: 'A conversation was resolved.' },
    CONVERSATION_ASSIGNED: { value: 'conversation.assigned', description: 'A member was assigned.' },
    PING: { value: 'ping', description: 'A test on request.' },
    CONVERSATION_UPDATED: { value: 'conversation.updated', description: 'Any field of a conversation changed.' },
    NOTE_CREATED: { value: 'note.created', description: 'A note or system message was added.' },
    ENDPOINT_FAILING: {
      value: 'endpoint.failing',
      description: 'A webhook endpoint has done nothing but fail for two and a half days; after five it is disabled.',
    },
    ENDPOINT_DISABLED: { value: 'endpoint.disabled', description: 'A webhook endpoint was disabled automatically.' },
  } as const,
})
