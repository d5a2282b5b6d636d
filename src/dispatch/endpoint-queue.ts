import { Breaker } from './breaker.ts'
import type { Claimed, Wanted } from './claim.ts'
import { breakerOf, type EndpointRow } from './endpoints.ts'
import type { Health } from './health.ts'
import { KINDS, type Kind, kindOf, Lines, type Tally } from './lines.ts'
import type { Party } from './turns.ts'

/** Requests that an endpoint about which nothing is known yet may have in flight. */
const FIRST_ALLOWANCE = 2
/** Read ahead, as a multiple of the requests that may be in flight: reading is done before sending has to wait for it. */
const AHEAD = 4
/** How long a request is in flight before its endpoint counts as slow, in milliseconds. */
const SLOW_MS = 500
const HEADS_EVERY_MS = 50

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

  readonly #lines: Lines
  /** In flight, by seq, the oldest first, with performance.now() of its start. */
  readonly #inFlight = new Map<string, number>()
  readonly #mayHaveMore: Record<Kind, boolean> = { firsts: true, retries: true, replays: true }
  #mayHaveTests = true
  #allowance = FIRST_ALLOWANCE
  #replaysInFlight = 0
  #testsInFlight = 0
  #isRetrysTurn = false
  #headsAfter = ''
  #headsAt = 0
  /** Everything was dropped since it last asked: what is read meanwhile leaves out what was held. */
  #hasDropped = false
  /** What was held when it asked for heads, by seq. */
  #heldBefore: ReadonlySet<string> = new Set()

  /** @param tally counts what is held, until it is removed */
  constructor(row: EndpointRow, tally: Tally) {
    this.row = row
    this.#lines = new Lines(tally)
    this.breaker = new Breaker(breakerOf(row))
  }

  get id(): string {
    return this.row.id
  }

  get workspaceId(): string {
    return this.row.workspaceId
  }

  get heldCount(): number {
    return this.#lines.heldCount
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

  get #isFaulty(): boolean {
    return this.faultUntil > 0 && performance.now() < this.faultUntil
  }

  /** Requests that may be in flight now, tests aside. */
  #limit(now: Date): number {
    if (!this.row.isEnabled || this.isLeaving || this.#isFaulty) return 0
    return this.breaker.allows(now, Math.min(this.#allowance, this.row.maxInFlight))
  }

  #room(kind: Kind, limit: number): number {
    if (!this.#mayHaveMore[kind]) return 0
    const isLiveWaiting = this.#lines.waiting('firsts') + this.#lines.waiting('retries') > 0
    if (kind === 'replays' && isLiveWaiting) return 0
    const waiting = this.#lines.waiting(kind)
    const most = kind === 'firsts' ? AHEAD * limit : Math.ceil((AHEAD * limit) / 2)
    // Few at a time cost as much as many.
    return 2 * waiting <= most ? most - waiting : 0
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

  /** This process wrote its health. Where nobody else had changed the row, it need not be read anew. */
  healthWritten({ failingSince, before, after }: Health): void {
    const [known, ...agents] = this.row.version.split('.')
    const version = known === before ? [after, ...agents].join('.') : this.row.version
    this.row = { ...this.row, failingSince, version }
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
    return { endpointId: this.id, firsts, retries, replays, held: this.#lines.seqs }
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
    this.#hasDropped = false
    this.#mayHaveTests = false
    if (firsts > 0) this.#mayHaveMore.firsts = false
    if (retries > 0) this.#mayHaveMore.retries = false
    if (replays > 0) this.#mayHaveMore.replays = false
  }

  /** Takes what was read; unless what was held then has been dropped since: earlier events could be among that. */
  add(found: readonly Claimed[], wanted: Wanted): void {
    if (found.length > 0) this.usedAt = performance.now()
    if (this.#hasDropped) {
      this.#mayHaveTests = true
      return
    }
    const counts = { firsts: 0, retries: 0, replays: 0 }
    for (const claimed of found) {
      if (!claimed.isTest) counts[kindOf(claimed)]++
      if (!this.isLeaving) this.#lines.hold(claimed)
    }
    for (const kind of KINDS) {
      if (wanted[kind] > 0 && counts[kind] >= wanted[kind]) this.#mayHaveMore[kind] = true
    }
  }

  /** Whether everything that was read waits for something in flight, while more could be sent. */
  #isStalled(limit: number): boolean {
    return (
      this.#lines.ready('firsts') + this.#lines.ready('retries') === 0 &&
      this.#inFlight.size < limit &&
      2 * this.#lines.waiting('firsts') > AHEAD * limit &&
      !this.row.isStrict &&
      performance.now() - this.#headsAt > HEADS_EVERY_MS
    )
  }

  /** If it is stalled: where to go on among its conversations; null otherwise. */
  headsAfter(now: Date): string | null {
    if (!this.#isStalled(this.#limit(now))) return null
    this.#headsAt = performance.now()
    this.#heldBefore = new Set(this.#lines.seqs)
    return this.#headsAfter
  }

  /** Takes the first unsent events of other conversations. What was held when they were read may have been sent since. */
  addHeads(heads: readonly Claimed[], last: string): void {
    this.#headsAfter = last
    if (this.isLeaving) return
    for (const head of heads) if (!this.#heldBefore.has(head.seq)) this.#lines.holdHead(head)
  }

  #next(now: Date): Kind | 'tests' | null {
    const lines = this.#lines
    // A receiver that takes one request at a time gets one connection, for tests too.
    const isAlone = this.row.maxInFlight === 1
    if (lines.ready('tests') > 0 && !(isAlone && this.#inFlight.size > 0)) return 'tests'
    const limit = this.#limit(now)
    const busy = isAlone ? this.#inFlight.size : this.#inFlight.size - this.#testsInFlight
    if (busy >= limit) return null
    const isRetryReady = lines.ready('retries') > 0
    if (lines.ready('firsts') > 0 && !(isRetryReady && this.#isRetrysTurn)) return 'firsts'
    if (isRetryReady) return 'retries'
    const isReplaysTurn = lines.ready('replays') > 0 && this.#replaysInFlight < Math.max(1, limit >> 1)
    return isReplaysTurn ? 'replays' : null
  }

  canSend(now: Date): boolean {
    return this.#next(now) !== null
  }

  /** Takes out what goes next; it is in flight from now on. */
  take(now: Date): Claimed | undefined {
    const kind = this.#next(now)
    const claimed = kind === null ? undefined : this.#lines.take(kind)
    if (claimed === undefined) return undefined
    this.#inFlight.set(claimed.seq, performance.now())
    if (kind === 'tests') this.#testsInFlight++
    else {
      if (kind === 'replays') this.#replaysInFlight++
      this.#isRetrysTurn = kind === 'firsts'
    }
    return claimed
  }

  /** It is in flight no more. */
  ended(claimed: Claimed, { isRetried }: { isRetried: boolean }): void {
    this.#inFlight.delete(claimed.seq)
    if (claimed.isTest) this.#testsInFlight--
    else if (claimed.lane > 0) this.#replaysInFlight--
    this.#lines.ended(claimed, isRetried && this.row.isStrict)
  }

  /** Its result is in the database, or will never be: it may be read again. */
  forget(claimed: Claimed): void {
    this.#lines.forget(claimed)
    if (this.row.isStrict) this.look()
  }

  /** It was not sent after all. */
  unsent(claimed: Claimed): void {
    this.ended(claimed, { isRetried: false })
    this.#lines.forget(claimed)
    this.drop()
  }

  /** Lets go of everything that is not in flight and not being recorded. It can be read again. */
  drop(): void {
    this.#hasDropped = true
    this.#lines.drop(this.#inFlight.keys(), this.isLeaving)
    this.#mayHaveMore.firsts = this.#mayHaveMore.retries = this.#mayHaveMore.replays = true
  }

  /** Its endpoint is not this process's any more: what is in flight ends by itself. */
  removed(): void {
    this.isLeaving = true
    this.drop()
    this.#lines.leaveTally()
  }

  succeeded(): void {
    this.#allowance = Math.min(2 * this.#allowance, Math.max(this.row.maxInFlight, FIRST_ALLOWANCE))
  }

  /** The receiver is away or overloaded. */
  strained(): void {
    this.#allowance = Math.max(1, this.#allowance >> 1)
  }
}
