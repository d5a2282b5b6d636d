import type { FetchedDelivery, PendingDelivery } from '../delivery.ts'
import { type EarlySends, readyNow } from '../policy/ordering.ts'
import type { HoldBack } from '../store/delivery-sql.ts'
import type { ConversationRequest, HeadsRequest } from '../store/fetch-conversations.ts'
import { type FetchRequest, MAX_SCANNED } from '../store/fetch-due.ts'
import type { ConversationRead } from './order/conversation-retries.ts'
import { FETCH_KINDS, type FetchKind } from './order/delivery-order.ts'
import type { ScanEnd } from './order/recovery-scan.ts'
import type { QueueParts } from './queue-parts.ts'

/** Prefetched, as a multiple of the requests that may be in flight: sending must not wait for reading. */
const PREFETCH_FACTOR = 4
/** Retries that one statement finds. */
const RETRIES_PER_FETCH = 100
/** Milliseconds between two reads of conversation heads. */
const HEADS_EVERY_MS = 50

/** A conversation that is being read. */
export interface StartedRead extends ConversationRequest {
  readonly read: ConversationRead
}

/** What to read next for one endpoint, and where what was read goes. */
export class FetchPlan {
  readonly #parts: QueueParts
  readonly #mayHaveMore: Record<FetchKind, boolean> = { firstAttempts: true, retries: true, replays: true }
  #mayHaveTests = true
  #headsAfter = ''
  #headsAt = 0
  /** Everything is read again since the last fetch started: what that reads was chosen by what was prefetched before. */
  #hasRestarted = false
  /** The seqs that were prefetched when conversations or heads were last read: they may have been sent since. */
  #prefetchedBefore: ReadonlySet<string> = new Set()

  constructor(parts: QueueParts) {
    this.#parts = parts
  }

  /** Whether something should be read, besides a probe. */
  get isNeeded(): boolean {
    const { state } = this.#parts
    if (state.isLeaving) return false
    if (this.#mayHaveTests || state.isStale) return true
    const limit = state.concurrencyLimit
    return (
      FETCH_KINDS.some((kind) => this.#room(kind, limit) > 0) ||
      this.recoverAfter !== null ||
      this.mustMakeReplaysDue ||
      this.#conversationRoom(limit) > 0 ||
      this.#isStalled(limit)
    )
  }

  /** Deliveries may be due that were not before. */
  wake(): void {
    for (const kind of FETCH_KINDS) this.#mayHaveMore[kind] = true
  }

  wakeForTests(): void {
    this.#mayHaveTests = true
  }

  /** Reads everything again, also which conversations wait. */
  restart(): void {
    this.#hasRestarted = true
    this.#parts.retries.clear()
    this.wake()
  }

  /** How many deliveries of a kind to read. */
  #room(kind: FetchKind, limit: number): number {
    const { order, retries } = this.#parts
    if (!this.#mayHaveMore[kind]) return 0
    if (kind === 'firstAttempts' && retries.isStartingRecovery) return 0
    if (kind !== 'replays' && !retries.hasRoom) return 0
    if (kind === 'retries') return limit > 0 ? RETRIES_PER_FETCH : 0
    const isLiveWaiting = order.waitingCount('firstAttempts') + order.waitingCount('retries') > 0
    if (kind === 'replays' && isLiveWaiting) return 0
    const target = PREFETCH_FACTOR * limit
    const space = this.#space(kind, kind === 'firstAttempts' ? target : Math.ceil(target / 2))
    // First attempts that are read again take no room from the others.
    return kind === 'firstAttempts' && space > 0 ? space + retries.overlap : space
  }

  #space(kind: FetchKind, target: number): number {
    const waiting = this.#parts.order.waitingCount(kind)
    // A few at a time cost as much as many.
    return 2 * waiting <= target ? target - waiting : 0
  }

  get #holdBack(): HoldBack {
    const { retries, prober, state, failures } = this.#parts
    if (retries.isRecovering) return 'all'
    return prober.isAwaited(state.row) || failures.isSuspect ? 'retries' : 'due'
  }

