import { inTransaction, tryLock } from '../../infra/database/transaction.ts'
import type { Deps } from '../shared/deps.ts'

/** Held by the node that moves words. */
const LOCK = 0x67645349 // "gdSI"

/**
 * Moves the words of new messages from the pending list of the search index into the index. A message adds its words to
 * the list, which is cheap; searches read the list as well, so it must stay short. Words that many messages share are moved
 * together. Without this, PostgreSQL would do it within the insertion of some message, which would wait for it.
 */
export async function indexNewMessages(deps: Pick<Deps, 'db'>): Promise<void> {
  await inTransaction(deps, async (tx) => {
    if (await tryLock(tx, LOCK)) await tx.db.$queryRaw`SELECT gin_clean_pending_list('messages_search_idx')`
  })
}
