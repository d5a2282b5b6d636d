import { z } from 'zod'
import type { Prisma } from '../../generated/prisma/client.ts'
import { DeliveryStatus } from '../../generated/prisma/enums.ts'
import { dateFilter, idText, isWithin, timeRange } from '../shared/input.ts'

/** Which deliveries; all conditions must hold. */
export const DeliveryFilter = z
  .object({
    statuses: z
      .array(z.enum(DeliveryStatus))
      .min(1, 'must have at least one value')
      .describe('Deliveries in one of these states.'),
    endpointId: idText.describe('Deliveries to the webhook endpoint with this id.'),
    agentId: idText.describe('Deliveries to the webhook endpoints of the agent with this id.'),
    eventTypes: z
      .array(idText)
      .min(1, 'must have at least one value')
      .describe('Deliveries of events of one of these types.'),
    conversationId: idText.describe('Deliveries of events of the conversation with this id.'),
    isTest: z.boolean().describe('True for test events, false for other events. Both by default.'),
    createdAt: timeRange.describe('Deliveries of events that happened in this time.'),
  })
  .partial()
export type DeliveryFilter = z.output<typeof DeliveryFilter>

/** The filter as Prisma's condition. The same as isWanted. */
export function filterWhere(filter: DeliveryFilter): Prisma.DeliveryWhereInput {
  const { statuses, endpointId, agentId, eventTypes, conversationId, isTest, createdAt = {} } = filter
  return {
    ...(statuses !== undefined && { status: { in: statuses } }),
    ...(endpointId !== undefined && { endpointId }),
    ...(agentId !== undefined && { endpoint: { agentId } }),
    ...(eventTypes !== undefined && { event: { type: { in: eventTypes } } }),
    ...(conversationId !== undefined && { conversationId }),
    ...(isTest !== undefined && { isTest }),
    createdAt: dateFilter(createdAt),
  }
}

/** What a filter asks of a delivery. */
export interface FilteredDelivery {
  readonly status: DeliveryStatus
  readonly endpointId: string
  /** The endpoint's; null for a workspace's own. */
  readonly agentId: string | null
  readonly eventType: string
  readonly conversationId: string | null
  readonly isTest: boolean
  /** When its event happened. */
  readonly createdAt: Date
}

/** Whether the filter lets a delivery through. The same as filterWhere. */
export function isWanted(delivery: FilteredDelivery, filter: DeliveryFilter): boolean {
  const { statuses, endpointId, agentId, eventTypes, conversationId, isTest, createdAt } = filter
  return (
    (statuses === undefined || statuses.includes(delivery.status)) &&
    (endpointId === undefined || delivery.endpointId === endpointId) &&
    (agentId === undefined || delivery.agentId === agentId) &&
    (eventTypes === undefined || eventTypes.includes(delivery.eventType)) &&
    (conversationId === undefined || delivery.conversationId === conversationId) &&
    (isTest === undefined || delivery.isTest === isTest) &&
    (createdAt === undefined || isWithin(createdAt, delivery.createdAt))
  )
}