  /** What is sent early in a conversation in which a first attempt waits; null: the probe tells. */
  get #early(): EarlySends | null {
    const { prober, state, failures } = this.#parts
    if (prober.isAwaited(state.row)) return null
    return failures.isSuspect ? 'first' : 'none'
  }

  /** What to read of everything but conversations; null: nothing. */
  nextFetch(): FetchRequest | null {
    const { state, order, retries } = this.#parts
    if (state.isLeaving) return null
    const limit = state.concurrencyLimit
    const request = {
      endpointId: state.row.id,
      firstAttempts: this.#room('firstAttempts', limit),
      retries: this.#room('retries', limit),
      replays: this.#room('replays', limit),
    }
    if (FETCH_KINDS.every((kind) => request[kind] === 0) && !this.#mayHaveTests) return null
    const { firstAttemptsAfter, retriesFrom } = retries
    return { ...request, firstAttemptsAfter, retriesFrom, holdBack: this.#holdBack, prefetched: order.seqs }
  }

  /** A request is being read: what comes due from now on is not part of it. */
  fetchStarted(request: FetchRequest): void {
    this.#hasRestarted = false
    this.#mayHaveTests = false
    for (const kind of FETCH_KINDS) if (request[kind] > 0) this.#mayHaveMore[kind] = false
  }

  /** Takes what was read, unless something was dropped since: earlier events could be among that. */
  fetched(found: readonly FetchedDelivery[], request: FetchRequest): void {
    const { state, order, retries } = this.#parts
    if (found.length > 0) state.touch()
    if (this.#hasRestarted) {
      this.#mayHaveTests = true
      return
    }
    if (state.isLeaving) return
    const firstAttempts: FetchedDelivery[] = []
    const dueRetries: FetchedDelivery[] = []
    let replays = 0
    for (const delivery of found) {
      if (!delivery.isTest && delivery.priority === 'live') {
        if (delivery.attempts === 0) firstAttempts.push(delivery)
        else dueRetries.push(delivery)
        continue
      }
      order.add(delivery)
      if (!delivery.isTest) replays++
    }
    const isFull = dueRetries.length >= request.retries
    retries.addRetries(dueRetries, isFull, this.#early ?? 'none')
    const hasMore = request.firstAttempts > 0 && mayHaveMoreFirstAttempts(firstAttempts, request.firstAttempts)
    for (const retry of dueRetries) if (!retry.isDeferred) order.add(retry)
    for (const first of retries.addFirstAttempts(firstAttempts, hasMore, this.#early)) order.add(first)
    if (hasMore) this.#mayHaveMore.firstAttempts = true
    if (request.retries > 0 && isFull) this.#mayHaveMore.retries = true
    if (request.replays > 0 && replays >= request.replays) this.#mayHaveMore.replays = true
  }

  /** Room for deliveries of conversations that are read by themselves. */
  #conversationRoom(limit: number): number {
    if (this.#parts.retries.queuedCount === 0) return 0
    return this.#space('retries', Math.ceil((PREFETCH_FACTOR * limit) / 2))
  }

  /** Which conversations to read by themselves. They are being read from now on. */
  startConversations(): StartedRead[] {
    const { state, order, retries } = this.#parts
    const room = this.#conversationRoom(state.concurrencyLimit)
    if (room === 0) return []
    const started = retries.startReads(2 * state.concurrencyLimit)
    const limit = Math.max(2, Math.floor(room / started.length))
    this.#prefetchedBefore = new Set(order.seqs)
    const endpointId = state.row.id
    return started.map(([conversationId, read]) => ({ endpointId, conversationId, after: read.after, limit, read }))
  }

  /** A conversation could not be read. */
  conversationFailed({ conversationId, read }: StartedRead): void {
    this.#parts.retries.cancelRead(conversationId, read)
  }

  /** Takes what was read of a conversation. */
  conversationFetched({ conversationId, limit, read }: StartedRead, rows: readonly PendingDelivery[], now: Date): void {
    const { state, order, retries } = this.#parts
    const { ready, isBlocked } = readyNow(rows, { now, isStrict: state.row.isStrict, early: read.early })
    const last = rows.length < limit ? null : (rows.at(-1)?.seq ?? null)
    if (!retries.finishRead(conversationId, read, { last, isBlocked }) || state.isLeaving) return
    state.touch()
    for (const delivery of ready) {
      if (!this.#prefetchedBefore.has(delivery.seq)) order.add(delivery, 'retries')
    }
    if (order.isDrained(conversationId)) retries.drained(conversationId)
    // It may have been the last one, with nothing left in it.
    this.endRecoveryIfDone()
  }

  /** During a recovery: whether to make bulk replays due that wait for another attempt. */
  get mustMakeReplaysDue(): boolean {
    const { state, retries } = this.#parts
    return state.concurrencyLimit > 0 && retries.mustMakeReplaysDue
  }

  replaysMadeDue(): void {
    this.#parts.retries.replaysMadeDue()
    this.#mayHaveMore.replays = true
    this.endRecoveryIfDone()
  }

  /** During a recovery: the conversation after which to list on; null: nothing to list now. */
  get recoverAfter(): string | null {
    const { state, retries } = this.#parts
    const limit = state.concurrencyLimit
    return limit > 0 && retries.queuedCount < 2 * limit ? retries.recoverAfter : null
  }

  /** Takes a page of conversations with pending deliveries. @param end where the recovery would end if it began now */
  recoverPage(ids: readonly string[], end: ScanEnd): void {
    this.#parts.retries.recoverPage(ids, end)
    this.endRecoveryIfDone()
  }

  endRecoveryIfDone(): void {
    const { order, retries } = this.#parts
    if (!retries.hasRecovered || order.waitingCount('retries') > 0) return
    retries.stopRecovery()
    this.restart()
  }

  /** Whether everything prefetched waits for something in flight, while more could be sent. */
  #isStalled(limit: number): boolean {
    const { state, order, inFlight } = this.#parts
    return (
      order.readyCount('firstAttempts') + order.readyCount('retries') === 0 &&
      inFlight.size < limit &&
      2 * order.waitingCount('firstAttempts') > PREFETCH_FACTOR * limit &&
      !state.row.isStrict &&
      performance.now() - this.#headsAt > HEADS_EVERY_MS
    )
  }

  /** The heads of other conversations to read, because everything prefetched waits; null: it does not. */
  startHeads(): HeadsRequest | null {
    const { state, order } = this.#parts
    if (!this.#isStalled(state.concurrencyLimit)) return null
    this.#headsAt = performance.now()
    this.#prefetchedBefore = new Set(order.seqs)
    return { after: this.#headsAfter, limit: 2 * state.row.maxInFlight, holdBack: this.#holdBack }
  }

  /** Takes conversation heads. @param last the conversation after which to go on */
  headsFetched(heads: readonly FetchedDelivery[], last: string): void {
    const { state, order, retries } = this.#parts
    this.#headsAfter = last
    if (state.isLeaving) return
    for (const head of heads) {
      const isPassedOver = head.isDeferred || retries.has(head.conversationId ?? '')
      if (!isPassedOver && !this.#prefetchedBefore.has(head.seq)) order.addHead(head)
    }
  }
}

function mayHaveMoreFirstAttempts(found: readonly FetchedDelivery[], requested: number): boolean {
  if (found.length >= Math.max(MAX_SCANNED, requested)) return true
  return found.filter(({ isDeferred }) => !isDeferred).length >= requested
}
