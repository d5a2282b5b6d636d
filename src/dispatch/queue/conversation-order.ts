import type { Claimed } from '../store/fetch-due.ts'

/** Whose turn a delivery takes: new ones, those of conversations that were read by themselves, and bulk replays. */
export type Kind = 'firsts' | 'retries' | 'replays'
export const KINDS: readonly Kind[] = ['firsts', 'retries', 'replays']
/** Kinds that people wait for, and what goes whatever else waits. */
type Lane = Kind | 'tests' | 'probes'

/** How many deliveries are held, of all endpoints together. */
export interface Tally {
  count: number
}

interface Held {
  readonly claimed: Claimed
  readonly lane: Lane
}

/** One conversation's: one is ready or on its way, the others wait for it, in the order of their events. */
interface Line {
  /** Not taken yet. */
  ready: Held | null
  readonly behind: Held[]
}

/**
 * Deliveries of one endpoint that were read and are not recorded yet, in the order in which they may go: those of one
 * conversation one after the other by `seq`, whether they are first attempts or not, everything else as it was read.
 */
export class Lines {
  /** Waiting, in flight or being recorded, by seq. */
  readonly #held = new Map<string, Held>()
  readonly #ready: Record<Lane, Held[]> = { tests: [], probes: [], firsts: [], retries: [], replays: [] }
  #lines = new Map<string, Line>()
  /** Conversations that wait until a failure is recorded, with its delivery's seq: ordering is STRICT. */
  readonly #blocked = new Map<string, string>()
  readonly #waiting: Record<Lane, number> = { tests: 0, probes: 0, firsts: 0, retries: 0, replays: 0 }
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

  holds(seq: string): boolean {
    return this.#held.has(seq)
  }

  /** How many can go at once. */
  ready(lane: Lane): number {
    return this.#ready[lane].length
  }

  /** How many wait to be sent, also for others of their conversation. */
  waiting(lane: Lane): number {
    return this.#waiting[lane]
  }

  /** Whether something of a conversation is on its way, or being recorded while others wait for that. */
  isBusy(conversationId: string): boolean {
    return this.#lines.get(conversationId)?.ready === null
  }

  /** Whether nothing of a conversation waits to be sent. */
  isDrained(conversationId: string): boolean {
    const line = this.#lines.get(conversationId)
    return line === undefined || (line.ready === null && line.behind.length === 0)
  }

  /** What is held still, and what comes of it, counts no more. */
  leaveTally(): void {
    this.#tally.count -= this.#held.size
    this.#tally = { count: 0 }
  }

  #letGo({ claimed: { seq } }: Held): void {
    if (this.#held.delete(seq)) this.#tally.count--
  }

  /** @param lane whose turn it takes; its kind's own, when it is left out */
  hold(claimed: Claimed, lane: Lane = laneOf(claimed)): void {
    if (this.#held.has(claimed.seq)) return
    const held = { claimed, lane }
    this.#held.set(claimed.seq, held)
    this.#tally.count++
    this.#waiting[lane]++
    const name = lineOf(claimed)
    const line = name === null ? undefined : this.#lines.get(name)
    if (line === undefined) {
      if (name !== null) this.#lines.set(name, { ready: held, behind: [] })
      this.#ready[lane].push(held)
      return
    }
    const { ready } = line
    if (ready !== null && isBefore(held, ready)) {
      this.#ready[ready.lane].splice(this.#ready[ready.lane].indexOf(ready), 1)
      line.behind.unshift(ready)
      line.ready = held
      this.#ready[lane].push(held)
      return
    }
    const place = line.behind.findIndex((other) => isBefore(held, other))
    if (place === -1) line.behind.push(held)
    else line.behind.splice(place, 0, held)
  }

  /** Holds the first of other conversations; those that are on their way already have theirs. */
  holdHead(head: Claimed): void {
    if (!this.#lines.has(lineOf(head) ?? '')) this.hold(head)
  }

  /** Takes out the next of a kind; it is held until it is forgotten. */
  take(lane: Lane): Claimed | undefined {
    const held = this.#ready[lane].shift()
    if (held === undefined) return undefined
    this.#waiting[lane]--
    const line = this.#lines.get(lineOf(held.claimed) ?? '')
    if (line !== undefined) line.ready = null
    return held.claimed
  }

  /** It is in flight no more. @param isBlocking its conversation waits until that is recorded, and for what comes then */
  ended(claimed: Claimed, isBlocking: boolean): void {
    const name = lineOf(claimed)
    const line = name === null ? undefined : this.#lines.get(name)
    if (name === null || line === undefined) return
    if (isBlocking) {
      this.#blocked.set(name, claimed.seq)
      this.#dropLine(line)
      return
    }
    const next = line.behind.shift()
    if (next === undefined) this.#lines.delete(name)
    else {
      line.ready = next
      this.#ready[next.lane].push(next)
    }
  }

  /** It may be read again. @returns whether its conversation was waiting for that */
  forget(claimed: Claimed): boolean {
    const held = this.#held.get(claimed.seq)
    if (held !== undefined) this.#letGo(held)
    const name = lineOf(claimed)
    // What went before the one that failed may be recorded after that has ended.
    if (name === null || this.#blocked.get(name) !== claimed.seq) return false
    this.#blocked.delete(name)
    const line = this.#lines.get(name)
    if (line !== undefined) this.#dropLine(line)
    this.#lines.delete(name)
    return true
  }

  #dropLine(line: Line): void {
    for (const held of line.behind.splice(0)) {
      this.#letGo(held)
      this.#waiting[held.lane]--
    }
  }

  /** Lets go of everything that waits. What is in flight keeps its conversation's place. */
  drop(inFlight: Iterable<string>, withTests: boolean): void {
    const lanes: readonly Lane[] = [...KINDS, 'probes', ...(withTests ? (['tests'] as const) : [])]
    const dropped = lanes.flatMap((lane) => this.#ready[lane].splice(0))
    for (const { behind } of this.#lines.values()) dropped.push(...behind)
    for (const held of dropped) {
      this.#letGo(held)
      this.#waiting[held.lane]--
    }
    this.#lines = new Map([...this.#blocked.keys()].map((name) => [name, { ready: null, behind: [] }]))
    for (const seq of inFlight) {
      const held = this.#held.get(seq)
      const name = held === undefined ? null : lineOf(held.claimed)
      if (name !== null) this.#lines.set(name, { ready: null, behind: [] })
    }
  }
}

function isBefore(a: Held, b: Held): boolean {
  return BigInt(a.claimed.seq) < BigInt(b.claimed.seq)
}

function laneOf({ isTest, lane, attempts }: Claimed): Lane {
  if (isTest) return 'tests'
  if (lane > 0) return 'replays'
  return attempts === 0 ? 'firsts' : 'retries'
}

/** The conversation whose order a delivery keeps; null: none. Bulk replays keep it among themselves, live ones need no new text. */
function lineOf({ conversationId, isTest, lane }: Claimed): string | null {
  if (conversationId === null || isTest) return null
  return lane === 0 ? conversationId : `${lane} ${conversationId}`
}
