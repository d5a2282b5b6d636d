import { randomUUID } from 'node:crypto'
import type { MessageType } from '../../generated/prisma/enums.ts'
import { Prisma } from '../../infra/database/db.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { Bus } from '../../infra/redis/bus.ts'
import type { ActorRef } from '../shared/actor.ts'
import { newId } from '../shared/ids.ts'
import type { EventTx } from './event-lock.ts'

/** What happened, by type. Key order is the order in the payload. Clients in the field read these names. */
export interface EventData {
  'message.created': {
    conversationId: string
    messageId: string
    type: Extract<MessageType, 'VISITOR' | 'AGENT' | 'BOT'>
    body: string
    workspaceId: string
    assigneeId: string | null
    senderName: string | null
    /** Counts the conversation's messages from 1. */
    sequence: number
  }
  'conversation.created': {
    conversationId: string
    visitorId: string
    status: string
    firstMessage: string | null
    createdAt: string
    workspaceId: string
    channel: string
    subject: string | null
  }
  'conversation.closed': {
    conversationId: string
    closedBy: string
    closedByName: string
    closedAt: string
    workspaceId: string
  }
  'conversation.assigned': {
    conversationId: string
    assigneeId: string
    assigneeName: string
    assignedBy: string
    assignedByName: string
    workspaceId: string
  }
  ping: { message: string }
  /** In the log only, for live screens: what the four webhook events do not say. */
  'conversation.updated': { conversationId: string; changed: string[]; workspaceId: string }
  'note.created': { conversationId: string; messageId: string; workspaceId: string; sequence: number }
  /** In the log once, however many conversations the visitor has. */
  'visitor.updated': { visitorId: string; changed: string[]; workspaceId: string }
  'endpoint.disabled': EndpointEvent & { reason: 'gone' | 'failing' }
  /** It has done nothing but fail for half the time after which it is disabled. */
  'endpoint.failing': EndpointEvent & { failingSince: string; disabledAt: string }
}

interface EndpointEvent {
  endpointId: string
  url: string
  /** The agent that it belongs to. */
  agentId: string | null
  workspaceId: string
}

export type EventType = keyof EventData

/** The flag on an endpoint that subscribes it, by event type. Types without one never leave as webhooks by themselves. */
const SUBSCRIPTION_FLAGS = {
  'message.created': 'onMessageCreated',
  'conversation.created': 'onConversationCreated',
  'conversation.closed': 'onConversationClosed',
  'conversation.assigned': 'onConversationAssigned',
} as const satisfies Partial<Record<EventType, string>>

/** What an endpoint can subscribe to. */
export type SubscribableEvent = keyof typeof SUBSCRIPTION_FLAGS
/** An endpoint's flags, one for each event. */
export type SubscriptionFlags = Record<(typeof SUBSCRIPTION_FLAGS)[SubscribableEvent], boolean>

const SUBSCRIBABLE_EVENTS = Object.keys(SUBSCRIPTION_FLAGS) as SubscribableEvent[]

/** The events that an endpoint receives. */
export function subscribedEvents(flags: SubscriptionFlags): SubscribableEvent[] {
  return SUBSCRIBABLE_EVENTS.filter((type) => flags[SUBSCRIPTION_FLAGS[type]])
}

/** The flags of an endpoint that receives these events and no others. */
export function subscriptionFlags(events: readonly SubscribableEvent[]): SubscriptionFlags {
  return Object.fromEntries(
    SUBSCRIBABLE_EVENTS.map((type) => [SUBSCRIPTION_FLAGS[type], events.includes(type)]),
  ) as SubscriptionFlags
}

/** What is sent as webhooks: each by its flag, and a ping on request. */
export const WEBHOOK_EVENT_TYPES = [
  'message.created',
  'conversation.created',
  'conversation.closed',
  'conversation.assigned',
  'ping',
] as const satisfies EventType[]

export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number]

export interface NewEvent<T extends EventType> {
  readonly type: T
  readonly workspaceId: string
  readonly conversationId: string | null
  readonly data: EventData[T]
  readonly actor: ActorRef
  readonly at: Date
}

/** Rules, timers and the dispatcher act as the system. */
export const SYSTEM: ActorRef = { type: 'system', id: 'system', name: 'GudDesk' }

/** Topics on the bus. Something is due, at the endpoints named or anywhere. */
export const DISPATCH_TOPIC = 'dispatch'
/** Endpoints are not what they were: disabled, deleted, another URL or secret. What was read for them is read again. */
export const ENDPOINTS_TOPIC = 'endpoints'
export const eventsTopic = (workspaceId: string) => `events:${workspaceId}`
export const typingTopic = (workspaceId: string) => `typing:${workspaceId}`

/**
 * Tells every dispatcher, at once, that something is due. After a commit only: they read the database.
 * @param endpointIds where; none: anywhere
 */
export function notifyDispatcher(bus: Pick<Bus, 'notify'>, endpointIds: readonly string[] = []): void {
  bus.notify(DISPATCH_TOPIC, endpointIds)
}

/**
 * Stores an event with the exact text that will be signed, and a delivery for every endpoint that subscribes to its
 * type, in one statement inside the caller's transaction, which holds the locks of what it records: the function
 * record_event_1 of the migrations. An agent that ignores its own events gets none for what it did itself. The bus hears of
 * it after the commit.
 */
