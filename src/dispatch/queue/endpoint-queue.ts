import type { FetchedDelivery, PendingDelivery } from '../delivery.ts'
import { CircuitBreaker } from '../policy/circuit-breaker.ts'
import { ConcurrencyWindow } from '../policy/concurrency-window.ts'
import type { Health } from '../store/endpoint-health.ts'
import { breakerOf, type EndpointRow } from '../store/endpoints.ts'
import type { ConversationFetch, FetchRequest, HoldBack, ProbeCandidate } from '../store/fetch-due.ts'
import { ConversationOrder, KINDS, type Kind, type PrefetchCount } from './conversation-order.ts'
import {
  ConversationRetries,
  type EarlySends,
  eligible,
  mayHaveMoreFirsts,
  type ReadPlan,
  type RecoveryEnd,
} from './conversation-retries.ts'
import { FailureStreak } from './failure-streak.ts'
import type { Schedulable } from './fair-scheduler.ts'
import { Prober } from './probe.ts'

/** Read ahead, as a multiple of the requests that may be in flight: reading is done before sending has to wait for it. */
const AHEAD = 4
/** Retries that are noticed at a time. */
const MAX_DEFERRED = 100
/** How long a request is in flight before its endpoint counts as slow, in milliseconds. */
const SLOW_MS = 500
const HEADS_EVERY_MS = 50
/** Requests of a recovery that fail one after the other, after which it is given up. */
const FUTILE = 10
/** It is taken up again no earlier than this, when a request succeeds. */
const PAUSE_MS = 60_000

/** What to read of a conversation, as it was asked. */
export interface RequestedConversation extends ConversationFetch {
  readonly plan: ReadPlan
}

/**
 * What this process holds of one endpoint: deliveries that were read, in the order in which they may go.
 *
 * - Of what is due, deliveries of one conversation go one after the other, in the order of their events; a failed one steps
 *   aside to its next attempt.
 * - While its breaker is open, nothing goes but probes. When the receiver answers again, all that waits goes, conversation by
 *   conversation, whenever it is due.
 * - Requests in flight are bounded by the endpoint's own limit, and below that by a concurrency window that doubles with every
 *   success and halves with every failure, so that a receiver that hangs or is overloaded holds few.
 * - Replays get at most half of it, and only while nothing live is waiting.
 *
 * All of it may be dropped at any time: nothing is written before a request has ended.
 */
export class EndpointQueue implements Schedulable {
  row: EndpointRow
  breaker: CircuitBreaker
  /** Its row is not what it was: it is read again before anything else. */
  isStale = false
  /** It falls to another process: nothing more is read, and it is given back when nothing is held. */
  isLeaving = false
  /** performance.now() when it last had something to do. */
  usedAt = performance.now()
  /** performance.now() until which nothing is sent, because we cannot: a secret that does not open. */
  faultUntil = 0

  readonly #order: ConversationOrder
  readonly #retries = new ConversationRetries()
  readonly #prober = new Prober()
  readonly #streak = new FailureStreak()
  /** In flight, by seq, the oldest first, with performance.now() of its start. */
  readonly #inFlight = new Map<string, number>()
  readonly #mayHaveMore: Record<Kind, boolean> = { firsts: true, retries: true, replays: true }
  #mayHaveTests = true
  readonly #window = new ConcurrencyWindow()
  readonly #replaysInFlight = new Set<string>()
  #testsInFlight = 0
  #isRetrysTurn = false
  /** Of a recovery, requests ahead of their time that failed since the last success. */
  #futile = 0
  /** When a recovery that was given up may begin anew; null: none was. */
  #recoverFrom: Date | null = null
  #headsAfter = ''
  #headsAt = 0
  /** Everything is read anew since it last asked: what is read meanwhile leaves out what was held, or must wait. */
  #hasDropped = false
  /** What was held when it asked for heads, by seq. */
  #prefetchedBefore: ReadonlySet<string> = new Set()

  /** @param tally counts what is held, until it is removed */
  constructor(row: EndpointRow, prefetchCount: PrefetchCount) {
    this.row = row
    this.#order = new ConversationOrder(prefetchCount)
    this.breaker = new CircuitBreaker(breakerOf(row))
    if (row.isRecovering) this.#retries.recover()
  }

