import type { Deps } from '../shared/deps.ts'
import { dataOf, isOfType } from './event-data.ts'
import type { LoggedEvent, LogPosition } from './event-position.ts'
import type { EventType } from './events.ts'

/**
 * What an event is about, where that can change lists of conversations, with the place of its last event: a conversation, or a
 * visitor, who stands for all of their conversations.
 */
export interface ChangedSubject extends LogPosition {
  readonly kind: 'conversation' | 'visitor'
  readonly id: string
}

const VISITOR_UPDATED = 'visitor.updated' satisfies EventType

/** @returns null for an event that changes no conversation */
export function subjectOf(event: LoggedEvent): Pick<ChangedSubject, 'kind' | 'id'> | null {
  if (event.conversationId !== null) return { kind: 'conversation', id: event.conversationId }
  return isOfType(event, VISITOR_UPDATED) ? { kind: 'visitor', id: dataOf(event).visitorId } : null
}

/** What a look at the next events found. */
export interface ChangedSubjects {
  /** In the order of their last events. */
  readonly subjects: ChangedSubject[]
  /** Everything up to here has been looked at. */
  readonly reached: LogPosition
}

/** How many events one look covers: a long absence must not become one long statement. */
const SCAN_EVENTS = 2000

/**
 * What has its last event of a part of the log among its next events. Looked at to its end, every conversation that has events
 * there comes once, and a visitor once in each look.
 */
export async function changedSubjects(
  { db }: Pick<Deps, 'db'>,
  workspaceId: string,
  { after, upTo }: { after: LogPosition; upTo: LogPosition },
): Promise<ChangedSubjects> {
  const rows = await db.sql<ScanRow>(SCAN, [
    workspaceId,
    String(after.xid),
    String(after.seq),
    String(upTo.xid),
    String(upTo.seq),
    VISITOR_UPDATED,
    SCAN_EVENTS,
  ])
  const [first] = rows
  const subjects = rows.flatMap(({ conversation_id: conversationId, visitor_id: visitorId, xid, seq }) => {
    const id = conversationId ?? visitorId
    if (id === null || xid === null || seq === null) return []
    const kind = conversationId === null ? ('visitor' as const) : ('conversation' as const)
    return [{ kind, id, xid: BigInt(xid), seq: BigInt(seq) }]
  })
  const isDone = first === undefined || first.looked < SCAN_EVENTS
  return { subjects, reached: isDone ? upTo : { xid: BigInt(first.reached_xid), seq: BigInt(first.reached_seq) } }
}

/** $1 workspace, $2 and $3 the position after which it begins, $4 and $5 the one where it ends, $6 the visitors' event, $7 events. */
const SCAN = `
  WITH slice AS MATERIALIZED (
    SELECT conversation_id, xid, seq,
           CASE WHEN conversation_id IS NULL AND type = $6 THEN body::json #>> '{data,visitorId}' END AS visitor_id
      FROM events
     WHERE workspace_id = $1 AND (xid, seq) > ($2::xid8, $3::bigint) AND (xid, seq) <= ($4::xid8, $5::bigint)
     ORDER BY events.xid, seq LIMIT $7
  ), edge AS (
    SELECT xid, seq, (SELECT count(*)::int FROM slice) AS looked FROM slice ORDER BY slice.xid DESC, seq DESC LIMIT 1
  ), newest AS (
    SELECT DISTINCT ON (conversation_id, visitor_id) conversation_id, visitor_id, xid, seq
      FROM slice WHERE conversation_id IS NOT NULL OR visitor_id IS NOT NULL
     ORDER BY conversation_id, visitor_id, slice.xid DESC, seq DESC
  ), last AS (
    SELECT * FROM newest WHERE NOT EXISTS (
      SELECT FROM events later
       WHERE later.workspace_id = $1 AND later.conversation_id = newest.conversation_id
         AND (later.xid, later.seq) > (newest.xid, newest.seq) AND (later.xid, later.seq) <= ($4::xid8, $5::bigint))
  )
  SELECT edge.xid::text AS reached_xid, edge.seq::text AS reached_seq, edge.looked,
         last.conversation_id, last.visitor_id, last.xid::text AS xid, last.seq::text AS seq
    FROM edge LEFT JOIN last ON true ORDER BY last.xid, last.seq`

interface ScanRow {
  reached_xid: string
  reached_seq: string
  looked: number
  conversation_id: string | null
  visitor_id: string | null
  xid: string | null
  seq: string | null
}
