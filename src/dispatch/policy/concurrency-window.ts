/** Requests in flight that are allowed to an endpoint without history. */
export const INITIAL_WINDOW = 2
const MIN_WINDOW = 1

/**
 * How many requests an endpoint may have in flight, below its own limit: the window doubles with every success and halves
 * with every overload signal, so that a receiver that hangs or is overloaded gets few.
 */
export class ConcurrencyWindow {
  #size = INITIAL_WINDOW

  /** @param maxInFlight the endpoint's own limit */
  limit(maxInFlight: number): number {
    return Math.min(this.#size, maxInFlight)
  }

  /** @param maxInFlight the endpoint's own limit, above which the window does not grow */
  grow(maxInFlight: number): void {
    this.#size = Math.min(2 * this.#size, Math.max(maxInFlight, INITIAL_WINDOW))
  }

  shrink(): void {
    this.#size = Math.max(MIN_WINDOW, this.#size >> 1)
  }
}
