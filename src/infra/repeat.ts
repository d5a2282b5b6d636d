import type { Database } from './db.ts'
import { isReadOnly } from './db-away.ts'
import type { Log } from './log.ts'

/**
 * Does something again and again, `ms` after its last end. A failure is logged, and tried again the next time.
 * @param failed what the log says then: "snoozed conversations could not be reopened"
 * @returns stops, and waits for what is running
 */
export function repeat(log: Log, ms: number, failed: string, work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const tick = () => {
    running = work().then(
      () => undefined,
      (error: unknown) => log.error({ err: error }, failed),
    )
    void running.finally(() => {
      if (timer !== undefined) timer = setTimeout(tick, ms)
    })
  }
  timer = setTimeout(tick, ms)
  return async () => {
    clearTimeout(timer)
    timer = undefined
    await running
  }
}

/**
 * The same for work that writes. It pauses while the embedded database refuses to write because its disk is nearly full,
 * which the log says when it begins and when it ends (`embedded.ts`).
 */
export function repeatWriting(
  { db, log }: { readonly db: Pick<Database, 'disk'>; readonly log: Log },
  ms: number,
  failed: string,
  work: () => Promise<unknown>,
): () => Promise<void> {
  return repeat(log, ms, failed, async () => {
    if (db.disk?.isFull) return
    try {
      await work()
    } catch (error) {
      const hasBegunMeanwhile = db.disk?.isFull && isReadOnly(error)
      if (!hasBegunMeanwhile) throw error
    }
  })
}
