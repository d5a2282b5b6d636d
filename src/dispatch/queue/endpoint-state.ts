import { CircuitBreaker } from '../policy/circuit-breaker.ts'
import { ConcurrencyWindow } from '../policy/concurrency-window.ts'
import type { Health } from '../store/endpoint-health.ts'
import { breakerStateOf, type EndpointRow } from '../store/endpoints.ts'

/** What this process knows of one of its endpoints, and whether and how much it may send there. */
export class EndpointState {
  readonly window = new ConcurrencyWindow()
  #row: EndpointRow
  #breaker: CircuitBreaker
  #isStale = false
  #isLeaving = false
  #usedAt = performance.now()
  #faultUntil = 0

  constructor(row: EndpointRow) {
    this.#row = row
    this.#breaker = new CircuitBreaker(breakerStateOf(row))
  }

  get row(): EndpointRow {
    return this.#row
  }

  get breaker(): CircuitBreaker {
    return this.#breaker
  }

  /** The row has changed in the database: it is read again before anything else. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** It belongs to another process now, or will: nothing more is read, and it is given back when nothing is prefetched. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Whether nothing is sent, not even a probe. */
  get isStopped(): boolean {
    return !this.#row.isEnabled || this.#isLeaving || (this.#faultUntil > 0 && performance.now() < this.#faultUntil)
  }

  /** Requests that may be in flight now, besides tests and probes. */
  get concurrencyLimit(): number {
    return this.isStopped || this.#breaker.isOpen ? 0 : this.window.limit(this.#row.maxInFlight)
  }

  /** @param time performance.now() */
  isUnusedSince(time: number): boolean {
    return this.#usedAt < time
  }

  touch(): void {
    this.#usedAt = performance.now()
  }

  markStale(): void {
    this.#isStale = true
  }

  release(): void {
    this.#isLeaving = true
  }

  /** Sends nothing for a while, because this process cannot: a secret that does not open. @param ms how long */
  pauseForFault(ms: number): void {
    this.#faultUntil = performance.now() + ms
  }

  /** Sends nothing more, before the row says so. */
  disable(): void {
    this.#row = { ...this.#row, isEnabled: false }
  }

  /** Takes the row as it was read. @returns whether it was disabled, and is enabled again */
  refresh(row: EndpointRow): boolean {
    const isResumed = row.isEnabled && !this.#row.isEnabled
    this.#row = row
    this.#isStale = false
    if (isResumed) this.#breaker = new CircuitBreaker(breakerStateOf(row))
    return isResumed
  }

  /** This process wrote its health. If nobody else had changed the row, it is not stale. */
  healthWritten({ failingSince, isProbeRequested, isRecovering, before, after }: Health): void {
    const [known, ...agents] = this.#row.version.split('.')
    const version = known === before ? [after, ...agents].join('.') : this.#row.version
    // A probe that was requested since comes with the row as it is then.
    const isStillRequested = this.#row.isProbeRequested && isProbeRequested
    this.#row = { ...this.#row, failingSince, isRecovering, isProbeRequested: isStillRequested, version }
  }
}
