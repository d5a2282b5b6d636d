import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Deps } from '../shared/deps.ts'
import { ValidationError } from '../shared/errors.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { isRead } from '../shared/page-sql.ts'
import { decodeCursor, encodeCursor } from '../shared/pagination.ts'
import { type EventFilter, filterSql } from './event-filter.ts'
import { horizonOf } from './event-horizon.ts'
import type { EventType } from './events.ts'

/** An event as it stands in the log. */
export interface LoggedEvent<Type extends EventType = EventType> {
  readonly id: string
  readonly type: Type
  readonly conversationId: string | null
  /** {"event", "data", "timestamp"}: the text that webhooks carry. */
  readonly body: string
  readonly createdAt: Date
  /** Sample data that somebody had sent to an endpoint. */
  readonly isTest: boolean
  readonly position: LogPosition
}

/** An event in a list, whose body is left out where the events before it have enough bytes for a page. */
export interface FoundEvent extends LoggedEvent {
  readonly isRead: boolean
}

export interface FoundEventRow extends EventRow {
  readonly is_read: boolean
}

export function toFoundEvent(row: FoundEventRow): FoundEvent {
  return { ...toEvent(row), isRead: row.is_read }
}

export function sizeOfEvent(event: FoundEvent): number {
  return event.isRead ? jsonBytes(event) : Number.POSITIVE_INFINITY
}

/** The columns of a FoundRow, of rows that have `is_read`. */
export const FOUND_EVENT_COLUMNS: Prisma.Sql = Prisma.sql`id, type, conversation_id, CASE WHEN is_read THEN body ELSE '' END AS body,
           created_at, is_test, xid, seq, is_read`

/**
 * A place in the log: transaction id, then sequence number. Sequence numbers alone would not do: they are given out
 * before the commit, so a lower one may appear after a higher one. Readers therefore stop at the horizon
 * (event-horizon.ts); below it nothing can appear any more.
 */
export interface LogPosition {
  readonly xid: bigint
  readonly seq: bigint
}

export interface EventRow {
  id: string
  /** Only recordEvent and its like write it. */
  type: EventType
  conversation_id: string | null
  body: string
  created_at: Date
  is_test: boolean
  xid: string
  seq: bigint
}

/** The columns of a Row, in a query for which there is no other table with columns of these names. */
export const EVENT_COLUMNS: Prisma.Sql = Prisma.sql`id, type, conversation_id, body, created_at, is_test, xid::text AS xid, seq`

export const PAGE = 200

/** A position as a cursor holds it. */
export const LogCursorKey = z.tuple([z.string().regex(/^\d{1,19}$/), z.string().regex(/^\d{1,18}$/)])
export type LogCursorKey = z.output<typeof LogCursorKey>

export interface LogRange extends EventFilter {
  readonly after: LogPosition
  /** Included; null: to the end. */
  readonly upTo?: LogPosition | null
  /** Not included; null: to the end. */
  readonly before?: LogPosition | null
  /** From the end, latest first. */
  readonly reverse?: boolean
  readonly limit?: number
}

/** A position, to be compared with (xid, seq). */
export function positionSql({ xid, seq }: LogPosition): Prisma.Sql {
  return Prisma.sql`(${String(xid)}::xid8, ${seq}::bigint)`
}

/** A range of a workspace's log, oldest first unless reversed, at most a page. */
export async function readLog(deps: Deps, workspaceId: string, range: LogRange): Promise<EventRow[]> {
  return deps.db.prisma.$queryRaw<EventRow[]>(selectLog(workspaceId, range))
}

