/** Average wait for the event loop, in milliseconds, above which the process is overloaded. */
const MAX_EVENT_LOOP_DELAY_MS = 40
/** Requests that wait for a database connection, in two observations in a row, from which the process is overloaded. */
const MAX_WAITING_FOR_DATABASE = 4
export const MIN_THROTTLE_RATIO = 1 / 64
const RATIO_STEP = 1 / 16
/** Overloaded observations at the minimum ratio until other processes should take over. */
const DRAINING_AFTER = 15

/** What was measured since the last observation. */
export interface LoadObservation {
  /** Average wait for a turn of the event loop. */
  readonly eventLoopDelayMs: number
  /** Requests that wait for a database connection now. */
  readonly waitingForDatabase: number
}

/**
 * How far the dispatcher gives way to the API in the same process: people wait for an answer, webhooks can wait. The ratio
 * halves while the process is overloaded, and grows back slowly.
 */
export class Backpressure {
  #throttleRatio = 1
  #overloadedAtMinimum = 0
  #wasDatabaseBusy = false

  /** Share of the usual requests that may be in flight: from 1/64 to 1. */
  get throttleRatio(): number {
    return this.#throttleRatio
  }

  /** Whether other processes should take this one's endpoints. */
  get isDraining(): boolean {
    return this.#overloadedAtMinimum >= DRAINING_AFTER
  }

  observe({ eventLoopDelayMs, waitingForDatabase }: LoadObservation): void {
    const isDatabaseBusy = waitingForDatabase >= MAX_WAITING_FOR_DATABASE
    const isOverloaded = eventLoopDelayMs > MAX_EVENT_LOOP_DELAY_MS || (isDatabaseBusy && this.#wasDatabaseBusy)
    this.#wasDatabaseBusy = isDatabaseBusy
    this.#throttleRatio = isOverloaded
      ? Math.max(MIN_THROTTLE_RATIO, this.#throttleRatio / 2)
      : Math.min(1, this.#throttleRatio + RATIO_STEP)
    const isAtMinimum = isOverloaded && this.#throttleRatio === MIN_THROTTLE_RATIO
    this.#overloadedAtMinimum = isAtMinimum ? this.#overloadedAtMinimum + 1 : 0
  }
}
