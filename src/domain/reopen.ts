import type { Deps } from './deps.ts'
import { inEventTransaction } from './event-lock.ts'
import { recordLogEvents, SYSTEM } from './events.ts'

const BATCH = 500

/**
 * Reopens the conversations whose snooze is over, batch by batch. Nodes may do it at the same time: whoever comes second
 * to a conversation finds it open.
 * @returns how many were reopened
 */
export async function reopenDueConversations(deps: Deps): Promise<number> {
  for (let reopened = 0; ; ) {
    const due = await deps.db.sql<{ id: string; workspace_id: string }>(DUE, [deps.clock.now(), BATCH])
    for (const [workspaceId, rows] of Map.groupBy(due, (row) => row.workspace_id)) {
      const ids = rows.map(({ id }) => id)
      reopened += await reopen(deps, workspaceId, ids)
    }
    if (due.length < BATCH) return reopened
  }
}

const DUE = `SELECT id, workspace_id FROM conversations
 WHERE status = 'SNOOZED' AND snoozed_until <= $1::timestamptz ORDER BY snoozed_until LIMIT $2::int`

function reopen(deps: Deps, workspaceId: string, conversationIds: string[]): Promise<number> {
  return inEventTransaction(deps, { workspaceId, conversationIds }, async (tx) => {
    const now = deps.clock.now()
    const reopened = await tx.db.$queryRaw<{ id: string }[]>`
      UPDATE conversations SET status = 'OPEN', snoozed_until = NULL, updated_at = ${now}
       WHERE id = ANY(${conversationIds}) AND status = 'SNOOZED' AND snoozed_until <= ${now}
      RETURNING id`
    const events = reopened.map(({ id }) => {
      const data = { conversationId: id, changed: ['status', 'snoozedUntil'], workspaceId }
      return { type: 'conversation.updated' as const, conversationId: id, data, actor: SYSTEM, at: now }
    })
    await recordLogEvents(tx, deps.bus, workspaceId, events)
    return reopened.length
  })
}
