import { createHash } from 'node:crypto'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import type { Deps } from '../shared/deps.ts'

declare const ordered: unique symbol

/** A transaction that can record events: it holds the locks that determine their order in the log. */
export interface EventTx extends Tx {
  readonly [ordered]: true
}

/** The workspace whose log the transaction writes to. */
export interface EventScope {
  readonly workspaceId: string
  /** The conversations of its events, at most 500. */
  readonly conversationIds?: readonly string[]
}

/** The first of the two numbers of an advisory lock. Nothing else in the database uses these numbers. */
export const WORKSPACE_LOCK = 718_201
export const CONVERSATION_LOCK = 718_202

/**
 * Runs `work` in a transaction that can record events of a workspace. Before its first write, and so before it gets a
 * transaction id, it locks the workspace (shared: the horizon depends on these locks) and then the conversations
 * (exclusively). A transaction that waits for a conversation gets its id afterwards, so the transaction ids of a
 * conversation have the order in which its changes commit. `SELECT … FOR UPDATE` is not enough: it gets the id before
 * it waits.
 * @throws Error when the transaction has already written something
 */
export function inEventTransaction<T>(
  deps: Pick<Deps, 'db'>,
  { workspaceId, conversationIds = [] }: EventScope,
  work: (tx: EventTx) => Promise<T>,
): Promise<T> {
  return inTransaction(deps, async (tx) => {
    await lock(tx, workspaceId, conversationIds)
    return work(tx as EventTx)
  })
}

/** What transactions have locked: workspaces and conversations, by their ids. */
const locked = new WeakMap<Tx, ReadonlySet<string>>()

/** In one order everywhere, so that two transactions never wait for each other. A part of a transaction that has it all takes nothing. */
async function lock(tx: Tx, workspaceId: string, conversationIds: readonly string[]): Promise<void> {
  const wanted = [workspaceId, ...conversationIds]
  if (wanted.every((id) => locked.get(tx)?.has(id))) return
  const conversations = [...new Set(conversationIds.map(lockKey))].sort((a, b) => a - b)
  const keys = [lockKey(workspaceId), ...conversations]
  const taken = await tx.db.$executeRaw`
    SELECT CASE n WHEN 1 THEN pg_advisory_xact_lock_shared(${WORKSPACE_LOCK}::int, key)
                  ELSE pg_advisory_xact_lock(${CONVERSATION_LOCK}::int, key) END
      FROM unnest(${keys}::int[]) WITH ORDINALITY AS wanted(key, n)
     WHERE pg_current_xact_id_if_assigned() IS NULL`
  if (taken < keys.length) throw new Error('A transaction that records events must take their locks before it writes')
  locked.set(tx, new Set(wanted))
}

/**
 * The second number of an advisory lock. If two ids share a number, their transactions wait for each other, without
 * other effects.
 */
export function lockKey(id: string): number {
  return createHash('sha256').update(id).digest().readInt32BE(0)
}
