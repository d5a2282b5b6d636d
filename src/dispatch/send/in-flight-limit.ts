import type { EndpointQueue } from '../queue/endpoint-queue.ts'

/** Requests in flight from which slow endpoints wait; all endpoints that have one; and all endpoints. */
const MAX_IN_FLIGHT = 1024
const MAX_IN_FLIGHT_NOT_SLOW = 1536
const MAX_IN_FLIGHT_IDLE = 2048
/** The maximum number that started within the last 10 ms. */
const MAX_RECENT = 64
export const RECENT_MS = 10

/**
 * Limits the requests in flight of this process.
 *
 * Receivers that respond at once are served fastest over few connections, so few requests may be recent. Slow receivers
 * have many, which are not recent and delay no others. Above a first limit, slow endpoints wait; above a second one,
 * all endpoints that have a request in flight. An endpoint without one always gets its turn.
 */
export class InFlightLimit {
  /** The requests that were recent at the last check, with performance.now() of the start, the oldest first. */
  readonly #recent = new Map<object, number>()
  #inFlight = 0

  get inFlight(): number {
    return this.#inFlight
  }

  /** @returns a token for `finish` */
  start(): object {
    const token = {}
    this.#inFlight++
    this.#recent.set(token, performance.now())
    return token
  }

  finish(token: object): void {
    this.#inFlight--
    this.#recent.delete(token)
  }

  /** @param throttleRatio the share of the usual limit, up to 1 */
  isFull(throttleRatio: number): boolean {
    const recentSince = performance.now() - RECENT_MS
    for (const [token, startedAt] of this.#recent) {
      if (startedAt > recentSince) break
      this.#recent.delete(token)
    }
    return this.#recent.size >= throttleRatio * MAX_RECENT || this.#inFlight >= throttleRatio * MAX_IN_FLIGHT_IDLE
  }

  /** Whether an endpoint may start another request, unless `isFull`. */
  hasRoomFor(queue: EndpointQueue, throttleRatio: number): boolean {
    if (this.#inFlight < throttleRatio * MAX_IN_FLIGHT || queue.inFlightCount === 0) return true
    return this.#inFlight < throttleRatio * MAX_IN_FLIGHT_NOT_SLOW && !queue.isSlow
  }
}
