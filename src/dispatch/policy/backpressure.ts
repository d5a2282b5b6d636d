/** Average wait for the event loop, in milliseconds, above which the process is overloaded. */
const MAX_EVENT_LOOP_DELAY_MS = 40
/**
 * The number of requests waiting for a database connection, in two consecutive observations, from which the process is
 * overloaded.
 */
const MAX_WAITING_FOR_DATABASE = 4
export const MIN_THROTTLE_RATIO = 1 / 64
const RATIO_STEP = 1 / 16
/** The number of overloaded observations at the minimum ratio after which other processes should take over. */
const DRAINING_AFTER = 15

/** The measurements since the last observation. */
export interface LoadObservation {
  /** Average wait for a turn of the event loop. */
  readonly eventLoopDelayMs: number
  /** Requests that wait for a database connection now. */
  readonly waitingForDatabase: number
}

/**
 * Reduces sending while the process is overloaded, because people wait for the API, and webhooks can wait. The ratio
 * halves while the process is overloaded, and grows back slowly.
 */
export class Backpressure {
  #throttleRatio = 1
  #overloadedAtMinimum = 0
  #wasDatabaseBusy = false

  /** The share of the usual requests in flight that is allowed: from 1/64 to 1. */
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