  get id(): string {
    return this.row.id
  }

  get workspaceId(): string {
    return this.row.workspaceId
  }

  get prefetchedCount(): number {
    return this.#order.prefetchedCount
  }

  get inFlightCount(): number {
    return this.#inFlight.size
  }

  get isSlow(): boolean {
    for (const startedAt of this.#inFlight.values()) return performance.now() - startedAt > SLOW_MS
    return false
  }

  /** Whether all that waits goes out, whenever it is due. */
  get isRecovering(): boolean {
    return this.#retries.isRecovering
  }

  /** When the last probe was asked that has ended. */
  get probedAt(): Date | null {
    return this.#prober.probedAt
  }

  /** Whether its row does not say yet how it stands. */
  get isUnwritten(): boolean {
    const { isRecovering, isProbeAsked } = this.row
    return isRecovering !== this.isRecovering || (isProbeAsked && !this.#prober.isAsked(this.row))
  }

  /** Something may be due that was not at the last look. Where nothing goes, that may be news too. */
  look(): void {
    if (!this.row.isEnabled) this.isStale = true
    this.#prober.look()
    this.#mayHaveMore.firsts = this.#mayHaveMore.retries = this.#mayHaveMore.replays = true
  }

  /** A look at the database found work here. @param askedAt when a probe was asked: no wake-up may have told of it */
  found(askedAt: Date | null): void {
    this.#mayHaveTests = true
    if (askedAt !== null && askedAt.getTime() !== this.row.probeAskedAt?.getTime()) this.isStale = true
  }

  get #isFaulty(): boolean {
    return this.faultUntil > 0 && performance.now() < this.faultUntil
  }

  get #isStopped(): boolean {
    return !this.row.isEnabled || this.isLeaving || this.#isFaulty
  }

