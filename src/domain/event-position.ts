import { z } from 'zod'
import { Prisma } from '../infra/db.ts'
import type { Deps } from './deps.ts'
import { decodeCursor, encodeCursor } from './page.ts'

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

/**
 * A place in the log: transaction id, then sequence number. Sequence numbers alone would not do: they are given out
 * before the commit, so a lower one may appear after a higher one. Readers therefore stop at the oldest transaction
 * that is still running; below it nothing can appear any more.
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
  /** Nothing can appear before it any more. */
  settled: boolean
}

export const PAGE = 200

const Cursor = z.tuple([z.string().regex(/^\d{1,19}$/), z.string().regex(/^\d{1,18}$/)])

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
  readonly limit?: number
}

/** A slice of a workspace's log, oldest first, at most a page. */
export async function readLog(deps: Deps, workspaceId: string, slice: LogSlice): Promise<Row[]> {
  const { after, upTo = null, limit = PAGE } = slice
  const end =
    upTo === null ? Prisma.empty : Prisma.sql`AND (xid, seq) <= (${String(upTo.xid)}::xid8, ${upTo.seq}::bigint)`
  return deps.db.prisma.$queryRaw<Row[]>`
    SELECT id, type, conversation_id, body, created_at, is_test, xid::text AS xid, seq,
           xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
      FROM events
     WHERE workspace_id = ${workspaceId}
       AND (xid, seq) > (${String(after.xid)}::xid8, ${after.seq}::bigint) ${end} ${conditions(slice)}
     ORDER BY events.xid, seq LIMIT ${limit}`
}

/** A conversation's last event within a part of the log. */
export interface ConversationPosition extends Position {
  readonly conversationId: string
}

/** The conversations that have events in a part of the log, each once, in the order of their last events there. */
export async function lastPerConversation(
  deps: Deps,
  workspaceId: string,
  { after, upTo, limit }: { after: Position; upTo: Position; limit: number },
): Promise<ConversationPosition[]> {
  const end = Prisma.sql`(${String(upTo.xid)}::xid8, ${upTo.seq}::bigint)`
  const rows = await deps.db.prisma.$queryRaw<{ conversation_id: string; xid: string; seq: bigint }[]>`
    SELECT conversation_id, xid::text AS xid, seq FROM events event
     WHERE workspace_id = ${workspaceId} AND conversation_id IS NOT NULL
       AND (xid, seq) > (${String(after.xid)}::xid8, ${after.seq}::bigint) AND (xid, seq) <= ${end}
       AND NOT EXISTS (
         SELECT 1 FROM events later
          WHERE later.workspace_id = event.workspace_id AND later.conversation_id = event.conversation_id
            AND (later.xid, later.seq) > (event.xid, event.seq) AND (later.xid, later.seq) <= ${end})
     ORDER BY event.xid, seq LIMIT ${limit}`
  return rows.map(({ conversation_id: conversationId, xid, seq }) => ({ conversationId, xid: BigInt(xid), seq }))
}

function conditions({ types, conversationId, includeTests = false }: EventFilter): Prisma.Sql {
  const ofTypes = types == null ? Prisma.empty : Prisma.sql`AND type = ANY(${[...types]})`
  const ofConversation = conversationId == null ? Prisma.empty : Prisma.sql`AND conversation_id = ${conversationId}`
  const real = includeTests ? Prisma.empty : Prisma.sql`AND NOT is_test`
  return Prisma.sql`${ofTypes} ${ofConversation} ${real}`
}

/** How many events of a workspace match. */
export async function countLog(deps: Deps, workspaceId: string, filter: EventFilter): Promise<number> {
  const [count] = await deps.db.prisma.$queryRaw<{ total: bigint }[]>`
    SELECT count(*) AS total FROM events WHERE workspace_id = ${workspaceId} ${conditions(filter)}`
  return Number(count?.total ?? 0)
}

/** Before everything that is not settled yet. */
export async function endOfLog(deps: Deps): Promise<Position> {
  const rows = await deps.db.prisma.$queryRaw<{ xmin: string }[]>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin`
  return { xid: BigInt(rows[0]?.xmin ?? '0'), seq: 0n }
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
  const [xid, seq] = decodeCursor(cursor, Cursor)
  return { xid: BigInt(xid), seq: BigInt(seq) }
}

export function isBefore(a: Position, b: Position): boolean {
  return a.xid < b.xid || (a.xid === b.xid && a.seq < b.seq)
}
