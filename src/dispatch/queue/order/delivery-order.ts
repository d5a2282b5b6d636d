import type { PendingDelivery } from '../../delivery.ts'

/** What is fetched by kind: first attempts, deliveries of conversations that were read by themselves, and bulk replays. */
export type FetchKind = 'firstAttempts' | 'retries' | 'replays'
export const FETCH_KINDS: readonly FetchKind[] = ['firstAttempts', 'retries', 'replays']
/** Kinds that take turns in being sent, and those that go whatever else waits. */
export type Kind = FetchKind | 'tests' | 'probes'

/** Prefetched deliveries of all endpoints together. */
export interface PrefetchCount {
  count: number
}

interface Entry {
  readonly delivery: PendingDelivery
  readonly kind: Kind
}

/** One conversation: one delivery is ready or in flight, the others wait behind it, in the order of their events. */
interface Conversation {
  /** Null: it is in flight. */
  ready: Entry | null
  readonly behind: Entry[]
}

/**
 * The prefetched deliveries of one endpoint, in the order in which they may be sent: those of one conversation one after the
 * other by `seq`, whether they are first attempts or not, all others as they were read. A delivery is prefetched until it is
 * recorded.
 */
export class DeliveryOrder {
  /** Waiting, in flight or being recorded, by seq. */
  readonly #entries = new Map<string, Entry>()
  readonly #ready: Record<Kind, Entry[]> = { tests: [], probes: [], firstAttempts: [], retries: [], replays: [] }
  #conversations = new Map<string, Conversation>()
  /** Conversations that wait until a failure is recorded, with the seq of its delivery: ordering is STRICT. */
  readonly #blocked = new Map<string, string>()
  readonly #waiting: Record<Kind, number> = { tests: 0, probes: 0, firstAttempts: 0, retries: 0, replays: 0 }
  #prefetchCount: PrefetchCount

  /** @param prefetchCount shared by all endpoints */
  constructor(prefetchCount: PrefetchCount) {
    this.#prefetchCount = prefetchCount
  }

  get size(): number {
    return this.#entries.size
  }

