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
