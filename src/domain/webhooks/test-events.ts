import { z } from 'zod'
import type { Tx } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { type DeliveryWithEvent, WITH_EVENT } from '../deliveries/deliveries.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import {
  type EventData,
  type NewEvent,
  recordTestEvent,
  WEBHOOK_EVENT_TYPES,
  type WebhookEventType,
} from '../events/events.ts'
import { type Actor, type ActorRef, refOf } from '../shared/actor.ts'
import { requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { ID_PREFIXES, type IdKind } from '../shared/ids.ts'
import { parse, requireId } from '../shared/input.ts'
import { endpointTarget, lockEndpoint } from './webhook-endpoints.ts'

export const SendTestEvent = z.object({ endpointId: z.string(), type: z.enum(WEBHOOK_EVENT_TYPES) })

/** The maximum number of pending tests per endpoint. Tests are sent before everything else. */
const MAX_WAITING = 10

/**
 * Sends an event with sample data to an endpoint, regardless of its subscriptions, and also while it or its agent is
 * disabled: once, without retries, and without effect on its health.
 * @returns the delivery, due now
 * @throws NotFoundError; ValidationError; ConflictError while ten tests of the endpoint are pending
 */
export async function sendTestEvent(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof SendTestEvent>,
): Promise<DeliveryWithEvent> {
  requireWebhookManager(actor)
  const { endpointId, type } = parse(SendTestEvent, input)
  requireId('webhookEndpoint', endpointId, 'Webhook endpoint')
  return inEventTransaction(deps, { workspaceId: actor.workspaceId }, async (tx) => {
    const target = endpointTarget(await lockEndpoint(tx, actor, endpointId))
    await refuseTooMany(tx, endpointId)
    const at = deps.clock.now()
    const id = await recordTestEvent(tx, deps.bus, sampleEvent(type, actor, at), endpointId)
    await recordAudit(tx, actor, { action: 'webhook_endpoint.test_sent', target, data: { type, deliveryId: id }, at })
    return tx.db.delivery.findUniqueOrThrow({ where: { id }, include: WITH_EVENT })
  })
}

/** The endpoint's row is locked, so that concurrent tests are counted one after the other. */
async function refuseTooMany(tx: Tx, endpointId: string): Promise<void> {
  const waiting = await tx.db.delivery.count({ where: { endpointId, isTest: true, nextAttemptAt: { not: null } } })
  if (waiting >= MAX_WAITING) {
    throw new ConflictError(`${MAX_WAITING} tests of this endpoint are pending: wait until they have finished`)
  }
}

/** A valid id that no object has; it ends in "test". */
export function sampleId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${'test'.padStart(26, '0')}`
}

const VISITOR: ActorRef = { type: 'visitor', id: sampleId('visitor'), name: 'Test Visitor' }
const MEMBER: ActorRef = { type: 'member', id: sampleId('member'), name: 'Test Member' }

type Samples = { [T in WebhookEventType]: (asker: ActorRef, workspaceId: string, at: string) => SampleData<T> }
interface SampleData<T extends WebhookEventType> {
  readonly data: EventData[T]
  readonly actor: ActorRef
}

/** The sample data of each type. The types of the real payloads ensure that new fields are added here. */
const SAMPLES: Samples = {
  'message.created': (_asker, workspaceId) => ({
    data: {
      conversationId: sampleId('conversation'),
      messageId: sampleId('message'),
      type: 'VISITOR',
      body: 'This is a test message from GudDesk.',
      workspaceId,
      assigneeId: null,
      senderName: VISITOR.name,
      sequence: 1,
    },
    actor: VISITOR,
  }),
  'conversation.created': (_asker, workspaceId, at) => ({
    data: {
      conversationId: sampleId('conversation'),
      visitorId: VISITOR.id,
      status: 'OPEN',
      firstMessage: 'This is a test message from GudDesk.',
      createdAt: at,
      workspaceId,
      channel: 'WIDGET',
      subject: 'Test conversation',
    },
    actor: VISITOR,
  }),
  'conversation.closed': (_asker, workspaceId, at) => ({
    data: {
      conversationId: sampleId('conversation'),
      closedBy: MEMBER.id,
      closedByName: MEMBER.name,
      closedAt: at,
      workspaceId,
    },
    actor: MEMBER,
  }),
  'conversation.assigned': (_asker, workspaceId) => ({
    data: {
      conversationId: sampleId('conversation'),
      assigneeId: MEMBER.id,
      assigneeName: MEMBER.name,
      assignedBy: MEMBER.id,
      assignedByName: MEMBER.name,
      workspaceId,
    },
    actor: MEMBER,
  }),
  ping: (asker) => ({ data: { message: 'Hello from GudDesk. Your endpoint receives events.' }, actor: asker }),
}

function sampleEvent<T extends WebhookEventType>(type: T, asker: Actor, at: Date): Omit<NewEvent<T>, 'conversationId'> {
  const { workspaceId } = asker
  return { type, workspaceId, at, ...SAMPLES[type](refOf(asker), workspaceId, at.toISOString()) }
}
