import type { Log } from './log.ts'

/**
 * Does something again and again, `ms` after its last end. A failure is logged, and tried again the next time.
 * @param failed the log message of a failure: "snoozed conversations not reopened"
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

/** Work that ends after the step under way when its signal is aborted. */
export type Work = (signal: AbortSignal) => Promise<unknown>
