import { bisect } from '../../infra/database/bisect.ts'
import type { Database } from '../../infra/database/db.ts'
import { isDatabaseAway } from '../../infra/database/db-away.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import { recordBulkUpdate, SYSTEM } from '../events/events.ts'
import type { Deps } from '../shared/deps.ts'

const BATCH = 500
/** The time until a conversation that the database refused is tried again. */
const AGAIN_MS = 600_000

/** Conversations that the database refused, with the time by performance.now(). */
const setAside = new WeakMap<Database, Map<string, number>>()

/**
 * Reopens the conversations whose snooze has ended, in batches. Several nodes can do this at the same time: the second
 * finds the conversation open. Neither a conversation that the database refuses nor a failing workspace delays others.
 * @returns the number of reopened conversations
 */
export async function reopenDueConversations(deps: Deps): Promise<number> {
  const { db, clock, log, counts } = deps
  const aside = setAside.get(db) ?? new Map<string, number>()
  setAside.set(db, aside)
  for (const [id, at] of aside) if (performance.now() - at > AGAIN_MS) aside.delete(id)
  const putAside = (ids: readonly string[], error: unknown) => {
    for (const id of ids) aside.set(id, performance.now())
    counts.rowsSetAside += ids.length
    log.error({ err: error, conversationIds: ids.slice(0, 10), count: ids.length }, 'conversations not reopened')
  }
  for (let reopened = 0; ; ) {
    const due = await db.sql<{ id: string; workspace_id: string }>(DUE, [clock.now(), BATCH, [...aside.keys()]])
    for (const [workspaceId, rows] of Map.groupBy(due, (row) => row.workspace_id)) {
      const waiting = new Set(rows.map(({ id }) => id))
      await bisect(
        [...waiting],
        async (ids) => {
          reopened += await reopen(deps, workspaceId, [...ids])
          for (const id of ids) waiting.delete(id)
        },
        (id, error) => {
          waiting.delete(id)
          putAside([id], error)
        },
      ).catch((error: unknown) => {
        if (isDatabaseAway(error)) throw error
        putAside([...waiting], error)
      })
    }
    if (due.length < BATCH) return reopened
  }
}

const DUE = `SELECT id, workspace_id FROM conversations
 WHERE status = 'SNOOZED' AND snoozed_until <= $1::timestamptz AND id <> ALL($3::text[])
 ORDER BY snoozed_until LIMIT $2::int`

function reopen(deps: Deps, workspaceId: string, conversationIds: string[]): Promise<number> {
  return inEventTransaction(deps, { workspaceId, conversationIds }, async (tx) => {
    const now = deps.clock.now()
    const reopened = await tx.db.$queryRaw<{ id: string }[]>`
      UPDATE conversations SET status = 'OPEN', snoozed_until = NULL, updated_at = ${now}
       WHERE id = ANY(${conversationIds}) AND status = 'SNOOZED' AND snoozed_until <= ${now}
      RETURNING id`
    await recordBulkUpdate(tx, deps.bus, {
      workspaceId,
      conversationIds: reopened.map(({ id }) => id),
      changed: ['status', 'snoozedUntil'],
      actor: SYSTEM,
      at: now,
    })
    return reopened.length
  })
}
