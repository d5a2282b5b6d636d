import type { FetchedDelivery } from '../../delivery.ts'

/** Of the first attempts that were read last, this many are read again: an event with a lower seq may be committed later. */
export const OVERLAP = 50

/**
 * How far the first attempts of an endpoint were read, by `seq`: 50,000 events that wait for a retry are passed once, and not
 * by every statement.
 */
export class FirstAttemptScan {
  #after = '0'
  #passed = 0
  /** The last ones that were read, by seq. */
  #last: string[] = []

  /** The next statement reads first attempts after this seq. */
  get after(): string {
    return this.#after
  }

  /** First attempts that were read since the scan began. */
  get passed(): number {
    return this.#passed
  }

  restart(): void {
    this.#after = '0'
    this.#passed = 0
    this.#last = []
  }

  /** @param found what was read, in order; @param hasMore there may be others after them */
  advance(found: readonly FetchedDelivery[], hasMore: boolean): void {
    this.#passed += found.length
    const tail = found.slice(-OVERLAP).map(({ seq }) => seq)
    this.#last = tail.length === OVERLAP ? tail : [...this.#last, ...tail].slice(-OVERLAP)
    // At the end of the backlog, an event that is committed later may have a lower seq than the last of these.
    const next = hasMore ? this.#last.at(-1) : this.#last.length === OVERLAP ? this.#last[0] : undefined
    this.#after = next ?? '0'
  }
}
