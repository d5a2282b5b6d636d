import type { PendingDelivery } from '../delivery.ts'

/** A delivery may fail by itself. When this many have failed, the receiver may be away. */
const SUSPECT_AFTER = 2
/** Conversations that are remembered. Once as many have failed, the circuit breaker has long been open. */
const MAX_CONVERSATIONS = 1000

/** Deliveries of an endpoint that failed since the last success. */
export class FailureStreak {
  readonly #deliveries = new Set<string>()
  readonly #jitters = new Map<string, number>()

  /** Whether the receiver may be away: more than one delivery has failed. */
  get isSuspect(): boolean {
    return this.#deliveries.size >= SUSPECT_AFTER
  }

  /** The conversations in which deliveries failed. */
  get conversations(): string[] {
    return [...this.#jitters.keys()]
  }

  /**
   * The jitter of a failed delivery's next attempt: the same for all that fail in one conversation, so that they are due in
   * the order in which they failed.
   * @param random a number in [0, 1), for the first of a conversation
   */
  jitter({ conversationId, isTest }: Pick<PendingDelivery, 'conversationId' | 'isTest'>, random: number): number {
    if (conversationId === null || isTest) return random
    const known = this.#jitters.get(conversationId)
    if (known === undefined && this.#jitters.size < MAX_CONVERSATIONS) this.#jitters.set(conversationId, random)
    return known ?? random
  }

  /** The receiver was away or overloaded. */
  failed({ seq }: Pick<PendingDelivery, 'seq'>): void {
    if (this.#deliveries.size < SUSPECT_AFTER) this.#deliveries.add(seq)
  }

  /** A request succeeded, or the circuit breaker opened. */
  reset(): void {
    // After most requests there is nothing to forget, and clearing a Map costs an allocation.
    if (this.#deliveries.size + this.#jitters.size === 0) return
    this.#deliveries.clear()
    this.#jitters.clear()
  }
}