/** The same, without the bodies that no page has bytes for. */
export async function readPage(deps: Deps, workspaceId: string, range: LogRange): Promise<FoundEventRow[]> {
  const order = range.reverse === true ? Prisma.sql`DESC` : Prisma.sql`ASC`
  return deps.db.prisma.$queryRaw<FoundEventRow[]>`
    SELECT ${FOUND_EVENT_COLUMNS} FROM (
      SELECT page.*, ${isRead(Prisma.sql`NULL::text`, Prisma.sql`xid::xid8 ${order}, seq ${order}`)} AS is_read
        FROM (${selectLog(workspaceId, range)}) page) found
     ORDER BY xid::xid8 ${order}, seq ${order}`
}

function selectLog(workspaceId: string, range: LogRange): Prisma.Sql {
  const { after, upTo = null, before = null, limit = PAGE, reverse = false } = range
  const until = upTo === null ? Prisma.empty : Prisma.sql`AND (xid, seq) <= ${positionSql(upTo)}`
  const end = before === null ? Prisma.empty : Prisma.sql`AND (xid, seq) < ${positionSql(before)}`
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  return Prisma.sql`
    SELECT ${EVENT_COLUMNS}
      FROM events
     WHERE workspace_id = ${workspaceId} AND (xid, seq) > ${positionSql(after)} ${until} ${end} ${filterSql(range)}
     ORDER BY events.xid ${order}, seq ${order} LIMIT ${limit}`
}

/**
 * Call it after reading on from a cursor: what went meanwhile shows then.
 * @throws ValidationError when something after the cursor was removed for its age
 */
export async function requireKept(deps: Deps, workspaceId: string, { xid, seq }: LogPosition): Promise<void> {
  if (xid === 0n) return
  const rows = await deps.db.prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM workspaces
     WHERE id = ${workspaceId} AND (log_kept_after_xid, log_kept_after_seq) > (${String(xid)}::xid8, ${seq}::bigint)`
  if (rows.length === 0) return
  const message = 'Events after this cursor have expired and were deleted: start again without a cursor'
  throw new ValidationError([{ path: 'after', message }])
}

/** How many events of a workspace match, of those before which nothing can appear any more. */
export async function countLog(deps: Deps, workspaceId: string, filter: EventFilter): Promise<number> {
  const end = await endOfLog(deps, workspaceId)
  const [count] = await deps.db.prisma.$queryRaw<{ total: bigint }[]>`
    SELECT count(*) AS total FROM events
     WHERE workspace_id = ${workspaceId} AND (xid, seq) < ${positionSql(end)} ${filterSql(filter)}`
  return Number(count?.total ?? 0)
}

/** Before it nothing can appear any more. Read the log afterwards, up to there. */
export async function endOfLog({ db }: Pick<Deps, 'db'>, workspaceId: string): Promise<LogPosition> {
  return { xid: await horizonOf(db, workspaceId), seq: 0n }
}

export function toEvent(row: EventRow): LoggedEvent {
  const { id, type, conversation_id: conversationId, body, created_at: createdAt, is_test: isTest } = row
  return { id, type, conversationId, body, createdAt, isTest, position: positionOfRow(row) }
}

/** Resume after this place. */
export function cursorAt(position: LogPosition): string {
  return encodeCursor(keyOfPosition(position))
}

/** A position as a cursor holds it. */
export function keyOfPosition({ xid, seq }: LogPosition): LogCursorKey {
  return [String(xid), String(seq)]
}

export function positionOfRow(row: EventRow): LogPosition {
  return { xid: BigInt(row.xid), seq: row.seq }
}

/** @throws ValidationError for anything that cursorAt did not make */
export function positionOf(cursor: string): LogPosition {
  return positionOfKey(decodeCursor(cursor, LogCursorKey, 'after'))
}

export function positionOfKey([xid, seq]: LogCursorKey): LogPosition {
  return { xid: BigInt(xid), seq: BigInt(seq) }
}

export function isBefore(a: LogPosition, b: LogPosition): boolean {
  return a.xid < b.xid || (a.xid === b.xid && a.seq < b.seq)
}

export function earlier(a: LogPosition, b: LogPosition): LogPosition {
  return isBefore(a, b) ? a : b
}
