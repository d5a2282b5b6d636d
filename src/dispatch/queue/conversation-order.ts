import type { PendingDelivery } from '../delivery.ts'

/** Whose turn a delivery takes: new ones, those of conversations that were read by themselves, and bulk replays. */
export type Kind = 'firsts' | 'retries' | 'replays'
export const KINDS: readonly Kind[] = ['firsts', 'retries', 'replays']
/** Kinds that people wait for, and what goes whatever else waits. */
type AnyKind = Kind | 'tests' | 'probes'

/** How many deliveries are held, of all endpoints together. */
export interface PrefetchCount {
  count: number
}

interface Prefetched {
  readonly delivery: PendingDelivery
  readonly kind: AnyKind
}

/** One conversation's: one is ready or on its way, the others wait for it, in the order of their events. */
interface Conversation {
  /** Not taken yet. */
  ready: Prefetched | null
  readonly behind: Prefetched[]
}

/**
 * Deliveries of one endpoint that were read and are not recorded yet, in the order in which they may go: those of one
 * conversation one after the other by `seq`, whether they are first attempts or not, everything else as it was read.
 */
export class ConversationOrder {
  /** Waiting, in flight or being recorded, by seq. */
  readonly #prefetched = new Map<string, Prefetched>()
  readonly #ready: Record<AnyKind, Prefetched[]> = { tests: [], probes: [], firsts: [], retries: [], replays: [] }
  #conversations = new Map<string, Conversation>()
  /** Conversations that wait until a failure is recorded, with its delivery's seq: ordering is STRICT. */
  readonly #blocked = new Map<string, string>()
  readonly #waiting: Record<AnyKind, number> = { tests: 0, probes: 0, firsts: 0, retries: 0, replays: 0 }
  #prefetchCount: PrefetchCount

  constructor(prefetchCount: PrefetchCount) {
    this.#prefetchCount = prefetchCount
  }

  get prefetchedCount(): number {
    return this.#prefetched.size
  }

