import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Deps } from '../shared/deps.ts'
import { ValidationError } from '../shared/errors.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { isRead } from '../shared/page-sql.ts'
import { decodeCursor, encodeCursor } from '../shared/pagination.ts'
import { horizonOf } from './event-horizon.ts'

/** An event as it stands in the log. */
export interface LoggedEvent {
  readonly id: string
  readonly type: string
  readonly conversationId: string | null
  /** {"event", "data", "timestamp"}: the text that webhooks carry. */
  readonly body: string
  readonly createdAt: Date
  /** Sample data that somebody had sent to an endpoint. */
  readonly isTest: boolean
  /** Resume after this event. */
  readonly cursor: string
}

/** An event in a list, whose body is left out where the events before it have enough bytes for a page. */
export interface FoundEvent extends LoggedEvent {
  readonly isRead: boolean
}

export interface FoundRow extends Row {
  readonly is_read: boolean
}

export function toFoundEvent(row: FoundRow): FoundEvent {
  return { ...toEvent(row), isRead: row.is_read }
}

export function sizeOfEvent(event: FoundEvent): number {
  return event.isRead ? jsonBytes(event) : Number.POSITIVE_INFINITY
}

/** The columns of a FoundRow, of rows that have `is_read`. */
export const FOUND_ROW: Prisma.Sql = Prisma.sql`id, type, conversation_id, CASE WHEN is_read THEN body ELSE '' END AS body,
           created_at, is_test, xid, seq, is_read`

/**
 * A place in the log: transaction id, then sequence number. Sequence numbers alone would not do: they are given out
 * before the commit, so a lower one may appear after a higher one. Readers therefore stop at the horizon
 * (event-horizon.ts); below it nothing can appear any more.
 */
export interface Position {
  readonly xid: bigint
  readonly seq: bigint
}

export interface Row {
  id: string
  type: string
  conversation_id: string | null
  body: string
  created_at: Date
  is_test: boolean
  xid: string
  seq: bigint
}

/** The columns of a Row, in a query for which there is no other table with columns of these names. */
export const ROW: Prisma.Sql = Prisma.sql`id, type, conversation_id, body, created_at, is_test, xid::text AS xid, seq`

export const PAGE = 200

/** A position as a cursor holds it. */
export const LogPlace = z.tuple([z.string().regex(/^\d{1,19}$/), z.string().regex(/^\d{1,18}$/)])
export type LogPlace = z.output<typeof LogPlace>

/** Which events; all conditions must hold. */
export interface EventFilter {
  readonly types?: readonly string[] | null
  readonly conversationId?: string | null
  /** Test events too, which are not a part of what happened. */
  readonly includeTests?: boolean
}

export interface LogSlice extends EventFilter {
  readonly after: Position
  /** Included; null: to the end. */
  readonly upTo?: Position | null
  /** Not included; null: to the end. */
  readonly before?: Position | null
  /** From the end, latest first. */
  readonly reverse?: boolean
  readonly limit?: number
}

/** A position, to be compared with (xid, seq). */
export function inSql({ xid, seq }: Position): Prisma.Sql {
  return Prisma.sql`(${String(xid)}::xid8, ${seq}::bigint)`
}

/** A slice of a workspace's log, oldest first unless reversed, at most a page. */
export async function readLog(deps: Deps, workspaceId: string, slice: LogSlice): Promise<Row[]> {
  return deps.db.prisma.$queryRaw<Row[]>(selectLog(workspaceId, slice))
}

/** The same, without the bodies that no page has bytes for. */
export async function readPage(deps: Deps, workspaceId: string, slice: LogSlice): Promise<FoundRow[]> {
  const order = slice.reverse === true ? Prisma.sql`DESC` : Prisma.sql`ASC`
  return deps.db.prisma.$queryRaw<FoundRow[]>`
    SELECT ${FOUND_ROW} FROM (
      SELECT page.*, ${isRead(Prisma.sql`NULL::text`, Prisma.sql`xid::xid8 ${order}, seq ${order}`)} AS is_read
        FROM (${selectLog(workspaceId, slice)}) page) found
     ORDER BY xid::xid8 ${order}, seq ${order}`
}

function selectLog(workspaceId: string, slice: LogSlice): Prisma.Sql {
  const { after, upTo = null, before = null, limit = PAGE, reverse = false } = slice
  const until = upTo === null ? Prisma.empty : Prisma.sql`AND (xid, seq) <= ${inSql(upTo)}`
  const end = before === null ? Prisma.empty : Prisma.sql`AND (xid, seq) < ${inSql(before)}`
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  return Prisma.sql`
    SELECT ${ROW}
      FROM events
     WHERE workspace_id = ${workspaceId} AND (xid, seq) > ${inSql(after)} ${until} ${end} ${conditions(slice)}
     ORDER BY events.xid ${order}, seq ${order} LIMIT ${limit}`
}

/** A conversation's last event within a part of the log. */
export interface ConversationPosition extends Position {
  readonly conversationId: string
}

/** What a look at the next events found. */
export interface LastPerConversation {
  /** In the order of their last events. */
  readonly positions: ConversationPosition[]
  /** Everything up to here has been looked at. */
  readonly reached: Position
}

/** How many events one look covers: a long absence must not become one long statement. */
const LOOK = 2000

/**
 * The conversations that have their last event of a part of the log among its next events. Looked at to its end, every
 * conversation that has events there comes once.
 */
