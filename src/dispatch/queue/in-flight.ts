import type { PendingDelivery } from '../delivery.ts'
import type { Kind } from './order/delivery-order.ts'

/** An endpoint is slow while its oldest request has been in flight for longer than this, in milliseconds. */
const SLOW_MS = 500

/** The deliveries of one endpoint that are being sent. */
export class InFlight {
  /** By seq, the oldest first: performance.now() of the start. */
  readonly #startedAt = new Map<string, number>()
  readonly #replays = new Set<string>()
  #tests = 0

  get size(): number {
    return this.#startedAt.size
  }

  get sizeWithoutTests(): number {
    return this.#startedAt.size - this.#tests
  }

  get replayCount(): number {
    return this.#replays.size
  }

  get isSlow(): boolean {
    for (const startedAt of this.#startedAt.values()) return performance.now() - startedAt > SLOW_MS
    return false
  }

  seqs(): Iterable<string> {
    return this.#startedAt.keys()
  }

  has(seq: string): boolean {
    return this.#startedAt.has(seq)
  }

  start({ seq }: PendingDelivery, kind: Kind): void {
    this.#startedAt.set(seq, performance.now())
    if (kind === 'tests') this.#tests++
    if (kind === 'replays') this.#replays.add(seq)
  }

  finish({ seq, isTest }: PendingDelivery): void {
    this.#startedAt.delete(seq)
    this.#replays.delete(seq)
    if (isTest) this.#tests--
  }
}