  /** Those that are held, by seq. */
  get seqs(): string[] {
    return [...this.#prefetched.keys()]
  }

  has(seq: string): boolean {
    return this.#prefetched.has(seq)
  }

  /** How many can go at once. */
  ready(kind: AnyKind): number {
    return this.#ready[kind].length
  }

  /** How many wait to be sent, also for others of their conversation. */
  waiting(kind: AnyKind): number {
    return this.#waiting[kind]
  }

  /** Whether something of a conversation is on its way, or being recorded while others wait for that. */
  isBusy(conversationId: string): boolean {
    return this.#conversations.get(conversationId)?.ready === null
  }

  /** Whether nothing of a conversation waits to be sent. */
  isDrained(conversationId: string): boolean {
    const conversation = this.#conversations.get(conversationId)
    return conversation === undefined || (conversation.ready === null && conversation.behind.length === 0)
  }

  /** What is held still, and what comes of it, counts no more. */
  stopCounting(): void {
    this.#prefetchCount.count -= this.#prefetched.size
    this.#prefetchCount = { count: 0 }
  }

  #letGo({ delivery: { seq } }: Prefetched): void {
    if (this.#prefetched.delete(seq)) this.#prefetchCount.count--
  }

  /** @param kind whose turn it takes; its kind's own, when it is left out */
  add(delivery: PendingDelivery, kind: AnyKind = kindOf(delivery)): void {
    if (this.#prefetched.has(delivery.seq)) return
    const prefetched = { delivery, kind }
    this.#prefetched.set(delivery.seq, prefetched)
    this.#prefetchCount.count++
    this.#waiting[kind]++
    const name = orderKey(delivery)
    const conversation = name === null ? undefined : this.#conversations.get(name)
    if (conversation === undefined) {
      if (name !== null) this.#conversations.set(name, { ready: prefetched, behind: [] })
      this.#ready[kind].push(prefetched)
      return
    }
    const { ready } = conversation
    if (ready !== null && isBefore(prefetched, ready)) {
      this.#ready[ready.kind].splice(this.#ready[ready.kind].indexOf(ready), 1)
      conversation.behind.unshift(ready)
      conversation.ready = prefetched
      this.#ready[kind].push(prefetched)
      return
    }
    const place = conversation.behind.findIndex((other) => isBefore(prefetched, other))
    if (place === -1) conversation.behind.push(prefetched)
    else conversation.behind.splice(place, 0, prefetched)
  }

  /** Holds the first of other conversations; those that are on their way already have theirs. */
  addHead(head: PendingDelivery): void {
    if (!this.#conversations.has(orderKey(head) ?? '')) this.add(head)
  }

  /** Takes out the next of a kind; it is held until it is forgotten. */
  take(kind: AnyKind): PendingDelivery | undefined {
    const prefetched = this.#ready[kind].shift()
    if (prefetched === undefined) return undefined
    this.#waiting[kind]--
    const conversation = this.#conversations.get(orderKey(prefetched.delivery) ?? '')
    if (conversation !== undefined) conversation.ready = null
    return prefetched.delivery
  }

  /** It is in flight no more. @param isBlocking its conversation waits until that is recorded, and for what comes then */
  ended(delivery: PendingDelivery, isBlocking: boolean): void {
    const name = orderKey(delivery)
    const conversation = name === null ? undefined : this.#conversations.get(name)
    if (name === null || conversation === undefined) return
    if (isBlocking) {
      this.#blocked.set(name, delivery.seq)
      this.#dropBehind(conversation)
      return
    }
    const next = conversation.behind.shift()
    if (next === undefined) this.#conversations.delete(name)
    else {
      conversation.ready = next
      this.#ready[next.kind].push(next)
    }
  }

  /** It may be read again. @returns whether its conversation was waiting for that */
  forget(delivery: PendingDelivery): boolean {
    const prefetched = this.#prefetched.get(delivery.seq)
    if (prefetched !== undefined) this.#letGo(prefetched)
    const name = orderKey(delivery)
    // What went before the one that failed may be recorded after that has ended.
    if (name === null || this.#blocked.get(name) !== delivery.seq) return false
    this.#blocked.delete(name)
    const conversation = this.#conversations.get(name)
    if (conversation !== undefined) this.#dropBehind(conversation)
    this.#conversations.delete(name)
    return true
  }

  #dropBehind(conversation: Conversation): void {
    for (const prefetched of conversation.behind.splice(0)) {
      this.#letGo(prefetched)
      this.#waiting[prefetched.kind]--
    }
  }

  /** Lets go of everything that waits. What is in flight keeps its conversation's place. */
  drop(inFlight: Iterable<string>, withTests: boolean): void {
    const kinds: readonly AnyKind[] = [...KINDS, 'probes', ...(withTests ? (['tests'] as const) : [])]
    const dropped = kinds.flatMap((kind) => this.#ready[kind].splice(0))
    for (const { behind } of this.#conversations.values()) dropped.push(...behind)
    for (const prefetched of dropped) {
      this.#letGo(prefetched)
      this.#waiting[prefetched.kind]--
    }
    this.#conversations = new Map([...this.#blocked.keys()].map((name) => [name, { ready: null, behind: [] }]))
    for (const seq of inFlight) {
      const prefetched = this.#prefetched.get(seq)
      const name = prefetched === undefined ? null : orderKey(prefetched.delivery)
      if (name !== null) this.#conversations.set(name, { ready: null, behind: [] })
    }
  }
}

function isBefore(a: Prefetched, b: Prefetched): boolean {
  return BigInt(a.delivery.seq) < BigInt(b.delivery.seq)
}

function kindOf({ isTest, priority, attempts }: PendingDelivery): AnyKind {
  if (isTest) return 'tests'
  if (priority === 'replay') return 'replays'
  return attempts === 0 ? 'firsts' : 'retries'
}

/** The conversation whose order a delivery keeps; null: none. Bulk replays keep it among themselves, live ones need no new text. */
function orderKey({ conversationId, isTest, priority }: PendingDelivery): string | null {
  if (conversationId === null || isTest) return null
  return priority === 'live' ? conversationId : `replay ${conversationId}`
}