export async function recordEvent<T extends EventType>(tx: EventTx, bus: Bus, event: NewEvent<T>): Promise<void> {
  const { type, workspaceId, conversationId, actor, at } = event
  const [row] = await tx.db.$queryRaw<{ endpointIds: string[] }[]>`
    SELECT record_event_1(${newId('event')}, ${workspaceId}, ${type}, ${conversationId}, ${textOf(event)}, ${at}::timestamptz,
                          ${causingAgent(actor)}) AS "endpointIds"`
  tx.afterCommit(() => tellOfEvent(bus, workspaceId, row?.endpointIds ?? []))
}

/** The agent that caused an event: it may ignore its own. */
export function causingAgent({ type, id }: ActorRef): string | null {
  return type === 'agent' ? id : null
}

/** Tells dispatchers and live streams of an event, after its commit. @param endpointIds those that have something to send */
export function tellOfEvent(bus: Bus, workspaceId: string, endpointIds: readonly string[]): void {
  if (endpointIds.length > 0) notifyDispatcher(bus, endpointIds)
  bus.notify(eventsTopic(workspaceId))
}

/** The same change of several conversations of a workspace. */
interface BulkUpdate {
  readonly workspaceId: string
  readonly conversationIds: readonly string[]
  /** The fields that changed. */
  readonly changed: string[]
  readonly actor: ActorRef
  readonly at: Date
}

/** Stores `conversation.updated`, which is no webhook, for any number of conversations in one statement, in their order. */
export async function recordBulkUpdate(
  tx: EventTx,
  bus: Bus,
  { workspaceId, conversationIds, changed, actor, at }: BulkUpdate,
): Promise<void> {
  if (conversationIds.length === 0) return
  const type = 'conversation.updated'
  const ids = conversationIds.map(() => newId('event'))
  const bodies = conversationIds.map((conversationId) =>
    textOf({ type, data: { conversationId, changed, workspaceId }, actor, at }),
  )
  await tx.db.$executeRaw`
    INSERT INTO events (id, workspace_id, type, conversation_id, body, created_at)
    SELECT id, ${workspaceId}, ${type}, conversation_id, body, ${at}::timestamptz
      FROM unnest(${ids}::text[], ${conversationIds}::text[], ${bodies}::text[])
           WITH ORDINALITY AS event(id, conversation_id, body, n)
     ORDER BY n`
  tx.afterCommit(() => bus.notify(eventsTopic(workspaceId)))
}

/**
 * Stores a test event and its delivery to one endpoint, whatever that subscribes to and whether it is enabled. It takes
 * the road of every other delivery, and is marked at every step. Its data belongs to no conversation.
 * @returns the delivery's id
 */
export async function recordTestEvent<T extends WebhookEventType>(
  tx: EventTx,
  bus: Bus,
  event: Omit<NewEvent<T>, 'conversationId'>,
  endpointId: string,
): Promise<string> {
  const { type, workspaceId, at } = event
  const eventId = newId('event')
  const rows = await tx.db.$queryRaw<{ id: string }[]>`
    WITH event AS (
      INSERT INTO events (id, workspace_id, type, is_test, body, created_at)
      VALUES (${eventId}, ${workspaceId}, ${type}, true, ${textOf(event)}, ${at})
      RETURNING id, workspace_id, seq, created_at
    )
    INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, is_test, due, created_at)
    SELECT ${DELIVERY_ID}, event.workspace_id, event.id, endpoint.id, event.seq, true, event.created_at, event.created_at
      FROM event
      JOIN webhook_endpoints endpoint ON endpoint.workspace_id = event.workspace_id AND endpoint.id = ${endpointId}
    RETURNING id`
  const [delivery] = rows
  if (delivery === undefined) throw new Error(`There is no webhook endpoint ${endpointId} to test`)
  tx.afterCommit(() => {
    notifyDispatcher(bus)
    bus.notify(eventsTopic(workspaceId))
  })
  return delivery.id
}

/**
 * Tells the dispatchers, after the commit, that endpoints are not what they were: enabled, disabled, deleted, with another
 * URL or secret. What was read ahead for them is dropped at once.
 * @param ids none: any endpoint may have changed
 */
export function endpointsChanged(tx: Tx, bus: Bus, ids: readonly string[]): void {
  tx.afterCommit(() => bus.notify(ENDPOINTS_TOPIC, ids))
}

/** The event's time part and a hash of event and endpoint: as sortable as a TypeID, one per pair. */
const DELIVERY_ID = Prisma.sql`'dlv_' || substr(event.id, 5, 10) || left(md5(event.id || endpoint.id), 16)`

/** The exact text that is signed and sent. */
export function textOf<T extends EventType>({
  type,
  data,
  actor,
  at,
}: Pick<NewEvent<T>, 'type' | 'actor' | 'at'> & { data: PartialData<T> }): string {
  return JSON.stringify({ event: type, data: { ...data, actor }, timestamp: at.toISOString() })
}

/** Stands in an event's data for a value that only the database knows, under the name that add_message_1 has for it. */
export class LateValue {
  readonly name: 'assigneeId' | 'senderName' | 'sequence'

  constructor(name: LateValue['name']) {
    this.name = name
  }

  toJSON(): string {
    return `${LATE}${this.name}`
  }
}

/** Nobody outside this process knows it, so that nobody can write it into a message. */
const LATE = `${randomUUID()} `
const LATE_VALUE = new RegExp(`"${LATE}(\\w+)"`)

/** An event's data, parts of which only the database knows. */
export type PartialData<T extends EventType> = { [Field in keyof EventData[T]]: EventData[T][Field] | LateValue }

/** The text of an event in pieces: every second one is the name of a value that the database puts there as JSON. */
export function partsOf<T extends EventType>(
  event: Pick<NewEvent<T>, 'type' | 'actor' | 'at'> & { data: PartialData<T> },
): string[] {
  return textOf(event).split(LATE_VALUE)
}
