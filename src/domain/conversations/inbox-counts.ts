import type { ConversationStatus } from '../../generated/prisma/enums.ts'
import type { Database } from '../../infra/database/db.ts'
import { inTransaction, tryLock } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'

/** The numbers of conversations in a workspace, as an inbox shows them. */
export interface InboxCounts {
  /** Open conversations that are assigned to the caller; null for agents, which are never assigned. */
  readonly mine: number | null
  /** Open conversations without an assignee. */
  readonly unassigned: number
  readonly open: number
  readonly snoozed: number
  readonly closed: number
  readonly total: number
}

/** Exact counts in one statement. */
export async function countInbox(deps: Deps, actor: Actor): Promise<InboxCounts> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  return countsFor(await tallyInbox(deps, actor.workspaceId), actor)
}

/** The counts of a workspace for all members at once. */
export interface InboxTally {
  readonly counts: Omit<InboxCounts, 'mine'>
  /** Open conversations by the id of the assigned person. */
  readonly mine: ReadonlyMap<string, number>
}

/** The caller has checked the permission. */
export async function tallyInbox({ db }: Deps, workspaceId: string): Promise<InboxTally> {
  const rows = await db.sql<{ status: ConversationStatus; user_id: string | null; is_free: boolean; total: number }>(
    `SELECT counted.status, member.user_id, member.id IS NULL AS is_free, counted.total
       FROM (SELECT status, assignee_id, sum(change)::int AS total
               FROM conversation_counts WHERE workspace_id = $1 GROUP BY status, assignee_id) counted
       LEFT JOIN members member ON member.id = counted.assignee_id`,
    [workspaceId],
  )
  const sum = (wanted: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(wanted).reduce((total, row) => total + row.total, 0)
  const open = rows.filter(({ status }) => status === 'OPEN')
  return {
    counts: {
      unassigned: sum(({ status, is_free }) => status === 'OPEN' && is_free),
      open: sum(({ status }) => status === 'OPEN'),
      snoozed: sum(({ status }) => status === 'SNOOZED'),
      closed: sum(({ status }) => status === 'CLOSED'),
      total: sum(() => true),
    },
    mine: new Map(open.flatMap(({ user_id, total }) => (user_id === null ? [] : [[user_id, total]]))),
  }
}

/** The counts for one actor. */
export function countsFor({ counts, mine }: InboxTally, { user, type }: Actor): InboxCounts {
  return { mine: type === 'agent' || user === null ? null : (mine.get(user.id) ?? 0), ...counts }
}

/** Held by the node that adds up. */
const LOCK = 0x67644343 // "gdCC"
/** The number of changes that one statement adds up. */
const BATCH = 5000

/**
 * Adds up the changes in `conversation_counts`, so that counting reads one row for each status and assignee. Readers see
 * the changes or their sum, and writers only insert: nobody waits.
 */
export async function addUpConversationCounts(deps: { readonly db: Database }): Promise<void> {
  for (let isMore = true; isMore; ) {
    isMore = await inTransaction(deps, async (tx) => {
      if (!(await tryLock(tx, LOCK))) return false
      const [added] = await tx.db.$queryRawUnsafe<{ changes: number }[]>(ADD_UP)
      return added?.changes === BATCH
    })
  }
}

const ADD_UP = `WITH changes AS MATERIALIZED (
  SELECT workspace_id, status, assignee_id FROM conversation_counts WHERE NOT is_sum ORDER BY id LIMIT ${BATCH}
), added AS (
  DELETE FROM conversation_counts c
   USING (SELECT DISTINCT workspace_id, status, assignee_id FROM changes) k
   WHERE c.workspace_id = k.workspace_id AND c.status = k.status AND c.assignee_id IS NOT DISTINCT FROM k.assignee_id
  RETURNING c.workspace_id, c.status, c.assignee_id, c.change
), sums AS (
  INSERT INTO conversation_counts (workspace_id, status, assignee_id, change, is_sum)
  SELECT workspace_id, status, assignee_id, sum(change), true FROM added
   GROUP BY workspace_id, status, assignee_id HAVING sum(change) <> 0
)
SELECT count(*)::int AS changes FROM changes`
