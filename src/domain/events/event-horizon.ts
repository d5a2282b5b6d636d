import type { Database } from '../../infra/database/db.ts'
import { lockKey, WORKSPACE_LOCK } from './event-lock.ts'

/** The end of the readable log. */
export interface Horizons {
  /** The transaction id below which no new event can appear in any workspace's log. */
  readonly all: bigint
  /** The same for each of the requested workspaces. */
  of(workspaceId: string): bigint
}

/**
 * The transaction id below which no new event can appear in a workspace's log. Read the log afterwards, in another
 * statement. Only transactions that record events of that workspace delay it; other transactions in the database, or on
 * the server, do not.
 */
export async function horizonOf(db: Database, workspaceId: string): Promise<bigint> {
  return (await horizonsOf(db, [workspaceId])).of(workspaceId)
}

/** The horizons of several workspaces, in one statement. */
export async function horizonsOf(db: Database, workspaceIds: readonly string[]): Promise<Horizons> {
  const rows = await db.sql<{ key: number | null; horizon: string }>(HORIZONS, [WORKSPACE_LOCK])
  const horizons = new Map(rows.map(({ key, horizon }) => [key, BigInt(horizon)]))
  const next = horizons.get(null) ?? 0n
  const held = [...horizons.values()]
  const wanted = new Map(workspaceIds.map((id) => [id, horizons.get(lockKey(id)) ?? next]))
  return {
    all: held.reduce((least, horizon) => (horizon < least ? horizon : least), next),
    of: (workspaceId) => wanted.get(workspaceId) ?? next,
  }
}

/**
 * SQL for a transaction id of which only the lower 32 bits are known: the nearest one to another id, as bigint.
 * @param low the 32 bits, as bigint
 */
export function wholeXid(low: string, near: string): string {
  return `(${near} + (${low} - ${near} % 4294967296 + 6442450944) % 4294967296 - 2147483648)`
}

/**
 * One row with the next transaction id (key null), and one for each workspace with running writers (see event-lock.ts),
 * with the least transaction id among them. The snapshot comes first: a writer with an id below its xmax got its lock
 * before, so this statement sees the lock, or the next statement sees its events. For a writer with a hidden id
 * (another role, a prepared transaction), the oldest transaction of the server counts.
 */
const HORIZONS = `
WITH snapshot AS MATERIALIZED (
  SELECT pg_snapshot_xmax(s)::text::bigint AS next, pg_snapshot_xmin(s)::text::bigint AS oldest FROM pg_current_snapshot() s
)
SELECT NULL::int AS key, next::text AS horizon FROM snapshot
UNION ALL
SELECT writer.key,
       min(CASE WHEN activity.state IS NULL THEN snapshot.oldest
                WHEN activity.backend_xid IS NULL THEN snapshot.next
                ELSE least(snapshot.next, ${wholeXid('activity.backend_xid::text::bigint', 'snapshot.next')})
           END)::text
  FROM snapshot
 CROSS JOIN LATERAL (
   SELECT pid, objid::bigint::bit(32)::int AS key FROM pg_locks
    WHERE locktype = 'advisory' AND classid = $1::int::oid AND objsubid = 2 AND granted AND snapshot.next IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
 ) writer
  LEFT JOIN pg_stat_activity activity USING (pid)
 GROUP BY writer.key`
