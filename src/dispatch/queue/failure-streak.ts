import type { PendingDelivery } from '../delivery.ts'

/** One event that fails alone steps aside; with two, the receiver may be away. */
const SUSPECT = 2
/** Conversations that are remembered: once that many have failed, the breaker has long been open. */
const MOST = 1000

/** Deliveries of an endpoint that failed one after the other, and none succeeded between: its receiver may be away. */
export class FailureStreak {
  readonly #deliveries = new Set<string>()
  /** Of each conversation, the chance that decided when it is tried again. */
  readonly #chances = new Map<string, number>()

  /** Whether more than one delivery has failed since the last success. */
  get isSuspect(): boolean {
    return this.#deliveries.size >= SUSPECT
  }

  get conversations(): string[] {
    return [...this.#chances.keys()]
  }

  /**
   * What decides by how much a wait varies, a number in [0, 1): the same for all that fail in one conversation, so that they
   * come back in the order in which they failed.
   */
  chance({ conversationId, isTest }: PendingDelivery, random: number): number {
    if (conversationId === null || isTest) return random
    const known = this.#chances.get(conversationId)
    if (known === undefined && this.#chances.size < MOST) this.#chances.set(conversationId, random)
    return known ?? random
  }

  failed({ seq }: PendingDelivery): void {
    if (this.#deliveries.size < SUSPECT) this.#deliveries.add(seq)
  }

  ended(): void {
    this.#deliveries.clear()
    this.#chances.clear()
  }
}
