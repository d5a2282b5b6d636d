import type { Database } from './db.ts'
import { isReadOnly } from './db-away.ts'
import type { Log } from './log.ts'

/**
 * Does something again and again, `ms` after its last end. A failure is logged, and tried again the next time.
 * @param failed what the log says then: "snoozed conversations could not be reopened"
 * @param work its signal is aborted when it is to stop: work that goes in steps ends after the one under way
 * @returns stops, and waits for what is running
 */
export function repeat(log: Log, ms: number, failed: string, work: Work): () => Promise<void> {
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const tick = () => {
    running = work(stopping.signal).then(
      () => undefined,
      (error: unknown) => log.error({ err: error }, failed),
    )
    void running.finally(() => {
      if (!stopping.signal.aborted) timer = setTimeout(tick, ms)
    })
  }
  let timer = setTimeout(tick, ms)
  return async () => {
    stopping.abort()
    clearTimeout(timer)
    await running
  }
}

type Work = (signal: AbortSignal) => Promise<unknown>

/**
 * The same for work that writes. It pauses while the embedded database refuses to write because its disk is nearly full,
 * which the log says when it begins and when it ends (`embedded.ts`).
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