  get seqs(): string[] {
    return [...this.#entries.keys()]
  }

  has(seq: string): boolean {
    return this.#entries.has(seq)
  }

  /** Deliveries of a kind that can be sent at once. */
  readyCount(kind: Kind): number {
    return this.#ready[kind].length
  }

  /** Deliveries of a kind that wait to be sent, also behind others of their conversation. */
  waitingCount(kind: Kind): number {
    return this.#waiting[kind]
  }

  /** Whether a delivery of the conversation is in flight, or being recorded while others wait for that. */
  isBusy(conversationId: string): boolean {
    return this.#conversations.get(conversationId)?.ready === null
  }

  /** Whether nothing of the conversation waits to be sent. */
  isDrained(conversationId: string): boolean {
    const conversation = this.#conversations.get(conversationId)
    return conversation === undefined || (conversation.ready === null && conversation.behind.length === 0)
  }

  /** Takes these deliveries out of the shared count, for good: the endpoint is not this process's any more. */
  stopCounting(): void {
    this.#prefetchCount.count -= this.#entries.size
    this.#prefetchCount = { count: 0 }
  }

  /** @param kind by default, what the delivery is by itself */
  add(delivery: PendingDelivery, kind: Kind = kindOf(delivery)): void {
    if (this.#entries.has(delivery.seq)) return
    const entry = { delivery, kind }
    this.#entries.set(delivery.seq, entry)
    this.#prefetchCount.count++
    this.#waiting[kind]++
    const key = orderKey(delivery)
    const conversation = key === null ? undefined : this.#conversations.get(key)
    if (conversation === undefined) {
      if (key !== null) this.#conversations.set(key, { ready: entry, behind: [] })
      this.#ready[kind].push(entry)
      return
    }
    const { ready, behind } = conversation
    if (ready !== null && isBefore(entry, ready)) {
      this.#ready[ready.kind].splice(this.#ready[ready.kind].indexOf(ready), 1)
      behind.unshift(ready)
      conversation.ready = entry
      this.#ready[kind].push(entry)
      return
    }
    const last = behind.at(-1)
    if (last === undefined || isBefore(last, entry)) behind.push(entry)
    else
      behind.splice(
        behind.findIndex((other) => isBefore(entry, other)),
        0,
        entry,
      )
  }

  /** Adds the first delivery of a conversation of which nothing is prefetched. */
  addHead(head: PendingDelivery): void {
    if (!this.#conversations.has(orderKey(head) ?? '')) this.add(head)
  }

  /** Takes out the next of a kind, to be sent. It counts as prefetched until it is recorded. */
  take(kind: Kind): PendingDelivery | undefined {
    const entry = this.#ready[kind].shift()
    if (entry === undefined) return undefined
    this.#waiting[kind]--
    const conversation = this.#conversations.get(orderKey(entry.delivery) ?? '')
    if (conversation !== undefined) conversation.ready = null
    return entry.delivery
  }

  /** A delivery is in flight no more. @param isBlocking its conversation waits until it is recorded */
  finish(delivery: PendingDelivery, isBlocking: boolean): void {
    const key = orderKey(delivery)
    const conversation = key === null ? undefined : this.#conversations.get(key)
    if (key === null || conversation === undefined) return
    if (isBlocking) {
      this.#blocked.set(key, delivery.seq)
      this.#dropBehind(conversation)
      return
    }
    const next = conversation.behind.shift()
    if (next === undefined) {
      this.#conversations.delete(key)
      return
    }
    conversation.ready = next
    this.#ready[next.kind].push(next)
  }

  /** A delivery is recorded, and may be read again. @returns whether its conversation was waiting for that */
  recorded(delivery: PendingDelivery): boolean {
    this.#remove(delivery.seq)
    if (this.#blocked.size === 0) return false
    const key = orderKey(delivery)
    // What went before the failed delivery may be recorded after that has ended.
    if (key === null || this.#blocked.get(key) !== delivery.seq) return false
    this.#blocked.delete(key)
    const conversation = this.#conversations.get(key)
    if (conversation !== undefined) this.#dropBehind(conversation)
    this.#conversations.delete(key)
    return true
  }

  #remove(seq: string): void {
    if (this.#entries.delete(seq)) this.#prefetchCount.count--
  }

  #dropBehind(conversation: Conversation): void {
    for (const { delivery, kind } of conversation.behind.splice(0)) {
      this.#remove(delivery.seq)
      this.#waiting[kind]--
    }
  }

  /** Drops everything that waits. A delivery that is in flight still holds back its conversation. */
  dropWaiting(inFlight: Iterable<string>, withTests: boolean): void {
    const kinds: readonly Kind[] = [...FETCH_KINDS, 'probes', ...(withTests ? (['tests'] as const) : [])]
    const dropped = kinds.flatMap((kind) => this.#ready[kind].splice(0))
    for (const { behind } of this.#conversations.values()) dropped.push(...behind)
    for (const { delivery, kind } of dropped) {
      this.#remove(delivery.seq)
      this.#waiting[kind]--
    }
    this.#conversations = new Map([...this.#blocked.keys()].map((key) => [key, { ready: null, behind: [] }]))
    for (const seq of inFlight) {
      const entry = this.#entries.get(seq)
      const key = entry === undefined ? null : orderKey(entry.delivery)
      if (key !== null) this.#conversations.set(key, { ready: null, behind: [] })
    }
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return isEarlier(a.delivery.seq, b.delivery.seq)
}

/** Compares two seqs, which are decimal numbers without leading zeros, and may be too large for a number. */
export function isEarlier(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length
}

function kindOf({ isTest, priority, attempts }: PendingDelivery): Kind {
  if (isTest) return 'tests'
  if (priority === 'replay') return 'replays'
  return attempts === 0 ? 'firstAttempts' : 'retries'
}

/**
 * What keeps the order of a delivery: its conversation, and for bulk replays, which have an order of their own, its
 * conversation among replays. Null: nothing. The key of live deliveries, which are most, is a text that exists already.
 */
function orderKey({ conversationId, isTest, priority }: PendingDelivery): string | null {
  if (conversationId === null || isTest) return null
  return priority === 'live' ? conversationId : `replay ${conversationId}`
}
