import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { columnsAs, isRead, type OwnedRange, rangeOfEach } from '../shared/page-sql.ts'
import type { DeliveryWithEvent } from './deliveries.ts'

/** What has deliveries. */
export type DeliveryOwner = 'conversation' | 'event' | 'endpoint'

/** A delivery, the body of whose event is left out where the deliveries before it have enough bytes for a page. */
export interface FoundDelivery extends DeliveryWithEvent {
  readonly isRead: boolean
}

/** For a page of deliveries: those that were found and not read are left to the next one. */
export function sizeOfDelivery(delivery: FoundDelivery): number {
  return delivery.isRead ? jsonBytes(delivery) : Number.POSITIVE_INFINITY
}

/** A delivery has no index of its conversation: that would cost every delivery. Its conversation's events lead to it. */
const OWNED: Record<DeliveryOwner, Prisma.Sql> = {
  conversation: Prisma.sql`event.conversation_id = owner.id`,
  event: Prisma.sql`event.id = owner.id`,
  endpoint: Prisma.sql`r.endpoint_id = owner.id`,
}

/** Deliveries `r` with their `event`, and only those to endpoints that the actor sees: see visibleDeliveries. */
function visible(actor: Actor, owner: DeliveryOwner) {
  const own = actor.type === 'agent' ? Prisma.sql`AND endpoint.agent_id = ${actor.id}` : Prisma.empty
  return {
    from: Prisma.sql`deliveries r
      JOIN events event ON event.id = r.event_id AND event.workspace_id = r.workspace_id
      JOIN webhook_endpoints endpoint ON endpoint.id = r.endpoint_id AND endpoint.unregistered_at IS NULL ${own}`,
    where: Prisma.sql`r.workspace_id = ${actor.workspaceId} AND event.workspace_id = ${actor.workspaceId} AND ${OWNED[owner]}`,
  }
}

const FIELDS = Object.values(Prisma.DeliveryScalarFieldEnum)
const NAMES = Prisma.raw(FIELDS.map((field) => `"${field}"`).join(', '))

type Row = Omit<FoundDelivery, 'event'> & { ownerId: string; eventType: string; body: string }

/** The same range of the deliveries of many owners in one statement, newest first. The caller has judged who may see the owners. */
export async function deliveriesOf(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  owner: DeliveryOwner,
  ownerIds: readonly string[],
  range: OwnedRange,
): Promise<Map<string, FoundDelivery[]>> {
  const columns = Prisma.sql`${columnsAs('r', FIELDS, { nextAttemptAt: 'due', priority: 'lane' })}, event.type AS "eventType", event.body`
  const found = rangeOfEach(ownerIds, { columns, ...visible(actor, owner) }, range)
  const order = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const sortKey = Prisma.sql`"createdAt" ${order}, id ${order}`
  const rows = await db.prisma.$queryRaw<Row[]>`
    SELECT "ownerId", ${NAMES}, "eventType", CASE WHEN "isRead" THEN body ELSE '' END AS body, "isRead"
      FROM (SELECT found.*, ${isRead(Prisma.sql`n`, sortKey)} AS "isRead" FROM (${found}) found) read
     ORDER BY n, ${sortKey}`
  const byOwner = Map.groupBy(rows, ({ ownerId }) => ownerId)
  return new Map([...byOwner].map(([id, theirs]) => [id, theirs.map(withEvent)]))
}

function withEvent({ ownerId: _, eventType: type, body, ...delivery }: Row): FoundDelivery {
  const { eventId: id, workspaceId, conversationId, isTest, seq, createdAt } = delivery
  return { ...delivery, event: { id, workspaceId, type, conversationId, isTest, body, seq, createdAt } }
}

/** How many deliveries each owner has, of those that deliveriesOf finds; owners without any are left out. */
export async function countDeliveriesOf(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  owner: DeliveryOwner,
  ownerIds: readonly string[],
): Promise<Map<string, number>> {
  const { from, where } = visible(actor, owner)
  const rows = await db.prisma.$queryRaw<{ id: string; total: bigint }[]>`
    SELECT owner.id, (SELECT count(*) FROM ${from} WHERE ${where}) AS total
      FROM unnest(${[...ownerIds]}::text[]) AS owner(id)`
  return new Map(rows.map(({ id, total }) => [id, Number(total)]))
}