  /** Requests that may be in flight now, tests and probes aside. */
  #limit(): number {
    return this.#isStopped || this.breaker.isOpen ? 0 : this.#window.limit(this.row.maxInFlight)
  }

  #room(kind: Kind, limit: number): number {
    if (!this.#mayHaveMore[kind]) return 0
    if (kind === 'firsts' && this.#retries.isBeginning) return 0
    if (kind !== 'replays' && !this.#retries.mayDefer) return 0
    if (kind === 'retries') return limit > 0 ? MAX_DEFERRED : 0
    const isLiveWaiting = this.#order.waiting('firsts') + this.#order.waiting('retries') > 0
    if (kind === 'replays' && isLiveWaiting) return 0
    const space = this.#space(kind, kind === 'firsts' ? AHEAD * limit : Math.ceil((AHEAD * limit) / 2))
    // Those that are scanned again take no room from the others.
    return kind === 'firsts' && space > 0 ? space + this.#retries.overlap : space
  }

  #space(kind: Kind, most: number): number {
    const waiting = this.#order.waiting(kind)
    // Few at a time cost as much as many.
    return 2 * waiting <= most ? most - waiting : 0
  }

  /** Whether a probe was asked for and has not ended, beside what goes anyway. */
  get #isProbing(): boolean {
    return this.#prober.isAsked(this.row) && !this.#prober.isIdle
  }

  /** What holds the first attempts of a conversation back. */
  get #holdBack(): HoldBack {
    if (this.isRecovering) return 'all'
    return this.#isProbing || this.#streak.isSuspect ? 'retries' : 'due'
  }

  /** What goes ahead of its time in a conversation that a first attempt waits in; null: the probe tells. */
  get #early(): EarlySends | null {
    if (this.#isProbing) return null
    return this.#streak.isSuspect ? 'first' : 'none'
  }

  /** Takes what its row says now. */
  refresh(row: EndpointRow): void {
    const isResumed = row.isEnabled && !this.row.isEnabled
    this.row = row
    this.isStale = false
    if (isResumed) {
      this.breaker = new CircuitBreaker(breakerOf(row))
      this.look()
    }
    if (!row.isEnabled) this.drop()
    this.#prober.look()
  }

  /** This process wrote its health. Where nobody else had changed the row, it need not be read anew. */
  healthWritten({ failingSince, isProbeAsked, isRecovering, before, after }: Health): void {
    const [known, ...agents] = this.row.version.split('.')
    const version = known === before ? [after, ...agents].join('.') : this.row.version
    // One that was asked since comes with the row as it stands then.
    const isStillAsked = this.row.isProbeAsked && isProbeAsked
    this.row = { ...this.row, failingSince, isRecovering, isProbeAsked: isStillAsked, version }
  }

  /** Nothing more goes there, ahead of what its row will say. */
  disable(): void {
    this.row = { ...this.row, isEnabled: false }
    this.drop()
  }

  /** What to read for it now; null: nothing. */
  nextFetch(): FetchRequest | null {
    if (this.isLeaving) return null
    const limit = this.#limit()
    const firsts = this.#room('firsts', limit)
    const retries = this.#room('retries', limit)
    const replays = this.#room('replays', limit)
    if (firsts + retries + replays === 0 && !this.#mayHaveTests) return null
    const { firstsAfter, retriesFrom } = this.#retries
    const prefetched = this.#order.seqs
    return {
      endpointId: this.id,
      firsts,
      firstsAfter,
      holdBack: this.#holdBack,
      retries,
      retriesFrom,
      replays,
      prefetched,
    }
  }

  /** Whether something should be read for it. */
  needsFetch(now: Date): boolean {
    if (this.isLeaving) return false
    const limit = this.#limit()
    const isAny =
      this.#mayHaveTests ||
      this.isStale ||
      this.#room('firsts', limit) + this.#room('retries', limit) + this.#room('replays', limit) > 0
    return (
      isAny ||
      this.needsProbe(now) ||
      this.recoveryAfter !== null ||
      this.mustMakeReplaysDue ||
      this.#conversationRoom() > 0 ||
      this.#isStalled(limit)
    )
  }

  /** Its wish was taken up: what comes to be due from now on is news. */
  fetchStarted({ firsts, retries, replays }: FetchRequest): void {
    this.#hasDropped = false
    this.#mayHaveTests = false
    if (firsts > 0) this.#mayHaveMore.firsts = false
    if (retries > 0) this.#mayHaveMore.retries = false
    if (replays > 0) this.#mayHaveMore.replays = false
  }

  /** Takes what was read; unless what was held then has been dropped since: earlier events could be among that. */
  add(found: readonly FetchedDelivery[], wanted: FetchRequest): void {
    if (found.length > 0) this.usedAt = performance.now()
    if (this.#hasDropped) {
      this.#mayHaveTests = true
      return
    }
    if (this.isLeaving) return
    const isLive = (delivery: FetchedDelivery) => !delivery.isTest && delivery.priority === 'live'
    const firsts = found.filter((delivery) => isLive(delivery) && delivery.attempts === 0)
    const retries = found.filter((delivery) => isLive(delivery) && delivery.attempts > 0)
    const others = found.filter((delivery) => !isLive(delivery))
    const isFull = retries.length >= wanted.retries
    this.#retries.deferred(retries, isFull, this.#early ?? 'none')
    const isMore = wanted.firsts > 0 && mayHaveMoreFirsts(firsts, wanted.firsts)
    const free = this.#retries.scanned(firsts, isMore, this.#early)
    for (const delivery of [...retries.filter(({ isDeferred }) => !isDeferred), ...free, ...others])
      this.#order.add(delivery)
    if (isMore) this.#mayHaveMore.firsts = true
    if (wanted.retries > 0 && isFull) this.#mayHaveMore.retries = true
    const replays = others.filter(({ isTest }) => !isTest).length
    if (wanted.replays > 0 && replays >= wanted.replays) this.#mayHaveMore.replays = true
  }

  /** How many deliveries of conversations that are read by themselves there is room for. */
  #conversationRoom(): number {
    return this.#retries.wantedCount === 0 ? 0 : this.#space('retries', Math.ceil((AHEAD * this.#limit()) / 2))
  }

  /** Which conversations to read by themselves. They are being read from now on. */
  nextConversations(): RequestedConversation[] {
    const room = this.#conversationRoom()
    if (room === 0) return []
    const asked = this.#retries.take(2 * this.#limit())
    const limit = Math.max(2, Math.floor(room / asked.length))
    this.#prefetchedBefore = new Set(this.#order.seqs)
    return asked.map(([conversationId, plan]) => ({
      endpointId: this.id,
      conversationId,
      after: plan.after,
      limit,
      plan,
    }))
  }

  /** They could not be read. */
  conversationsFailed(asked: readonly RequestedConversation[]): void {
    this.#retries.untake(asked.map(({ conversationId, plan }) => [conversationId, plan]))
  }

  /** Takes what was read of a conversation. What was held when it was asked may have been sent since. */
  addConversation(
    { conversationId, limit, plan }: RequestedConversation,
    rows: readonly PendingDelivery[],
    now: Date,
  ): void {
    const { taken, isBlocked } = eligible(rows, { now, isStrict: this.row.isStrict, early: plan.early })
    const last = rows.length < limit ? null : (rows.at(-1)?.seq ?? null)
    if (!this.#retries.wasRead(conversationId, plan, { last, isBlocked }) || this.isLeaving) return
    this.usedAt = performance.now()
    for (const delivery of taken) if (!this.#prefetchedBefore.has(delivery.seq)) this.#order.add(delivery, 'retries')
    if (this.#order.isDrained(conversationId)) this.#retries.drained(conversationId)
    // It may have been the last, and nothing of it be left.
    this.#endRecovery()
  }

  /** After an outage: whether bulk replays are to be made due that wait for another attempt. */
  get mustMakeReplaysDue(): boolean {
    return this.#limit() > 0 && this.#retries.mustMakeReplaysDue
  }

  replaysMadeDue(): void {
    this.#retries.replaysMadeDue()
    this.#mayHaveMore.replays = true
    this.#endRecovery()
  }

  /** After an outage: where to read on in the walk through all its conversations; null: nowhere now. */
  get recoveryAfter(): string | null {
    const limit = this.#limit()
    return limit > 0 && this.#retries.wantedCount < 2 * limit ? this.#retries.recoveryAfter : null
  }

  recoveryRead(ids: readonly string[], end: RecoveryEnd): void {
    this.#retries.recoveryRead(ids, end)
    this.#endRecovery()
  }

  #endRecovery(): void {
    if (!this.#retries.hasReadAll || this.#order.waiting('retries') > 0) return
    this.#retries.stopRecovery()
    this.#readAnew()
  }

  /** Whether something is to be read that tries the receiver. */
  needsProbe(now: Date): boolean {
    if (this.#isStopped || this.isStale || this.#prober.isBusy || this.#prober.isIdle) return false
    const busy = this.#inFlight.size - this.#testsInFlight
    const isAsked = this.#prober.isAsked(this.row)
    if (!this.breaker.isOpen) return (isAsked || this.#mayRecover(now)) && busy < this.row.maxInFlight
    return busy === 0 && (isAsked || this.breaker.allows(now, 0) > 0)
  }

  /** A probe is read from now on. @returns what to look for */
  startProbe(): { deliveryId: string | null; withFirsts: boolean } {
    const deliveryId = this.#prober.isAsked(this.row) ? this.row.probeDeliveryId : null
    this.#prober.begin(this.row)
    // Without a breaker that is open, first attempts go anyway.
    return { deliveryId, withFirsts: this.breaker.isOpen }
  }

  /** It could not be read. */
  cancelProbe(): void {
    this.#prober.drop(() => false)
  }

  chooseProbe(candidates: readonly ProbeCandidate[]): string[] {
    // What is on its way tries it already.
    const isFree = ({ conversationId }: ProbeCandidate) =>
      conversationId === null || !this.#order.isBusy(conversationId)
    const chosen = this.#prober.choose(candidates.filter(isFree))
    // One that failed does not step aside there.
    return this.row.isStrict ? chosen.slice(0, 1) : chosen
  }

  /** Takes what was read to try the receiver with. @param isOver there is nothing at all that waits */
  addProbe(found: readonly PendingDelivery[], isOver: boolean, now: Date): void {
    if (isOver) this.#recoverFrom = null
    const first = this.#prober.take(found, isOver && !this.breaker.isOpen)
    // What waited for it goes its way.
    if (first === undefined) this.#readAnew()
    else this.#sendProbe(first, now)
  }

  #sendProbe(delivery: PendingDelivery, now: Date): void {
    const isEarly = delivery.nextAttemptAt !== null && delivery.nextAttemptAt > now
    this.#order.add({ ...delivery, isEarly }, 'probes')
  }

  /** Whether everything that was read waits for something in flight, while more could be sent. */
  #isStalled(limit: number): boolean {
    return (
      this.#order.ready('firsts') + this.#order.ready('retries') === 0 &&
      this.#inFlight.size < limit &&
      2 * this.#order.waiting('firsts') > AHEAD * limit &&
      !this.row.isStrict &&
      performance.now() - this.#headsAt > HEADS_EVERY_MS
    )
  }

  /** If it is stalled: where to go on among its conversations; null otherwise. */
  nextHeads(): { after: string; limit: number; holdBack: HoldBack } | null {
    if (!this.#isStalled(this.#limit())) return null
    this.#headsAt = performance.now()
    this.#prefetchedBefore = new Set(this.#order.seqs)
    return { after: this.#headsAfter, limit: 2 * this.row.maxInFlight, holdBack: this.#holdBack }
  }

  /** Takes the first unsent events of other conversations. What was held when they were read may have been sent since. */
  addHeads(heads: readonly FetchedDelivery[], last: string): void {
    this.#headsAfter = last
    if (this.isLeaving) return
    for (const head of heads) {
      const isPassed = head.isDeferred || this.#retries.has(head.conversationId ?? '')
      if (!isPassed && !this.#prefetchedBefore.has(head.seq)) this.#order.addHead(head)
    }
  }

  #next(): Kind | 'tests' | 'probes' | null {
    const order = this.#order
    // A receiver that takes one request at a time gets one connection, for tests too.
    const isAlone = this.row.maxInFlight === 1
    if (order.ready('tests') > 0 && !(isAlone && this.#inFlight.size > 0)) return 'tests'
    const busy = isAlone ? this.#inFlight.size : this.#inFlight.size - this.#testsInFlight
    if (order.ready('probes') > 0 && !this.#isStopped && busy < this.row.maxInFlight) return 'probes'
    const limit = this.#limit()
    if (busy >= limit) return null
    const isRetryReady = order.ready('retries') > 0
    if (order.ready('firsts') > 0 && !(isRetryReady && this.#isRetrysTurn)) return 'firsts'
    if (isRetryReady) return 'retries'
    const isReplaysTurn = order.ready('replays') > 0 && this.#replaysInFlight.size < Math.max(1, limit >> 1)
    return isReplaysTurn ? 'replays' : null
  }

  canSend(): boolean {
    return this.#next() !== null
  }

  /** Takes out what goes next; it is in flight from now on. */
  take(): PendingDelivery | undefined {
    const kind = this.#next()
    const delivery = kind === null ? undefined : this.#order.take(kind)
    if (kind === null || delivery === undefined) return undefined
    this.#inFlight.set(delivery.seq, performance.now())
    if (kind === 'tests') this.#testsInFlight++
    if (kind === 'replays') this.#replaysInFlight.add(delivery.seq)
    if (kind === 'firsts' || kind === 'retries') this.#isRetrysTurn = kind === 'firsts'
    this.#readOn(delivery)
    return delivery
  }

  /** What comes after what was read of its conversation is read when that has gone. */
  #readOn({ conversationId }: PendingDelivery): void {
    if (conversationId !== null && this.#order.isDrained(conversationId)) this.#retries.drained(conversationId)
  }

  /** It is in flight no more. */
  ended(delivery: PendingDelivery, { isRetried }: { isRetried: boolean }): void {
    this.#inFlight.delete(delivery.seq)
    this.#replaysInFlight.delete(delivery.seq)
    if (delivery.isTest) this.#testsInFlight--
    this.#order.ended(delivery, isRetried && this.row.isStrict)
  }

  /** Its result is in the database, or will never be: it may be read again. */
  forget(delivery: PendingDelivery): void {
    const isDropped = this.#order.forget(delivery)
    const { current } = this.#prober
    if (current !== null && !this.#order.has(current)) this.#prober.drop(() => false)
    if (delivery.isEarly === true) this.#retries.waitsAgain(delivery)
    const { conversationId, isTest, priority } = delivery
    if (conversationId !== null && !isTest && priority === 'live') {
      this.#retries.recorded(conversationId, isDropped, this.#isProbing)
    }
    this.#prober.look()
    this.#endRecovery()
  }

  /** It was not sent after all. */
  notSent(delivery: PendingDelivery): void {
    this.ended(delivery, { isRetried: false })
    this.#order.forget(delivery)
    this.drop()
  }

  /** Lets go of everything that is not in flight and not being recorded. It can be read again. */
  drop(): void {
    this.#order.drop(this.#inFlight.keys(), this.isLeaving)
    this.#prober.drop((seq) => this.#inFlight.has(seq))
    this.#readAnew()
  }

  /** Which conversations wait is found out anew: what is being read meanwhile was asked for with what was known before. */
  #readAnew(): void {
    this.#hasDropped = true
    this.#retries.clear()
    for (const kind of KINDS) this.#mayHaveMore[kind] = true
  }

  /** Its endpoint is not this process's any more: what is in flight ends by itself. */
  removed(): void {
    this.isLeaving = true
    this.drop()
    this.#order.stopCounting()
  }

  /** What decides by how much the wait varies until a delivery is tried again. */
  chance(delivery: PendingDelivery, random: number): number {
    return this.#streak.chance(delivery, random)
  }

  /** The receiver has answered. @returns whether its breaker has changed */
  succeeded(delivery: PendingDelivery, isDelivered: boolean, now: Date): boolean {
    this.#window.grow(this.row.maxInFlight)
    const suspects = this.#streak.isSuspect ? this.#streak.conversations : null
    this.#streak.ended()
    this.#futile = 0
    const probe = this.#prober.of(delivery)
    if (probe !== null) this.#goOn(isDelivered, now)
    const isReopened = this.breaker.succeeded(now)
    if (isReopened || (probe === 'asked' && isDelivered) || this.#mayRecover(now)) {
      this.#recoverFrom = null
      this.#retries.recover()
      this.drop()
    } else if (suspects !== null) {
      // That would begin a recovery anew.
      if (!this.isRecovering) this.drop()
      this.#retries.recoverSome(suspects)
    }
    return isReopened
  }

  /** The receiver is away or overloaded. @param random a number in [0, 1) @returns whether its breaker has changed */
  overloaded(delivery: PendingDelivery, now: Date, random: number): boolean {
    this.#window.shrink()
    const probe = this.#prober.of(delivery)
    if (probe === null && delivery.isEarly === true && (this.isRecovering || this.#recoverFrom !== null)) {
      if (this.isRecovering) this.#failedInRecovery(now)
      return false
    }
    if (delivery.isEarly !== true) this.#streak.failed(delivery)
    if (probe !== null && this.#recoverFrom !== null) this.#recoverFrom = later(now)
    const wasOpen = this.breaker.isOpen
    const hasChanged = this.breaker.failed(now, random, probe === 'asked')
    if (probe !== null) this.#goOn(false, now)
    if (this.breaker.isOpen && !wasOpen) {
      this.#streak.ended()
      this.#retries.stopRecovery()
      this.drop()
    }
    return hasChanged
  }

  #mayRecover(now: Date): boolean {
    return this.#recoverFrom !== null && now >= this.#recoverFrom
  }

  /**
   * What waits may fail by itself, so this says nothing about the receiver: else a few such events would open the breaker at the
   * end of every outage. After some of them, a recovery is given up, and what waits has its own time, until a probe or anything
   * else succeeds.
   */
  #failedInRecovery(now: Date): void {
    if (++this.#futile < FUTILE) return
    this.#futile = 0
    this.#recoverFrom = later(now)
    this.#retries.stopRecovery()
    this.drop()
  }

  /** A probe has ended. */
  #goOn(hasSucceeded: boolean, now: Date): void {
    const next = this.#prober.ended(hasSucceeded)
    if (next !== undefined) this.#sendProbe(next, now)
    else this.#readAnew()
  }
}

function later(now: Date): Date {
  return new Date(now.getTime() + PAUSE_MS)
}
