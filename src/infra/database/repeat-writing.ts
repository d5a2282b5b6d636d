import type { Log } from '../log.ts'
import { repeat, type Work } from '../repeat.ts'
import type { Database } from './db.ts'
import { isReadOnly } from './db-away.ts'

/**
 * `repeat` for work that writes. It pauses while the embedded database is read-only because its disk is nearly full,
 * which `embedded.ts` logs.
 */
export function repeatWriting(
  { db, log }: { readonly db: Pick<Database, 'disk'>; readonly log: Log },
  ms: number,
  failed: string,
  work: Work,
): () => Promise<void> {
  return repeat(log, ms, failed, async (signal) => {
    if (db.disk?.isFull) return
    try {
      await work(signal)
    } catch (error) {
      const hasBegunMeanwhile = db.disk?.isFull && isReadOnly(error)
      if (!hasBegunMeanwhile) throw error
    }
  })
}
