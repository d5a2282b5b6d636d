import type { LogPosition } from '../events/event-position.ts'
import type { Deps } from '../shared/deps.ts'

/** How far a visitor's conversations have been walked, latest activity first. */
export interface VisitorWalk {
  readonly visitorId: string
  /** The last conversation that was found; null: none yet. */
  readonly after: { readonly lastActivityAt: Date; readonly id: string } | null
}

/** A visitor's conversation that a walk has found. */
export interface WalkedConversation {
  readonly visitorId: string
  readonly id: string
  readonly lastActivityAt: Date
}

/**
 * The next conversations of visitors, visitor by visitor. One that becomes active during the walk may be passed over: it has an
 * event of its own then.
 * @param limit how many; when as many were found, there may be more of the last one's visitor and of the visitors after them
 * @param but those that have events of their own in this part of the log
 */
export async function walkConversations(
  { db }: Pick<Deps, 'db'>,
  workspaceId: string,
  walks: readonly VisitorWalk[],
  limit: number,
  but: { readonly after: LogPosition; readonly upTo: LogPosition } | null = null,
): Promise<WalkedConversation[]> {
  return db.sql<WalkedConversation>(but === null ? WALK : WALK_BUT, [
    workspaceId,
    walks.map(({ visitorId }) => visitorId),
    walks.map(({ after }) => after?.lastActivityAt ?? 'infinity'),
    walks.map(({ after }) => after?.id ?? ''),
    limit,
    ...(but === null ? [] : [but.after.xid, but.after.seq, but.upTo.xid, but.upTo.seq].map(String)),
  ])
}

/** $1 workspace; $2 visitors, and $3 and $4 where the walk of each goes on; $5 limit. */
const walk = (condition: string) => `
  SELECT walk.visitor_id AS "visitorId", c.id, c.last_activity_at AS "lastActivityAt"
    FROM unnest($2::text[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS walk(visitor_id, at, id, n)
   CROSS JOIN LATERAL (
     SELECT id, last_activity_at FROM conversations
      WHERE workspace_id = $1 AND visitor_id = walk.visitor_id AND (last_activity_at, id) < (walk.at, walk.id) ${condition}
      ORDER BY last_activity_at DESC, id DESC LIMIT $5) c
   ORDER BY walk.n, c.last_activity_at DESC, c.id DESC LIMIT $5`
const WALK = walk('')
/** $6 to $9 a part of the log. */
const WALK_BUT = walk(`AND NOT EXISTS (
        SELECT FROM events own
         WHERE own.workspace_id = $1 AND own.conversation_id = conversations.id
           AND (own.xid, own.seq) > ($6::xid8, $7::bigint) AND (own.xid, own.seq) <= ($8::xid8, $9::bigint))`)
