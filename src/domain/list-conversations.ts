import { z } from 'zod'
import { Channel, ConversationStatus } from '../generated/prisma/enums.ts'
import { Prisma } from '../infra/db.ts'
import type { Actor } from './actor.ts'
import { type ConversationWithPeople, conversationsById } from './conversations.ts'
import type { Deps } from './deps.ts'
import { idText, instant, parse, text } from './input.ts'
import { cutPage, decodeCursor, encodeCursor, NewestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, visibleConversations } from './policy.ts'

export const ConversationFilter = z
  .object({
    status: z.enum(ConversationStatus),
    /** A member's id. */
    assigneeId: idText,
    /** True: those that nobody has. */
    unassigned: z.boolean(),
    visitorId: idText,
    tag: text(50),
    channel: z.enum(Channel),
    createdAfter: instant,
    createdBefore: instant,
  })
  .partial()

/**
 * Conversations, newest activity first.
 *
 * New messages reorder this list while somebody walks through its pages. So a cursor carries the snapshot that its
 * walk began with, and every page shows the order as that snapshot saw it: rows whose latest message came later are
 * placed by the latest message that the snapshot contains. A walk therefore neither skips nor repeats a conversation
 * that was there when it began, however busy the workspace is. Time stamps alone could not tell: a message may be
 * committed after a page was read and still carry an earlier time.
 */
export async function listConversations(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof ConversationFilter>,
  { limit, cursor }: PageRequest,
): Promise<Page<ConversationWithPeople>> {
  requireLevel(actor, 'READ_ONLY')
  const where = whereOf(actor, parse(ConversationFilter, filter))
  const walk = cursor === null ? null : decodeCursor(cursor, WalkPosition)
  const query = walk === null ? firstPage(where, limit + 1) : nextPage(where, walk, limit + 1)
  const positions = await deps.db.sql<Position>(query.text, query.values)
  const ids = positions.map(({ id }) => id)
  const byId = await conversationsById(deps, actor, ids)
  const page = cutPage(
    positions,
    limit,
    () => countRows(deps, where),
    ({ id, position, snapshot }) => encodeCursor([snapshot, position.toISOString(), id]),
  )
  // A conversation deleted between the two reads is left out.
  const present = page.rows.flatMap(({ id }, i) => {
    const row = byId.get(id)
    return row === undefined ? [] : [{ row, cursor: page.cursors[i] ?? '' }]
  })
  return { ...page, rows: present.map(({ row }) => row), cursors: present.map(({ cursor }) => cursor) }
}

async function countRows(deps: Deps, where: Prisma.Sql): Promise<number> {
  const [count] = await deps.db.prisma.$queryRaw<{ total: bigint }[]>`
    SELECT count(*) AS total FROM conversations c WHERE ${where}`
  return Number(count?.total ?? 0)
}

interface Position {
  id: string
  position: Date
  snapshot: string
}

/** pg_snapshot's text (xmin:xmax:xip_list), then the last row's time and id. */
const WalkPosition = z.tuple([z.string().max(4096).refine(isSnapshot), ...NewestFirst.def.items])

/** What PostgreSQL accepts as pg_snapshot: the running transactions in order, from xmin (included) to xmax. */
function isSnapshot(text: string): boolean {
  const match = /^([1-9]\d{0,18}):([1-9]\d{0,18}):(\d{1,19}(?:,\d{1,19})*)?$/.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return false
  const running = match[3]?.split(',').map(BigInt) ?? []
  const ascending = [BigInt(match[1]), ...running, BigInt(match[2])]
  return ascending.every((xid, i) => xid <= (ascending[i + 1] ?? xid)) && running.at(-1) !== BigInt(match[2])
}

function whereOf(actor: Actor, filter: z.output<typeof ConversationFilter>): Prisma.Sql {
  const own = visibleConversations(actor)
  const { status, assigneeId, unassigned, visitorId, tag, channel, createdAfter, createdBefore } = filter
  const conditions = [
    Prisma.sql`c.workspace_id = ${own.workspaceId}`,
    own.visitorId !== undefined && Prisma.sql`c.visitor_id = ${own.visitorId}`,
    status !== undefined && Prisma.sql`c.status = ${status}::"ConversationStatus"`,
    assigneeId !== undefined && Prisma.sql`c.assignee_id = ${assigneeId}`,
    unassigned === true && Prisma.sql`c.assignee_id IS NULL`,
    visitorId !== undefined && Prisma.sql`c.visitor_id = ${visitorId}`,
    tag !== undefined && Prisma.sql`c.tags @> ARRAY[${tag}]`,
    channel !== undefined && Prisma.sql`c.channel = ${channel}::"Channel"`,
    createdAfter !== undefined && Prisma.sql`c.created_at > ${createdAfter}`,
    createdBefore !== undefined && Prisma.sql`c.created_at < ${createdBefore}`,
  ]
  return Prisma.join(
    conditions.filter((condition) => condition !== false),
    ' AND ',
  )
}

function firstPage(where: Prisma.Sql, take: number): Prisma.Sql {
  return Prisma.sql`
    SELECT c.id, c.last_activity_at AS position, pg_current_snapshot()::text AS snapshot
      FROM conversations c WHERE ${where}
     ORDER BY c.last_activity_at DESC, c.id DESC LIMIT ${take}`
}

function nextPage(where: Prisma.Sql, [snapshot, time, id]: z.output<typeof WalkPosition>, take: number): Prisma.Sql {
  const seen = Prisma.sql`pg_visible_in_snapshot(c.activity_xid, ${snapshot}::pg_snapshot)`
  return Prisma.sql`
    SELECT id, position, ${snapshot} AS snapshot FROM (
      (SELECT c.id, c.last_activity_at AS position
         FROM conversations c
        WHERE ${where} AND ${seen} AND (c.last_activity_at, c.id) < (${time}, ${id})
        ORDER BY c.last_activity_at DESC, c.id DESC LIMIT ${take})
      UNION ALL
      (SELECT c.id, moved.position
         FROM conversations c
        CROSS JOIN LATERAL (
          SELECT COALESCE(
            (SELECT m.created_at FROM messages m
              WHERE m.conversation_id = c.id AND m.type IN ('VISITOR', 'AGENT', 'BOT')
                AND pg_visible_in_snapshot(m.xid, ${snapshot}::pg_snapshot)
              ORDER BY m.sequence DESC LIMIT 1),
            c.created_at) AS position) moved
        WHERE ${where} AND NOT ${seen}
          AND c.activity_xid >= pg_snapshot_xmin(${snapshot}::pg_snapshot)
          AND (moved.position, c.id) < (${time}, ${id})
        ORDER BY moved.position DESC, c.id DESC LIMIT ${take})
    ) walk
    ORDER BY position DESC, id DESC LIMIT ${take}`
}
