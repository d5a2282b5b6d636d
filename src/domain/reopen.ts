import { inTransaction } from '../infra/transaction.ts'
import type { Deps } from './deps.ts'
import { recordEvent, SYSTEM } from './events.ts'

const BATCH = 100

/**
 * Reopens the conversations whose snooze is over, at most a batch. Nodes share the work: a row that another one is
 * reopening is skipped.
 * @returns how many were reopened
 */
export async function reopenDueConversations(deps: Deps): Promise<number> {
  return inTransaction(deps, async (tx) => {
    const now = deps.clock.now()
    const reopened = await tx.db.$queryRaw<{ id: string; workspace_id: string }[]>`
      UPDATE conversations SET status = 'OPEN', snoozed_until = NULL, updated_at = ${now}
       WHERE id IN (SELECT id FROM conversations WHERE status = 'SNOOZED' AND snoozed_until <= ${now}
                     ORDER BY snoozed_until LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
      RETURNING id, workspace_id`
    for (const { id, workspace_id: workspaceId } of reopened) {
      const data = { conversationId: id, changed: ['status', 'snoozedUntil'], workspaceId }
      const envelope = { workspaceId, conversationId: id, actor: SYSTEM, at: now }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'conversation.updated', data })
    }
    return reopened.length
  })
}
