const SECOND = 1000

/** The samples in the window: the latest ones, none of them older than a minute. */
const WINDOW = 20
const WINDOW_MS = 60 * SECOND
/** The breaker opens at this many failures in the window, if they are at least this share of it. */
const MIN_FAILURES = 10
const FAILURE_RATIO = 0.8
/** The time until the first probe, and the maximum time between two. */
const FIRST_PROBE_MS = 5 * SECOND
const MAX_PROBE_MS = 60 * SECOND

/** The state in the endpoint's row, for the next owner of the endpoint and for people. */
export interface CircuitBreakerState {
  /** Null: closed. */
  readonly openedAt: Date | null
  /** The time when the next probe is allowed. */
  readonly probeAt: Date | null
  /** The number of consecutive failed probes. */
  readonly probes: number
}

/**
 * Stops sending to a receiver that is down, and probes it.
 *
 * Closed: everything is sent. Open: nothing is sent, and no attempts are spent. Half open, from `probeAt` on: one
 * request at a time; a success closes the breaker, a failure doubles the time until the next probe. Only overload
 * signals count as failures: see `isOverloadSignal`.
 */
export class CircuitBreaker {
  #state: CircuitBreakerState
  #samples: Sample[] = []

  constructor(state: CircuitBreakerState) {
    this.#state = state
  }

  get row(): CircuitBreakerState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state.openedAt !== null
  }

  /** The number of requests that are allowed in flight now; `most` when closed. */
  allows(now: Date, most: number): number {
    const { probeAt } = this.#state
    if (probeAt === null) return most
    return probeAt <= now ? 1 : 0
  }

  /** @returns whether the row has changed */
  succeeded(now: Date): boolean {
    this.#addSample(now, false)
    if (!this.isOpen) return false
    this.#state = CLOSED
    this.#samples = []
    return true
  }

  /**
   * @param random a number in [0, 1)
   * @param isRequested whether it was a requested probe: the receiver may recover soon, so the next probe follows soon
   * @returns whether the row has changed
   */
  failed(now: Date, random: number, isRequested = false): boolean {
    this.#addSample(now, true)
    const { openedAt, probes, probeAt } = this.#state
    if (openedAt !== null && isRequested) {
      this.#state = { openedAt, probeAt: probeTime(now, 0, random), probes: 0 }
      return true
    }
    if (openedAt !== null) {
      // Requests that were in flight when the breaker opened add no information.
      if (probeAt !== null && probeAt > now) return false
      this.#state = { openedAt, probeAt: probeTime(now, probes + 1, random), probes: probes + 1 }
      return true
    }
    const failures = this.#samples.filter(({ failed }) => failed).length
    if (failures < MIN_FAILURES || failures < FAILURE_RATIO * this.#samples.length) return false
    this.#state = { openedAt: now, probeAt: probeTime(now, 0, random), probes: 0 }
    return true
  }

  #addSample(now: Date, failed: boolean): void {
    const at = now.getTime()
    const isForgotten = (sample?: Sample) => sample !== undefined && Math.abs(at - sample.at) >= WINDOW_MS
    // After a clock was set back, samples in the future are dropped, too.
    if (isForgotten(this.#samples[0]) || isForgotten(this.#samples.at(-1))) {
      this.#samples = this.#samples.filter((sample) => !isForgotten(sample))
    }
    if (this.#samples.length === WINDOW) this.#samples.shift()
    this.#samples.push({ at, failed })
  }
}

/** The result and the time of a request. */
interface Sample {
  readonly at: number
  readonly failed: boolean
}

const CLOSED: CircuitBreakerState = { openedAt: null, probeAt: null, probes: 0 }

/** 5 s, 10 s, 20 s, 40 s, then every minute, ±10 %. */
function probeTime(now: Date, probes: number, random: number): Date {
  const delay = Math.min(FIRST_PROBE_MS * 2 ** probes, MAX_PROBE_MS)
  return new Date(now.getTime() + Math.round(delay * (0.9 + 0.2 * random)))
}
