import type { ObjectFieldsShape, ObjectRef } from '@pothos/core'
import { dataOf, dataVisibleTo, maySeeEndpoint } from '../domain/events/event-data.ts'
import type { LoggedEvent } from '../domain/events/event-position.ts'
import type { EventType as EventTypeName } from '../domain/events/events.ts'
import { Actor, resolveActor } from './actor.ts'
import { builder, eventTypeName, ID_DESCRIPTION, type Kinds } from './builder.ts'
import type { Context } from './context.ts'
import { Conversation } from './conversation.ts'
import { DisabledReason, EventType } from './enums.ts'
import type { ById } from './loaders.ts'
import { Message } from './message.ts'
import { Visitor } from './visitor.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'
import { Member } from './workspace.ts'

export const Event = builder.interfaceRef<LoggedEvent>('Event')

const NO_WEBHOOK = 'Not sent as a webhook: `payload` has'
const NEIGHBOURS_PAYLOAD =
  'For the key of an agent to which the endpoint does not belong, it has only `endpointId`, `workspaceId` and `actor`.'
const IF_GONE = 'Null for a test event, and when it was deleted.'
const IF_NEIGHBOUR = 'Null for the key of an agent when the endpoint does not belong to it.'

/** What an event names, if it is still there. Sample data names nothing. */
function named<Row>({ isTest }: LoggedEvent, id: string, loader: ById<Row>): Promise<Row | null> | null {
  return isTest ? null : loader.load(id)
}

/** A link to the message of an event. */
const messageField = (what: string) =>
  ({
    type: Message,
    nullable: true,
    description: `${what} ${IF_GONE}`,
    resolve: (event: LoggedEvent<'message.created' | 'note.created'>, _args: object, { loaders }: Context) =>
      named(event, dataOf(event).messageId, loaders.messagesById),
  }) as const

/** A link to the visitor of an event. */
const visitorField = (what: string) =>
  ({
    type: Visitor,
    nullable: true,
    description: `${what} ${IF_GONE}`,
    resolve: (event: LoggedEvent<'conversation.created' | 'visitor.updated'>, _args: object, { loaders }: Context) =>
      named(event, dataOf(event).visitorId, loaders.visitors),
  }) as const

/** The link to the endpoint of an event. */
const ENDPOINT_FIELD = {
  type: WebhookEndpoint,
  nullable: true,
  description: `The webhook endpoint. Null when it was unregistered or deleted. ${IF_NEIGHBOUR}`,
  resolve: (event: LoggedEvent<'endpoint.failing' | 'endpoint.disabled'>, _args: object, { loaders }: Context) =>
    named(event, dataOf(event).endpointId, loaders.webhookEndpoints),
} as const

/** The object type of a type of event. `fields` are those that only this type has. */
function eventObject<Type extends EventTypeName>(
  type: Type,
  description: string,
  fields: ObjectFieldsShape<Kinds, LoggedEvent<Type>> = () => ({}),
): ObjectRef<Kinds, LoggedEvent<Type>> {
  return builder
    .objectRef<LoggedEvent<Type>>(eventTypeName(type))
    .implement({ description, interfaces: [builder.nodeInterfaceRef(), Event], fields })
}