export async function lastPerConversation(
  deps: Deps,
  workspaceId: string,
  { after, upTo }: { after: Position; upTo: Position },
): Promise<LastPerConversation> {
  const end = Prisma.sql`(${String(upTo.xid)}::xid8, ${upTo.seq}::bigint)`
  const rows = await deps.db.prisma.$queryRaw<LookRow[]>`
    WITH slice AS MATERIALIZED (
      SELECT conversation_id, xid, seq FROM events
       WHERE workspace_id = ${workspaceId}
         AND (xid, seq) > (${String(after.xid)}::xid8, ${after.seq}::bigint) AND (xid, seq) <= ${end}
       ORDER BY events.xid, seq LIMIT ${LOOK}
    ), edge AS (
      SELECT xid, seq, (SELECT count(*) FROM slice) AS looked FROM slice ORDER BY slice.xid DESC, seq DESC LIMIT 1
    ), newest AS (
      SELECT DISTINCT ON (conversation_id) conversation_id, xid, seq
        FROM slice WHERE conversation_id IS NOT NULL ORDER BY conversation_id, slice.xid DESC, seq DESC
    ), last AS (
      SELECT * FROM newest WHERE NOT EXISTS (
        SELECT FROM events later
         WHERE later.workspace_id = ${workspaceId} AND later.conversation_id = newest.conversation_id
           AND (later.xid, later.seq) > (newest.xid, newest.seq) AND (later.xid, later.seq) <= ${end})
    )
    SELECT edge.xid::text AS reached_xid, edge.seq AS reached_seq, edge.looked,
           last.conversation_id, last.xid::text AS xid, last.seq
      FROM edge LEFT JOIN last ON true ORDER BY last.xid, last.seq`
  const [first] = rows
  const positions = rows.flatMap(({ conversation_id: conversationId, xid, seq }) =>
    conversationId === null || xid === null || seq === null ? [] : { conversationId, xid: BigInt(xid), seq },
  )
  const isDone = first === undefined || first.looked < LOOK
  return { positions, reached: isDone ? upTo : { xid: BigInt(first.reached_xid), seq: first.reached_seq } }
}

interface LookRow {
  reached_xid: string
  reached_seq: bigint
  looked: bigint
  conversation_id: string | null
  xid: string | null
  seq: bigint | null
}

function conditions({ types, conversationId, includeTests = false }: EventFilter): Prisma.Sql {
  const ofTypes = types == null ? Prisma.empty : Prisma.sql`AND type = ANY(${[...types]})`
  const ofConversation = conversationId == null ? Prisma.empty : Prisma.sql`AND conversation_id = ${conversationId}`
  const real = includeTests ? Prisma.empty : Prisma.sql`AND NOT is_test`
  return Prisma.sql`${ofTypes} ${ofConversation} ${real}`
}

/**
 * Call it after reading on from a cursor: what went meanwhile shows then.
 * @throws ValidationError when something after the cursor was removed for its age
 */
export async function requireKept(deps: Deps, workspaceId: string, { xid, seq }: Position): Promise<void> {
  if (xid === 0n) return
  const rows = await deps.db.prisma.$queryRaw<{ id: string }[]>`
    SELECT id FROM workspaces
     WHERE id = ${workspaceId} AND (log_kept_after_xid, log_kept_after_seq) > (${String(xid)}::xid8, ${seq}::bigint)`
  if (rows.length === 0) return
  const message = 'Events after this cursor are too old and were removed: begin again without a cursor'
  throw new ValidationError([{ path: 'after', message }])
}

/** How many events of a workspace match, of those before which nothing can appear any more. */
export async function countLog(deps: Deps, workspaceId: string, filter: EventFilter): Promise<number> {
  const end = await endOfLog(deps, workspaceId)
  const [count] = await deps.db.prisma.$queryRaw<{ total: bigint }[]>`
    SELECT count(*) AS total FROM events
     WHERE workspace_id = ${workspaceId} AND (xid, seq) < ${inSql(end)} ${conditions(filter)}`
  return Number(count?.total ?? 0)
}

/** Before it nothing can appear any more. Read the log afterwards, up to there. */
export async function endOfLog({ db }: Pick<Deps, 'db'>, workspaceId: string): Promise<Position> {
  return { xid: await horizonOf(db, workspaceId), seq: 0n }
}

export function toEvent(row: Row): LoggedEvent {
  const { id, type, conversation_id: conversationId, body, created_at: createdAt, is_test: isTest, xid, seq } = row
  return { id, type, conversationId, body, createdAt, isTest, cursor: cursorAt({ xid: BigInt(xid), seq }) }
}

/** Resume after this place. */
export function cursorAt({ xid, seq }: Position): string {
  return encodeCursor([String(xid), String(seq)])
}

export function positionOfRow(row: Row): Position {
  return { xid: BigInt(row.xid), seq: row.seq }
}

/** @throws ValidationError for anything that cursorAt did not make */
export function positionOf(cursor: string): Position {
  return atPlace(placeOf(cursor))
}

/** @throws ValidationError for anything that is no event's cursor */
export function placeOf(cursor: string): LogPlace {
  return decodeCursor(cursor, LogPlace, 'after')
}

export function atPlace([xid, seq]: LogPlace): Position {
  return { xid: BigInt(xid), seq: BigInt(seq) }
}

export function isBefore(a: Position, b: Position): boolean {
  return a.xid < b.xid || (a.xid === b.xid && a.seq < b.seq)
}

export function earlier(a: Position, b: Position): Position {
  return isBefore(a, b) ? a : b
}
