import type { ConversationStatus } from '../../generated/prisma/enums.ts'
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

/** Exact counts in one statement, which reads one narrow index. */
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
       FROM (SELECT status, assignee_id, count(*)::int AS total
               FROM conversations WHERE workspace_id = $1 GROUP BY status, assignee_id) counted
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
