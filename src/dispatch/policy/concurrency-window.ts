/** The requests in flight that an endpoint without history is allowed. */
export const INITIAL_WINDOW = 2
const MIN_WINDOW = 1

/**
 * The number of requests that an endpoint is allowed in flight, below its own limit. The window doubles with every
 * success and halves with every overload signal, so that a hanging or overloaded receiver gets few requests.
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
