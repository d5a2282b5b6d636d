import type { Log } from './log.ts'

/**
 * Runs work repeatedly, `ms` after its last end. Failures are logged, and the work is repeated at the next time.
 * @param failed the log message of a failure: "snoozed conversations not reopened"
 * @param work its signal is aborted when it should stop: work in steps ends after the current step
 * @returns stops it, and waits for the running work
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

/** Work that ends after its current step when its signal is aborted. */
export type Work = (signal: AbortSignal) => Promise<unknown>
