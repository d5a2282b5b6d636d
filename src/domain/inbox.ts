import type { Actor } from './actor.ts'
import type { Deps } from './deps.ts'
import { requireLevel, requireTeam } from './policy.ts'

/** How many conversations the workspace has, as an inbox shows them. */
export interface InboxCounts {
  /** Open, and the asking person's; null for agents, who have none. */
  readonly mine: number | null
  /** Open, and nobody's. */
  readonly unassigned: number
  readonly open: number
  readonly snoozed: number
  readonly closed: number
  readonly total: number
}

/** Exact counts in one statement, which reads one narrow index. */
export async function countInbox(deps: Deps, actor: Actor): Promise<InboxCounts> {
  requireLevel(actor, 'READ_ONLY')
  requireTeam(actor)
  const { workspaceId, user, type } = actor
  const userId = type === 'agent' ? null : (user?.id ?? null)
  const [row] = await deps.db.prisma.$queryRaw<Record<keyof InboxCounts, bigint>[]>`
    SELECT count(*) FILTER (WHERE status = 'OPEN' AND assignee_id = (
             SELECT id FROM members WHERE workspace_id = ${workspaceId} AND user_id = ${userId})) AS mine,
           count(*) FILTER (WHERE status = 'OPEN' AND assignee_id IS NULL) AS unassigned,
           count(*) FILTER (WHERE status = 'OPEN') AS open,
           count(*) FILTER (WHERE status = 'SNOOZED') AS snoozed,
           count(*) FILTER (WHERE status = 'CLOSED') AS closed,
           count(*) AS total
      FROM conversations WHERE workspace_id = ${workspaceId}`
  if (row === undefined) throw new Error('a count returned no row')
  const [unassigned, open, snoozed] = [Number(row.unassigned), Number(row.open), Number(row.snoozed)]
  const mine = userId === null ? null : Number(row.mine)
  return { mine, unassigned, open, snoozed, closed: Number(row.closed), total: Number(row.total) }
}
