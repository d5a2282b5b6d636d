import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Database } from '../infra/database/db.ts'
import { Backpressure } from './policy/backpressure.ts'

const OBSERVE_EVERY_MS = 200
const RESOLUTION_MS = 10

/** Measures the load of this process, five times a second, and passes it to `Backpressure`. */
export class BackpressureMonitor {
  readonly #backpressure = new Backpressure()
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>
  readonly #timer: NodeJS.Timeout

  constructor({ pool }: Pick<Database, 'pool'>) {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    this.#histogram.enable()
    this.#timer = setInterval(() => {
      const eventLoopDelayMs = this.#histogram.mean / 1e6 - RESOLUTION_MS
      this.#histogram.reset()
      this.#backpressure.observe({ eventLoopDelayMs, waitingForDatabase: pool.waitingCount })
    }, OBSERVE_EVERY_MS)
    this.#timer.unref()
  }

  /** The share of the usual requests in flight that is allowed: from 1/64 to 1. */
  get throttleRatio(): number {
    return this.#backpressure.throttleRatio
  }

  /** Whether other processes should take this one's endpoints. */
  get isDraining(): boolean {
    return this.#backpressure.isDraining
  }

  close(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }
}
