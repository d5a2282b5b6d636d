import type { EndpointQueue } from '../queue/endpoint-queue.ts'

/** Requests in flight: for everybody, for endpoints that are not slow, for those that have none. */
const MAX_IN_FLIGHT = 1024
const MAX_IN_FLIGHT_NOT_SLOW = 1536
const MAX_IN_FLIGHT_IDLE = 2048
/** Of which so many began within the last 10 ms. */
const MAX_RECENT = 64
export const RECENT_MS = 10

/**
 * How many requests this process may have in flight.
 *
 * Receivers that answer at once are sent to fastest by few connections, so few requests may be young. Receivers that take
 * long hold many, which are no longer young and keep nobody from beginning. Only when they are very many do endpoints
 * that are slow have to wait, and later all that have a request in flight: one that has none always gets its turn.
 */
export class InFlightLimit {
  /** In flight and young when last looked at, with performance.now() of the start, the oldest first. */
  readonly #recent = new Map<object, number>()
  #inFlight = 0

  get inFlight(): number {
    return this.#inFlight
  }

  /** @returns what `end` takes back */
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

  /** @param share of the usual capacity, up to 1 */
  isFull(throttleRatio: number): boolean {
    const bornBefore = performance.now() - RECENT_MS
    for (const [token, startedAt] of this.#recent) {
      if (startedAt > bornBefore) break
      this.#recent.delete(token)
    }
    return this.#recent.size >= throttleRatio * MAX_RECENT || this.#inFlight >= throttleRatio * MAX_IN_FLIGHT_IDLE
  }

  /** Whether one endpoint may begin another request; ask isFull first. */
  hasRoomFor(queue: EndpointQueue, throttleRatio: number): boolean {
    if (this.#inFlight < throttleRatio * MAX_IN_FLIGHT || queue.inFlightCount === 0) return true
    return this.#inFlight < throttleRatio * MAX_IN_FLIGHT_NOT_SLOW && !queue.isSlow
  }
}
