import { Breaker, type BreakerRow } from './breaker.ts'
import type { Claimed, Wanted } from './claim.ts'
import type { EndpointRow } from './endpoints.ts'
import type { Party } from './turns.ts'

/** Requests that an endpoint about which nothing is known yet may have in flight. */
const FIRST_ALLOWANCE = 2
/** Read ahead, as a multiple of the requests that may be in flight: reading is done before sending has to wait for it. */
const AHEAD = 4
/** How long a request is in flight before its endpoint counts as slow, in milliseconds. */
const SLOW_MS = 500
const HEADS_EVERY_MS = 50

type Kind = 'firsts' | 'retries' | 'replays'

/**
 * What this process holds of one endpoint: deliveries that were read, in the order in which they may go.
 *
 * - First attempts of one conversation go one after the other; a failed one steps aside to its retries.
 * - Requests in flight are bounded by the endpoint's own limit, and below that by an allowance that doubles with every
 *   success and halves with every failure, so that a receiver that hangs or is overloaded holds few.
 * - Replays get at most half of it, and only while nothing live is waiting.
 *
 * All of it may be dropped at any time: nothing is written before a request has ended.
 */
export class EndpointQueue implements Party {
  row: EndpointRow
  breaker: Breaker
  /** Its row is not what it was: it is read again before anything else. */
  isOutdated = false
  /** It falls to another process: nothing more is read, and it is given back when nothing is held. */
  isLeaving = false
  /** performance.now() when it last had something to do. */
  usedAt = performance.now()
  /** performance.now() until which nothing is sent, because we cannot: a secret that does not open. */
  faultUntil = 0

  /** Read and not yet recorded, by seq. */
  readonly #held = new Map<string, Claimed>()
  /** In flight, by seq, the oldest first, with performance.now() of its start. */
  readonly #inFlight = new Map<string, number>()
  readonly #ready: Record<Kind | 'tests', Claimed[]> = { tests: [], firsts: [], retries: [], replays: [] }
  /** Behind the first attempt that is on its way, by conversation. */
  #behind = new Map<string, Claimed[]>()
  /** Conversations that wait until a failure is recorded: ordering is STRICT. */
  readonly #blocked = new Set<string>()
  readonly #buffered: Record<Kind, number> = { firsts: 0, retries: 0, replays: 0 }
  readonly #mayHaveMore: Record<Kind, boolean> = { firsts: true, retries: true, replays: true }
  #mayHaveTests = true
  #allowance = FIRST_ALLOWANCE
  #replaysInFlight = 0
  #testsInFlight = 0
  #isRetrysTurn = false
  #headsAfter = ''
  #headsAt = 0

  constructor(row: EndpointRow) {
    this.row = row
    this.breaker = new Breaker(breakerOf(row))
  }

  get id(): string {
    return this.row.id
  }

  get workspaceId(): string {
    return this.row.workspaceId
  }

  get heldCount(): number {
    return this.#held.size
  }

  get inFlightCount(): number {
    return this.#inFlight.size
  }

