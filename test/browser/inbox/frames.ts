import type { Browser, Page } from 'playwright-core'

interface TraceEvent {
  readonly name: string
  /** In microseconds. */
  readonly ts: number
}

export interface Traced<T> {
  readonly result: T
  /** Between one frame that was drawn and the next, in milliseconds, the shortest first. */
  readonly frames: readonly number[]
}

/** What Chromium's own tracing says of the frames that were drawn meanwhile. */
export async function traceFrames<T>(browser: Browser, page: Page, work: () => Promise<T>): Promise<Traced<T>> {
  await browser.startTracing(page, {
    categories: ['disabled-by-default-devtools.timeline.frame', 'devtools.timeline.frame'],
  })
  const result = await work()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8')) as { traceEvents: TraceEvent[] }
  const drawn = traceEvents
    .filter(({ name }) => name === 'DrawFrame')
    .map(({ ts }) => ts)
    .sort((a, b) => a - b)
  const frames = drawn.slice(1).map((ts, i) => (ts - (drawn[i] ?? ts)) / 1000)
  return { result, frames: frames.sort((a, b) => a - b) }
}
