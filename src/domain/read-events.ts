import { Prisma } from '../infra/db.ts'
import type { Actor } from './actor.ts'
import type { Deps } from './deps.ts'
import {
  atPlace,
  inSql,
  type LoggedEvent,
  LogPlace,
  placeOf,
  ROW,
  type Row,
  SETTLED,
  toEvent,
} from './event-position.ts'
import { type Page, type PageRequest, pageOf, type Slice } from './page.ts'
import { requireTeam } from './policy.ts'

/** Events of the actor's workspace by id. The log is not for visitors: to them there is none. */
export async function eventsById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, LoggedEvent>> {
  if (actor.type === 'visitor') return new Map()
  const rows = await db.prisma.$queryRaw<Row[]>`
    SELECT ${ROW} FROM events WHERE id = ANY(${[...ids]}::text[]) AND workspace_id = ${actor.workspaceId}`
  return new Map(rows.map((row) => [row.id, toEvent(row)]))
}

/** How a conversation's events are read: alone, or with other conversations' in one statement. */
export interface ConversationEventReader {
  find(slice: Slice<LogPlace>): Promise<LoggedEvent[]>
  count(): Promise<number>
}

/** What happened in a conversation, oldest first. */
export function conversationEvents(page: PageRequest, reader: ConversationEventReader): Promise<Page<LoggedEvent>> {
  return pageOf<LoggedEvent, LogPlace>(page, { ...reader, place: LogPlace, placeOf: ({ cursor }) => placeOf(cursor) })
}

/**
 * The same slice of the events of many conversations in one statement. The caller has judged who may see them.
 * @throws ForbiddenError for visitors
 */
export async function eventsOfConversations(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  conversationIds: readonly string[],
  { after, before, take, reverse }: Slice<LogPlace>,
): Promise<Map<string, LoggedEvent[]>> {
  requireTeam(actor)
  const from = after === null ? Prisma.empty : Prisma.sql`AND (xid, seq) > ${inSql(atPlace(after))}`
  const to = before === null ? Prisma.empty : Prisma.sql`AND (xid, seq) < ${inSql(atPlace(before))}`
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const rows = await db.prisma.$queryRaw<(Row & { owner: string })[]>`
    SELECT wanted.owner, event.* FROM unnest(${[...conversationIds]}::text[]) AS wanted(owner)
     CROSS JOIN LATERAL (
       SELECT ${ROW} FROM events
        WHERE workspace_id = ${actor.workspaceId} AND conversation_id = wanted.owner AND ${SETTLED} ${from} ${to}
        ORDER BY events.xid ${order}, seq ${order} LIMIT ${take}) event
     ORDER BY event.xid::xid8 ${order}, event.seq ${order}`
  const byOwner = Map.groupBy(rows, ({ owner }) => owner)
  return new Map([...byOwner].map(([owner, theirs]) => [owner, theirs.map(toEvent)]))
}

/** How many events each conversation has; those without any are left out. */
export async function countEventsOfConversations(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  conversationIds: readonly string[],
): Promise<Map<string, number>> {
  requireTeam(actor)
  const where = { workspaceId: actor.workspaceId, conversationId: { in: [...conversationIds] } }
  const counts = await db.prisma.event.groupBy({ by: ['conversationId'], where, _count: true })
  return new Map(counts.map(({ conversationId, _count }) => [conversationId ?? '', _count]))
}