  get isSlow(): boolean {
    for (const startedAt of this.#inFlight.values()) return performance.now() - startedAt > SLOW_MS
    return false
  }

  /** Something may be due that was not at the last look. Where nothing goes, that may be news too. */
  look(): void {
    if (!this.row.isEnabled) this.isOutdated = true
    this.#mayHaveMore.firsts = this.#mayHaveMore.retries = this.#mayHaveMore.replays = true
  }

  lookForTests(): void {
    this.#mayHaveTests = true
  }

  /** Requests that may be in flight now, tests aside. */
  #limit(now: Date): number {
    if (!this.row.isEnabled || this.isLeaving || performance.now() < this.faultUntil) return 0
    return this.breaker.allows(now, Math.min(this.#allowance, this.row.maxInFlight))
  }

  #room(kind: Kind, limit: number): number {
    if (!this.#mayHaveMore[kind]) return 0
    const isLiveWaiting = this.#buffered.firsts + this.#buffered.retries > 0
    if (kind === 'replays' && isLiveWaiting) return 0
    const most = kind === 'firsts' ? AHEAD * limit : Math.ceil((AHEAD * limit) / 2)
    // Few at a time cost as much as many.
    return 2 * this.#buffered[kind] <= most ? most - this.#buffered[kind] : 0
  }

  /** Takes what its row says now. */
  refresh(row: EndpointRow): void {
    const isResumed = row.isEnabled && !this.row.isEnabled
    this.row = row
    this.isOutdated = false
    if (isResumed) {
      this.breaker = new Breaker(breakerOf(row))
      this.look()
    }
    if (!row.isEnabled) this.drop()
  }

  /** Nothing more goes there, ahead of what its row will say. */
  disable(): void {
    this.row = { ...this.row, isEnabled: false }
    this.drop()
  }

  /** What to read for it now; null: nothing. */
  wants(now: Date): Wanted | null {
    if (this.isLeaving) return null
    const limit = this.#limit(now)
    const firsts = this.#room('firsts', limit)
    const retries = this.#room('retries', limit)
    const replays = this.#room('replays', limit)
    if (firsts + retries + replays === 0 && !this.#mayHaveTests) return null
    return { endpointId: this.id, firsts, retries, replays, held: [...this.#held.keys()] }
  }

  /** Whether something should be read for it. */
  isHungry(now: Date): boolean {
    if (this.isLeaving) return false
    const limit = this.#limit(now)
    const isAny =
      this.#mayHaveTests ||
      this.isOutdated ||
      this.#room('firsts', limit) + this.#room('retries', limit) + this.#room('replays', limit) > 0
    return isAny || this.#isStalled(limit)
  }

  /** Its wish was taken up: what comes to be due from now on is news. */
  asking({ firsts, retries, replays }: Wanted): void {
    this.#mayHaveTests = false
    if (firsts > 0) this.#mayHaveMore.firsts = false
    if (retries > 0) this.#mayHaveMore.retries = false
    if (replays > 0) this.#mayHaveMore.replays = false
  }

  /** Takes what was read. */
  add(found: readonly Claimed[], wanted: Wanted): void {
    if (found.length > 0) this.usedAt = performance.now()
    const counts = { firsts: 0, retries: 0, replays: 0 }
    for (const claimed of found) {
      if (!claimed.isTest) counts[kindOf(claimed)]++
      this.#hold(claimed)
    }
    for (const kind of ['firsts', 'retries', 'replays'] as const) {
      if (wanted[kind] > 0 && counts[kind] >= wanted[kind]) this.#mayHaveMore[kind] = true
    }
  }

  #hold(claimed: Claimed): void {
    if (this.#held.has(claimed.seq) || this.isLeaving) return
    this.#held.set(claimed.seq, claimed)
    if (claimed.isTest) {
      this.#ready.tests.push(claimed)
      return
    }
    const kind = kindOf(claimed)
    this.#buffered[kind]++
    const conversation = orderedBy(claimed)
    const line = conversation === null ? undefined : this.#behind.get(conversation)
    if (line !== undefined) {
      line.push(claimed)
      return
    }
    if (conversation !== null) this.#behind.set(conversation, [])
    this.#ready[kind].push(claimed)
  }

  /** Whether everything that was read waits for something in flight, while more could be sent. */
  #isStalled(limit: number): boolean {
    const { firsts, retries } = this.#ready
    return (
      firsts.length + retries.length === 0 &&
      this.#inFlight.size < limit &&
      2 * this.#buffered.firsts > AHEAD * limit &&
      !this.row.isStrict &&
      performance.now() - this.#headsAt > HEADS_EVERY_MS
    )
  }

  /** If it is stalled: where to go on among its conversations; null otherwise. */
  headsAfter(now: Date): string | null {
    if (!this.#isStalled(this.#limit(now))) return null
    this.#headsAt = performance.now()
    return this.#headsAfter
  }

  /** Takes the first unsent events of other conversations. */
  addHeads(heads: readonly Claimed[], last: string): void {
    this.#headsAfter = last
    for (const head of heads) if (!this.#behind.has(orderedBy(head) ?? '')) this.#hold(head)
  }

  #pick(now: Date): Claimed[] | null {
    const { tests, firsts, retries, replays } = this.#ready
    if (tests.length > 0) return tests
    const limit = this.#limit(now)
    const busy = this.#inFlight.size - this.#testsInFlight
    if (busy >= limit) return null
    if (firsts.length > 0 && (retries.length === 0 || !this.#isRetrysTurn)) return firsts
    if (retries.length > 0) return retries
    const isReplaysTurn = replays.length > 0 && this.#replaysInFlight < Math.max(1, limit >> 1)
    return isReplaysTurn ? replays : null
  }

  canSend(now: Date): boolean {
    return this.#pick(now) !== null
  }

  /** Takes out what goes next; it is in flight from now on. */
  take(now: Date): Claimed | undefined {
    const line = this.#pick(now)
    const claimed = line?.shift()
    if (claimed === undefined) return undefined
    this.#inFlight.set(claimed.seq, performance.now())
    if (claimed.isTest) {
      this.#testsInFlight++
      return claimed
    }
    const kind = kindOf(claimed)
    this.#buffered[kind]--
    if (kind === 'replays') this.#replaysInFlight++
    this.#isRetrysTurn = kind === 'firsts'
    return claimed
  }

  /** It is in flight no more. */
  ended(claimed: Claimed, { isRetried }: { isRetried: boolean }): void {
    this.#inFlight.delete(claimed.seq)
    if (claimed.isTest) {
      this.#testsInFlight--
      return
    }
    if (claimed.lane > 0) this.#replaysInFlight--
    const conversation = orderedBy(claimed)
    if (conversation === null) return
    if (isRetried && this.row.isStrict) {
      this.#blocked.add(conversation)
      this.#dropBehind(conversation)
      return
    }
    const next = this.#behind.get(conversation)?.shift()
    if (next === undefined) this.#behind.delete(conversation)
    else this.#ready[kindOf(next)].push(next)
  }

  #dropBehind(conversation: string): void {
    for (const claimed of this.#behind.get(conversation)?.splice(0) ?? []) {
      this.#held.delete(claimed.seq)
      this.#buffered[kindOf(claimed)]--
    }
  }

  /** Its result is in the database, or will never be: it may be read again. */
  forget(claimed: Claimed): void {
    this.#held.delete(claimed.seq)
    const conversation = orderedBy(claimed)
    if (conversation !== null && this.#blocked.delete(conversation)) {
      this.#dropBehind(conversation)
      this.#behind.delete(conversation)
    }
    if (this.row.isStrict) this.look()
  }

  /** It was not sent after all. */
  unsent(claimed: Claimed): void {
    this.ended(claimed, { isRetried: false })
    this.#held.delete(claimed.seq)
    this.drop()
  }

  /** Lets go of everything that is not in flight and not being recorded. It can be read again. */
  drop(): void {
    const dropped = [...this.#ready.firsts, ...this.#ready.retries, ...this.#ready.replays]
    for (const line of this.#behind.values()) dropped.push(...line)
    if (this.isLeaving) dropped.push(...this.#ready.tests.splice(0))
    for (const { seq } of dropped) this.#held.delete(seq)
    for (const kind of ['firsts', 'retries', 'replays'] as const) {
      this.#ready[kind] = []
      this.#buffered[kind] = 0
    }
    const onTheirWay = [...this.#inFlight.keys()].map((seq) => this.#held.get(seq))
    const conversations = onTheirWay.map((claimed) => (claimed === undefined ? null : orderedBy(claimed)))
    const busy = [...this.#blocked, ...conversations.filter((conversation) => conversation !== null)]
    this.#behind = new Map(busy.map((conversation) => [conversation, []]))
    this.#mayHaveMore.firsts = this.#mayHaveMore.retries = this.#mayHaveMore.replays = true
  }

  succeeded(): void {
    this.#allowance = Math.min(2 * this.#allowance, Math.max(this.row.maxInFlight, FIRST_ALLOWANCE))
  }

  /** The receiver is away or overloaded. */
  strained(): void {
    this.#allowance = Math.max(1, this.#allowance >> 1)
  }
}

function breakerOf({ breakerOpenedAt, breakerProbeAt, breakerProbes }: EndpointRow): BreakerRow {
  return { openedAt: breakerOpenedAt, probeAt: breakerProbeAt, probes: breakerProbes }
}

function kindOf({ lane, attempts }: Claimed): Kind {
  if (lane > 0) return 'replays'
  return attempts === 0 ? 'firsts' : 'retries'
}

/** The order that a first attempt keeps; null: none. */
function orderedBy({ conversationId, attempts, isTest, lane }: Claimed): string | null {
  return conversationId === null || attempts > 0 || isTest ? null : `${lane}${conversationId}`
}