/** One for every type of event: the fields are what only the event says, and links to what it names. */
const OBJECTS: { readonly [Type in EventTypeName]: ObjectRef<Kinds, LoggedEvent<Type>> } = {
  'message.created': eventObject('message.created', 'A visitor, a person or a bot sent a message.', (t) => ({
    message: t.field(messageField('The message.')),
  })),
  'note.created': eventObject(
    'note.created',
    `An internal note or system message was added. ${NO_WEBHOOK} \`conversationId\`, \`messageId\`, \`workspaceId\`, \`sequence\` and \`actor\`.`,
    (t) => ({
      message: t.field(messageField('The note or system message.')),
    }),
  ),
  'conversation.created': eventObject('conversation.created', 'A conversation was started.', (t) => ({
    visitor: t.field(visitorField('The visitor of the conversation.')),
    firstMessage: t.string({
      nullable: true,
      description: 'The text of the first message. Null when the conversation was started without one.',
      resolve: (event, _args, { budget }) => budget.spend(dataOf(event).firstMessage),
    }),
  })),
  'conversation.assigned': eventObject('conversation.assigned', 'A conversation was assigned to a member.', (t) => ({
    assignee: t.field({
      type: Member,
      nullable: true,
      description: 'The member who was assigned. Null for a test event, and when the member has left the workspace.',
      resolve: (event, _args, { loaders }) => named(event, dataOf(event).assigneeId, loaders.membersById),
    }),
    assigneeName: t.string({
      description: 'The name of the member at the time of the event.',
      resolve: (event) => dataOf(event).assigneeName,
    }),
    assignedBy: t.field({
      type: Actor,
      description: 'The actor that assigned the conversation.',
      resolve: (event, _args, context) => {
        const { assignedBy: id, assignedByName: name } = dataOf(event)
        return resolveActor({ id, name }, context)
      },
    }),
  })),
  'conversation.closed': eventObject('conversation.closed', 'A conversation was closed.', (t) => ({
    closedBy: t.field({
      type: Actor,
      description: 'The actor that closed the conversation.',
      resolve: (event, _args, context) => {
        const { closedBy: id, closedByName: name } = dataOf(event)
        return resolveActor({ id, name }, context)
      },
    }),
    closedAt: t.field({
      type: 'DateTime',
      description: 'The time when the conversation was closed.',
      resolve: (event) => new Date(dataOf(event).closedAt),
    }),
  })),
  'conversation.updated': eventObject(
    'conversation.updated',
    `One or more fields of a conversation changed. Also logged when a conversation is assigned, closed or reopened. ${NO_WEBHOOK} \`conversationId\`, \`changed\`, \`workspaceId\` and \`actor\`.`,
    (t) => ({
      changedFields: t.stringList({
        description:
          'The names of the fields that changed, at most 8: `assigneeId`, `closedAt`, `metadata`, `priority`, `snoozedUntil`, `status`, `subject`, `tags`.',
        resolve: (event) => dataOf(event).changed,
      }),
    }),
  ),
  'visitor.updated': eventObject(
    'visitor.updated',
    `The name, email address or picture of a visitor changed. ${NO_WEBHOOK} \`visitorId\`, \`changed\`, \`workspaceId\` and \`actor\`.`,
    (t) => ({
      visitor: t.field(visitorField('The visitor.')),
      changedFields: t.stringList({
        description: 'The names of the fields that changed, at most 3: `avatarUrl`, `email`, `name`.',
        resolve: (event) => dataOf(event).changed,
      }),
    }),
  ),
  'endpoint.failing': eventObject(
    'endpoint.failing',
    `A webhook endpoint had only failed attempts for two and a half days. After five days it will be disabled. ${NO_WEBHOOK} \`endpointId\`, \`url\`, \`agentId\`, \`failingSince\`, \`disabledAt\`, \`workspaceId\` and \`actor\`. ${NEIGHBOURS_PAYLOAD}`,
    (t) => ({
      endpoint: t.field(ENDPOINT_FIELD),
      failingSince: t.field({
        type: 'DateTime',
        nullable: true,
        description: `The time of the first failed attempt since the last success. ${IF_NEIGHBOUR}`,
        resolve: (event, _args, { actor }) =>
          maySeeEndpoint(actor(), event) ? new Date(dataOf(event).failingSince) : null,
      }),
      disableAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: `The time when the endpoint will be disabled, unless an attempt succeeds. ${IF_NEIGHBOUR}`,
        resolve: (event, _args, { actor }) =>
          maySeeEndpoint(actor(), event) ? new Date(dataOf(event).disabledAt) : null,
      }),
    }),
  ),
  'endpoint.disabled': eventObject(
    'endpoint.disabled',
    `A webhook endpoint was disabled automatically. ${NO_WEBHOOK} \`endpointId\`, \`url\`, \`agentId\`, \`reason\`, \`workspaceId\` and \`actor\`. ${NEIGHBOURS_PAYLOAD}`,
    (t) => ({
      endpoint: t.field(ENDPOINT_FIELD),
      reason: t.field({
        type: DisabledReason,
        nullable: true,
        description: `The reason why the endpoint was disabled. ${IF_NEIGHBOUR}`,
        resolve: (event, _args, { actor }) => (maySeeEndpoint(actor(), event) ? dataOf(event).reason : null),
      }),
    }),
  ),
  ping: eventObject('ping', 'A test of a webhook endpoint, sent on request.'),
}

Event.implement({
  description:
    'An event of the log: an immutable record of a change in the workspace. Each type of event has an object type with further fields.',
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: ({ type }) => OBJECTS[type],
  fields: (t) => ({
    id: t.exposeID('id', { description: ID_DESCRIPTION }),
    type: t.expose('type', { type: EventType, description: 'The type of the event.' }),
    actor: t.field({
      type: Actor,
      description: 'The actor that caused the event. An UnavailableActor for the sample data of a test event.',
      resolve: (event, _args, context) => resolveActor(dataOf(event).actor, context),
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description:
        'The conversation that the event is about. Null when the event has none, and when the conversation was deleted.',
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId === null ? null : loaders.conversations.load(conversationId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the event happened.' }),
    isTest: t.exposeBoolean('isTest', { description: 'Whether the event is a test event, with sample data.' }),
    payload: t.field({
      type: 'JSONObject',
      description:
        'The data of the event at the time when it happened: the `data` of the webhook, as the same JSON text. For a type that is not sent as a webhook, the description of the object type lists the keys.',
      resolve: (event, _args, { actor, budget }) => {
        budget.spend(event.body)
        return dataVisibleTo(actor(), event)
      },
    }),
  }),
})
