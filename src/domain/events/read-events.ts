import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { isRead } from '../shared/page-sql.ts'
import { type CursorRange, type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import {
  EVENT_COLUMNS,
  type EventRow,
  earlier,
  endOfLog,
  FOUND_EVENT_COLUMNS,
  type FoundEvent,
  type FoundEventRow,
  keyOfPosition,
  LogCursorKey,
  type LoggedEvent,
  positionOfKey,
  positionSql,
  sizeOfEvent,
  toEvent,
  toFoundEvent,
} from './event-position.ts'

/** Events of the actor's workspace by id. The log is not for visitors: to them there is none. */
export async function eventsById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, LoggedEvent>> {
  if (actor.type === 'visitor') return new Map()
  const rows = await db.prisma.$queryRaw<EventRow[]>`
    SELECT ${EVENT_COLUMNS} FROM events WHERE id = ANY(${[...ids]}::text[]) AND workspace_id = ${actor.workspaceId}`
  return new Map(rows.map((row) => [row.id, toEvent(row)]))
}

/** How a conversation's events are read: alone, or with other conversations' in one statement. */
export interface ConversationEventReader {
  find(range: CursorRange<LogCursorKey>): Promise<FoundEvent[]>
  count(): Promise<number>
}

/** What happened in a conversation, oldest first. */
export function conversationEvents(page: PageRequest, reader: ConversationEventReader): Promise<Page<LoggedEvent>> {
  const key = { cursorKey: LogCursorKey, cursorKeyOf: ({ position }: LoggedEvent) => keyOfPosition(position) }
  return paginate<FoundEvent, LogCursorKey>(page, { ...reader, ...key, sizeOf: sizeOfEvent })
}

/**
 * The same range of the events of many conversations in one statement. The caller has judged who may see them.
 * @throws ForbiddenError for visitors
 */
export async function eventsOfConversations(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  conversationIds: readonly string[],
  { after, before, take, reverse }: CursorRange<LogCursorKey>,
): Promise<Map<string, FoundEvent[]>> {
  requireStaff(actor)
  const end = await endOfLog({ db }, actor.workspaceId)
  const from = after === null ? Prisma.empty : Prisma.sql`AND (xid, seq) > ${positionSql(positionOfKey(after))}`
  const to = Prisma.sql`AND (xid, seq) < ${positionSql(before === null ? end : earlier(positionOfKey(before), end))}`
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const sortKey = Prisma.sql`event.xid::xid8 ${order}, event.seq ${order}`
  const rows = await db.prisma.$queryRaw<(FoundEventRow & { owner: string })[]>`
    SELECT owner, ${FOUND_EVENT_COLUMNS} FROM (
      SELECT wanted.owner, event.*, ${isRead(Prisma.sql`wanted.n`, sortKey)} AS is_read
        FROM unnest(${[...conversationIds]}::text[]) WITH ORDINALITY AS wanted(owner, n)
       CROSS JOIN LATERAL (
         SELECT ${EVENT_COLUMNS} FROM events
          WHERE workspace_id = ${actor.workspaceId} AND conversation_id = wanted.owner ${from} ${to}
          ORDER BY events.xid ${order}, seq ${order} LIMIT ${take}) event) found
     ORDER BY xid::xid8 ${order}, seq ${order}`
  const byOwner = Map.groupBy(rows, ({ owner }) => owner)
  return new Map([...byOwner].map(([owner, theirs]) => [owner, theirs.map(toFoundEvent)]))
}

/** How many events each conversation has, of those that eventsOfConversations finds; those without any are left out. */
export async function countEventsOfConversations(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  conversationIds: readonly string[],
): Promise<Map<string, number>> {
  requireStaff(actor)
  const end = await endOfLog({ db }, actor.workspaceId)
  const rows = await db.prisma.$queryRaw<{ owner: string; total: bigint }[]>`
    SELECT conversation_id AS owner, count(*) AS total FROM events
     WHERE workspace_id = ${actor.workspaceId} AND conversation_id = ANY(${[...conversationIds]}::text[])
       AND (xid, seq) < ${positionSql(end)}
     GROUP BY conversation_id`
  return new Map(rows.map(({ owner, total }) => [owner, Number(total)]))
}
