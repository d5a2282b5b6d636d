import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Database } from '../infra/database/db.ts'

const LOOK_MS = 200
const RESOLUTION_MS = 10
/** Work waits this long for its turn in the event loop, on average, before sending gives way. */
const OVERLOADED_MS = 40
const LEAST_SHARE = 1 / 64
/** So many requests wait for a database connection, at two looks in a row, before sending gives way. */
const QUEUED = 4
/** Looks at the least share until others should take over. */
const SHEDDING_LOOKS = 15

/**
 * Watches how long work waits in this process, for the event loop and for a database connection, and says which share of
 * its usual requests the dispatcher may have in flight: people who wait for an answer come first, webhooks can wait. The
 * share halves while the process is overloaded, and grows back slowly.
 */
export class BackpressureMonitor {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>
  readonly #timer: NodeJS.Timeout
  readonly #db: Pick<Database, 'pool'>
  #throttleRatio = 1
  #overloadedLooks = 0
  #wasQueued = false

  constructor(db: Pick<Database, 'pool'>) {
    this.#db = db
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#histogram.enable()
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  /** From 1/64 to 1. */
  get throttleRatio(): number {
    return this.#throttleRatio
  }

  /** Whether other processes should take this one's endpoints. */
  get isDraining(): boolean {
    return this.#overloadedLooks >= SHEDDING_LOOKS
  }

  #look(): void {
    const waitedMs = this.#histogram.mean / 1e6 - RESOLUTION_MS
    this.#histogram.reset()
    const isQueued = this.#db.pool.waitingCount >= QUEUED
    const isOverloaded = waitedMs > OVERLOADED_MS || (isQueued && this.#wasQueued)
    this.#wasQueued = isQueued
    this.#throttleRatio = isOverloaded
      ? Math.max(LEAST_SHARE, this.#throttleRatio / 2)
      : Math.min(1, this.#throttleRatio + 1 / 16)
    this.#overloadedLooks = isOverloaded && this.#throttleRatio === LEAST_SHARE ? this.#overloadedLooks + 1 : 0
  }

  close(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }
}
