import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { TimeRange } from '../shared/input.ts'
import { type CursorRange, TimeAndId } from '../shared/pagination.ts'
import { and, type Selection, within } from './conversation-filter.ts'

/** The position of a conversation in a list. */
export interface ConversationSortKey {
  readonly id: string
  readonly position: Date
  /** The database snapshot of the list, for the order of activity; null for the order of creation. */
  readonly snapshot: string | null
}

/** The orders of a list of conversations, newest first. */
export type ConversationSort = 'ACTIVITY' | 'CREATED'

export interface ConversationOrder<CursorKey extends readonly unknown[] = readonly unknown[]> {
  readonly cursorKey: z.ZodType<CursorKey>
  cursorKeyOf(position: ConversationSortKey): CursorKey
  /** A query for the positions of the selected conversations in a range. */
  positions(selection: Selection, range: CursorRange<CursorKey>): Prisma.Sql
}

/** The text of a pg_snapshot (xmin:xmax:xip_list), then the time and the id of the last row. */
const ActivityCursorKey = z.tuple([z.string().max(4096).refine(isSnapshot), ...TimeAndId.def.items])
type ActivityCursorKey = z.output<typeof ActivityCursorKey>

/** The valid texts of a pg_snapshot: the running transactions in order, from xmin (included) to xmax. */
function isSnapshot(text: string): boolean {
  const match = /^([1-9]\d{0,18}):([1-9]\d{0,18}):(\d{1,19}(?:,\d{1,19})*)?$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return false
  const running = match[3]?.split(',').map(BigInt) ?? []
  const ascending = [BigInt(match[1]), ...running, BigInt(match[2])]
  return ascending.every((xid, i) => xid <= (ascending[i + 1] ?? xid)) && running.at(-1) !== BigInt(match[2])
}

/**
 * The order of latest activity.
 *
 * New messages reorder this list while a client pages through it. Therefore, a cursor contains the database snapshot of
 * the first page, and every page shows the order in that snapshot: conversations with later messages are placed by the
 * latest message that the snapshot contains. Paging neither skips nor repeats a conversation that existed at the first
 * page. Timestamps alone are not enough: a message can be committed after a page was read, and still carry an earlier
 * time.
 */
export const BY_ACTIVITY: ConversationOrder<ActivityCursorKey> = {
  cursorKey: ActivityCursorKey,
  cursorKeyOf: ({ id, position, snapshot }) => [snapshot ?? '', position, id],
  positions: ({ workspaceId, where, lastActivityAt }, { after, before, take, reverse }) => {
    const snapshot = (after ?? before)?.[0]
    const order = reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
    const inRange = (position: Prisma.Sql) =>
      and([
        before !== null && Prisma.sql`(${position}, c.id) > (${before[1]}, ${before[2]})`,
        after !== null && Prisma.sql`(${position}, c.id) < (${after[1]}, ${after[2]})`,
        ...within(position, lastActivityAt),
      ])
    const current = and([
      inRange(Prisma.sql`c.last_activity_at`),
      ...minutesWithin({ ...(before && { from: before[1] }), ...(after && { to: after[1] }) }),
      ...minutesWithin(lastActivityAt),
    ])
    if (snapshot === undefined) {
      return Prisma.sql`
        SELECT c.id, c.last_activity_at AS position, pg_current_snapshot()::text AS snapshot
          FROM conversations c WHERE ${where} AND ${current}
         ORDER BY ${latestActivity(order)} LIMIT ${take}`
    }
    const seen = Prisma.sql`pg_visible_in_snapshot(c.activity_xid, ${snapshot}::pg_snapshot)`
    return Prisma.sql`
      WITH moved AS MATERIALIZED (${activeSince(workspaceId, Prisma.sql`pg_snapshot_xmin(${snapshot}::pg_snapshot)`)})
      SELECT id, position, ${snapshot} AS snapshot FROM (
        (SELECT c.id, c.last_activity_at AS position
           FROM conversations c
          WHERE ${where} AND ${seen} AND ${current}
          ORDER BY ${latestActivity(order)} LIMIT ${take})
        UNION ALL
        (SELECT c.id, moved_from.position
           FROM moved JOIN conversations c ON c.id = moved.id
          CROSS JOIN LATERAL (
            SELECT COALESCE(
              (SELECT m.created_at FROM messages m
                WHERE m.conversation_id = c.id AND m.type IN ('VISITOR', 'AGENT', 'BOT')
                  AND pg_visible_in_snapshot(m.xid, ${snapshot}::pg_snapshot)
                ORDER BY m.sequence DESC LIMIT 1),
              c.created_at) AS position) moved_from
          WHERE ${where} AND NOT ${seen} AND ${inRange(Prisma.sql`moved_from.position`)}
          ORDER BY moved_from.position ${order}, c.id ${order} LIMIT ${take})
      ) walk
      ORDER BY position ${order}, id ${order} LIMIT ${take}`
  },
}

/** The order of conversations by latest activity, which the indexes begin with the minute. */
function latestActivity(order: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`c.activity_minute ${order}, c.last_activity_at ${order}, c.id ${order}`
}

/** A query for conversations that may have been active in transaction `xid` or later: the event log names them, as far as it is kept. */
function activeSince(workspaceId: string, xid: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT conversation_id AS id FROM events
     WHERE workspace_id = ${workspaceId} AND xid >= ${xid} AND conversation_id IS NOT NULL
    UNION
    SELECT id FROM conversations
     WHERE workspace_id = ${workspaceId} AND activity_xid >= ${xid}
       AND (SELECT log_kept_after_xid >= ${xid} FROM workspaces WHERE id = ${workspaceId})`
}

const MINUTE_MS = 60_000

/** What follows for `activity_minute` from a range of times, so that an index finds its start and its end. */
function minutesWithin({ from, after, to }: TimeRange): Prisma.Sql[] {
  const minute = (time: Date) => new Date(Math.floor(time.getTime() / MINUTE_MS) * MINUTE_MS)
  const start = from ?? after
  return [
    ...(start === undefined ? [] : [Prisma.sql`c.activity_minute >= ${minute(start)}`]),
    ...(to === undefined ? [] : [Prisma.sql`c.activity_minute <= ${minute(to)}`]),
  ]
}

/** The order of the start time, which never changes. */
export const BY_CREATION: ConversationOrder<TimeAndId> = {
  cursorKey: TimeAndId,
  cursorKeyOf: ({ id, position }) => [position, id],
  positions: (selection, { after, before, take, reverse }) => {
    const order = reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
    const range = and([
      before !== null && Prisma.sql`(c.created_at, c.id) > (${before[0]}, ${before[1]})`,
      after !== null && Prisma.sql`(c.created_at, c.id) < (${after[0]}, ${after[1]})`,
    ])
    return Prisma.sql`
      SELECT c.id, c.created_at AS position, NULL AS snapshot
        FROM conversations c WHERE ${currentWhere(selection)} AND ${range}
       ORDER BY c.created_at ${order}, c.id ${order} LIMIT ${take}`
  },
}

/** The condition of a selection outside of a list: latest activity as it is now. */
export function currentWhere({ where, lastActivityAt }: Selection): Prisma.Sql {
  return and([where, ...within(Prisma.sql`c.last_activity_at`, lastActivityAt), ...minutesWithin(lastActivityAt)])
}
