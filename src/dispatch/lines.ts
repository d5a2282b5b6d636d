import type { Claimed } from './claim.ts'

export type Kind = 'firsts' | 'retries' | 'replays'
export const KINDS: readonly Kind[] = ['firsts', 'retries', 'replays']

/** How many deliveries are held, of all endpoints together. */
export interface Tally {
  count: number
}

/**
 * Deliveries of one endpoint that were read and are not recorded yet, in the order in which they may go: first attempts of
 * one conversation one after the other, everything else as it was read.
 */
export class Lines {
  /** Waiting, in flight or being recorded, by seq. */
  readonly #held = new Map<string, Claimed>()
  readonly #ready: Record<Kind | 'tests', Claimed[]> = { tests: [], firsts: [], retries: [], replays: [] }
  /** Behind the first attempt that is on its way, by conversation. */
  #behind = new Map<string, Claimed[]>()
  /** Conversations that wait until a failure is recorded: ordering is STRICT. */
  readonly #blocked = new Set<string>()
  readonly #waiting: Record<Kind, number> = { firsts: 0, retries: 0, replays: 0 }
  #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  get heldCount(): number {
    return this.#held.size
  }

  /** Those that are held, by seq. */
  get seqs(): string[] {
    return [...this.#held.keys()]
  }

  /** How many can go at once. */
  ready(kind: Kind | 'tests'): number {
    return this.#ready[kind].length
  }

  /** How many wait to be sent, also for others of their conversation. */
  waiting(kind: Kind): number {
    return this.#waiting[kind]
  }

  /** What is held still, and what comes of it, counts no more. */
  leaveTally(): void {
    this.#tally.count -= this.#held.size
    this.#tally = { count: 0 }
  }

  #letGo({ seq }: Claimed): void {
    if (this.#held.delete(seq)) this.#tally.count--
  }

  hold(claimed: Claimed): void {
    if (this.#held.has(claimed.seq)) return
    this.#held.set(claimed.seq, claimed)
    this.#tally.count++
    if (claimed.isTest) {
      this.#ready.tests.push(claimed)
      return
    }
    const kind = kindOf(claimed)
    this.#waiting[kind]++
    const conversation = orderedBy(claimed)
    const line = conversation === null ? undefined : this.#behind.get(conversation)
    if (line !== undefined) {
      line.push(claimed)
      return
    }
    if (conversation !== null) this.#behind.set(conversation, [])
    this.#ready[kind].push(claimed)
  }

  /** Holds the first of other conversations; those that are on their way already have theirs. */
  holdHead(head: Claimed): void {
    if (!this.#behind.has(orderedBy(head) ?? '')) this.hold(head)
  }

  /** Takes out the next of a kind; it is held until it is forgotten. */
  take(kind: Kind | 'tests'): Claimed | undefined {
    const claimed = this.#ready[kind].shift()
    if (claimed !== undefined && kind !== 'tests') this.#waiting[kind]--
    return claimed
  }

  /** It is in flight no more. @param isBlocking its conversation waits until that is recorded, and for what comes then */
  ended(claimed: Claimed, isBlocking: boolean): void {
    const conversation = orderedBy(claimed)
    if (conversation === null) return
    if (isBlocking) {
      this.#blocked.add(conversation)
      this.#dropBehind(conversation)
      return
    }
    const next = this.#behind.get(conversation)?.shift()
    if (next === undefined) this.#behind.delete(conversation)
    else this.#ready[kindOf(next)].push(next)
  }

  /** It may be read again. */
  forget(claimed: Claimed): void {
    this.#letGo(claimed)
    const conversation = orderedBy(claimed)
    if (conversation !== null && this.#blocked.delete(conversation)) {
      this.#dropBehind(conversation)
      this.#behind.delete(conversation)
    }
  }

  #dropBehind(conversation: string): void {
    for (const claimed of this.#behind.get(conversation)?.splice(0) ?? []) {
      this.#letGo(claimed)
      this.#waiting[kindOf(claimed)]--
    }
  }

  /** Lets go of everything that waits. What is in flight keeps its conversation's place. */
  drop(inFlight: Iterable<string>, withTests: boolean): void {
    const dropped = [...this.#ready.firsts, ...this.#ready.retries, ...this.#ready.replays]
    for (const line of this.#behind.values()) dropped.push(...line)
    if (withTests) dropped.push(...this.#ready.tests.splice(0))
    for (const claimed of dropped) this.#letGo(claimed)
    for (const kind of KINDS) {
      this.#ready[kind] = []
      this.#waiting[kind] = 0
    }
    this.#behind = new Map([...this.#blocked].map((conversation) => [conversation, []]))
    for (const seq of inFlight) {
      const claimed = this.#held.get(seq)
      const conversation = claimed === undefined ? null : orderedBy(claimed)
      if (conversation !== null) this.#behind.set(conversation, [])
    }
  }
}

export function kindOf({ lane, attempts }: Claimed): Kind {
  if (lane > 0) return 'replays'
  return attempts === 0 ? 'firsts' : 'retries'
}

/** The order that a first attempt keeps; null: none. Live ones keep their conversation's, which needs no new text. */
function orderedBy({ conversationId, attempts, isTest, lane }: Claimed): string | null {
  if (conversationId === null || attempts > 0 || isTest) return null
  return lane === 0 ? conversationId : `${lane} ${conversationId}`
}
