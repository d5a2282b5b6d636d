import type { FetchedDelivery, PendingDelivery } from '../../delivery.ts'
import type { EarlySends } from '../../policy/ordering.ts'
import { isEarlier } from './delivery-order.ts'
import { FirstAttemptScan, OVERLAP } from './first-attempt-scan.ts'
import { RecoveryScan, type ScanEnd } from './recovery-scan.ts'

/** What to read of a conversation, and what happened meanwhile. */
export interface ConversationRead {
  /** Events after this seq. */
  after: string
  early: EarlySends
  /** A retry of it came due meanwhile: it is read again. */
  isRepeated: boolean
  /** One of its deliveries was recorded while it was read. */
  isRecorded: boolean
}

const newRead = (early: EarlySends): ConversationRead => ({ after: '0', early, isRepeated: false, isRecorded: false })

/** What was passed is read again after this long, for what was committed late, and later when much was passed. */
const RESCAN_MS = 30_000
const RESCAN_MS_PER_EVENT = 1
/** Conversations that wait to be read, above which no more are deferred. */
const MAX_QUEUED = 1000
/** Conversations that are remembered because they wait. Retries that come due in the others are found all the same. */
const MAX_WAITING = 10_000
const EPOCH = new Date(0)

/**
 * The conversations of one endpoint that are read by themselves, by the index of conversations and in several reads when they
 * are long: those with a retry that is due or holds back what follows, and during a recovery all.
 *
 * A conversation waits (for a retry to be recorded, or for the receiver to be back), is queued to be read, is being read, or is read in
 * part. Its first attempts are passed over when first attempts are read.
 */
export class ConversationRetries {
  readonly #waiting = new Set<string>()
  readonly #queued = new Map<string, ConversationRead>()
  readonly #reading = new Map<string, ConversationRead>()
  /** Read in part: what was read is sent first. */
  readonly #partial = new Map<string, ConversationRead>()
  readonly #firstAttempts = new FirstAttemptScan()
  readonly #recovery = new RecoveryScan()
  #retriesFrom = EPOCH
  /** performance.now() when a conversation was first deferred since the last rescan. */
  #deferredAt = Number.POSITIVE_INFINITY

  /** Whether all pending deliveries are sent, whenever they are due. */
  get isRecovering(): boolean {
    return this.#recovery.isActive
  }

  /** Whether a recovery has listed no conversation yet: until then, what is new is unknown. */
  get isStartingRecovery(): boolean {
    return this.#recovery.isStarting
  }

  /**
   * First attempts up to this seq were read, or belong to these conversations. During a recovery, which reads all that waited,
   * new ones begin here: they need not wait for the others.
   */
  get firstAttemptsAfter(): string {
    this.#rescanIfDue()
    const { newSince } = this.#recovery
    const { after } = this.#firstAttempts
    return this.#isEmpty || isEarlier(after, newSince) ? newSince : after
  }

  /** First attempts of these conversations that a statement may find, and that are passed over. */
  get overlap(): number {
    return this.#isEmpty ? 0 : OVERLAP
  }

  /** Retries that were due earlier are known. */
  get retriesFrom(): Date {
    this.#rescanIfDue()
    return this.#retriesFrom
  }

  /** Whether another conversation may be deferred. */
  get hasRoom(): boolean {
    return this.#queued.size < MAX_QUEUED
  }

  get queuedCount(): number {
    return this.#queued.size
  }

  get #isEmpty(): boolean {
    return this.#waiting.size + this.#queued.size + this.#reading.size + this.#partial.size === 0
  }

  has(id: string): boolean {
    return this.#waiting.has(id) || this.#queued.has(id) || this.#reading.has(id) || this.#partial.has(id)
  }

  #rescanIfDue(): void {
    const wait = Math.max(RESCAN_MS, RESCAN_MS_PER_EVENT * this.#firstAttempts.passed)
    if (performance.now() < this.#deferredAt + wait) return
    this.#deferredAt = Number.POSITIVE_INFINITY
    this.#firstAttempts.restart()
    this.#retriesFrom = EPOCH
    this.#waiting.clear()
  }

  #scheduleRescan(): void {
    this.#deferredAt = Math.min(this.#deferredAt, performance.now())
  }

  /** The longest waiting makes room: with so many, forgetting one costs only that it is passed over again. */
  #wait(id: string): void {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < MAX_WAITING) break
      this.#waiting.delete(oldest)
    }
    this.#waiting.add(id)
  }

  #enqueue(id: string, read: ConversationRead): void {
    this.#waiting.delete(id)
    this.#queued.set(id, read)
  }

  /** Forgets everything: it is read again. A recovery starts again. */
  clear(): void {
    for (const known of [this.#waiting, this.#queued, this.#reading, this.#partial]) known.clear()
    this.#firstAttempts.restart()
    this.#retriesFrom = EPOCH
    if (this.#recovery.isActive) this.#recovery.start()
  }

  /** The receiver is back after an outage: everything pending is sent. */
  startRecovery(): void {
    this.#recovery.start()
  }

  stopRecovery(): void {
    this.#recovery.stop()
  }

  get mustMakeReplaysDue(): boolean {
    return this.#recovery.mustMakeReplaysDue
  }

  replaysMadeDue(): void {
    this.#recovery.replaysMadeDue()
  }

  /** The conversation after which a recovery lists on; null: nothing is left to list. */
  get recoverAfter(): string | null {
    return this.#recovery.after
  }

  /** Takes a page of conversations with pending deliveries. @param end where the recovery would end if it began now */
  recoverPage(ids: readonly string[], end: ScanEnd): void {
    for (const id of this.#recovery.advance(ids, end)) {
      this.#partial.delete(id)
      this.#enqueue(id, newRead('all'))
    }
  }

  /** The receiver is back after a few failures: everything pending in these conversations is sent. */
  recoverSome(ids: Iterable<string>): void {
    for (const id of ids) this.#enqueue(id, newRead('all'))
  }

  /** Whether a recovery has read everything. */
  get hasRecovered(): boolean {
    if (!this.#recovery.isOver) return false
    for (const reads of [this.#queued, this.#reading, this.#partial]) {
      for (const { early } of reads.values()) if (early === 'all') return false
    }
    return true
  }

  /** A conversation must be read by itself. @param early null: it waits for a probe */
  #defer(id: string, early: EarlySends | null): void {
    this.#scheduleRescan()
    if (early === null || this.#recovery.willList(id)) this.#wait(id)
    else this.#enqueue(id, newRead(this.isRecovering ? 'none' : early))
  }

  /**
   * Takes first attempts as they were read, in order.
   * @param hasMore there may be others after them
   * @returns those that may be sent
   */
  addFirstAttempts(found: readonly FetchedDelivery[], hasMore: boolean, early: EarlySends | null): FetchedDelivery[] {
    const ready: FetchedDelivery[] = []
    for (const delivery of found) {
      const { conversationId: id, isDeferred } = delivery
      if (id !== null && this.has(id)) continue
      if (id !== null && isDeferred) this.#defer(id, early)
      else ready.push(delivery)
    }
    this.#firstAttempts.advance(found, hasMore)
    return ready
  }

  /** Takes retries that are due, the longest waiting first. @param isFull there may be more */
  addRetries(retries: readonly FetchedDelivery[], isFull: boolean, early: EarlySends | null): void {
    for (const { conversationId: id } of retries) {
      if (id === null) continue
      const known = this.#queued.get(id) ?? this.#reading.get(id) ?? this.#partial.get(id)
      if (known === undefined) this.#defer(id, early)
      else if (known.after !== '0' || this.#reading.has(id)) known.isRepeated = true
    }
    const last = retries.at(-1)?.nextAttemptAt ?? null
    if (last === null) return
    // When all came due at one moment, the next statement must not find the same ones.
    const isSameMoment = isFull && last <= this.#retriesFrom
    const from = last.getTime() + (isSameMoment ? 1 : isFull ? 0 : -1000)
    if (from > this.#retriesFrom.getTime()) this.#retriesFrom = new Date(from)
    this.#scheduleRescan()
  }

  /** An early send has ended. If it failed, it waits for its time, which may have come when no statement could find it. */
  earlySendEnded({ nextAttemptAt }: PendingDelivery): void {
    if (nextAttemptAt !== null && nextAttemptAt < this.#retriesFrom) this.#retriesFrom = nextAttemptAt
  }

  /** Which conversations to read next, at most `count`. They are being read from now on. */
  startReads(count: number): [id: string, read: ConversationRead][] {
    const started = this.#queued.entries().take(count).toArray()
    for (const [id, read] of started) {
      this.#queued.delete(id)
      this.#reading.set(id, read)
    }
    return started
  }

  /** A conversation could not be read. */
  cancelRead(id: string, read: ConversationRead): void {
    if (this.#reading.get(id) !== read) return
    this.#reading.delete(id)
    this.#queued.set(id, read)
  }

  /**
   * A conversation was read.
   * @param last the seq of the last delivery that was read, if there may be more
   * @param isBlocked what follows waits until a retry is recorded
   * @returns false: everything was dropped since, also what was read
   */
  finishRead(
    id: string,
    read: ConversationRead,
    { last, isBlocked }: { last: string | null; isBlocked: boolean },
  ): boolean {
    if (this.#reading.get(id) !== read) return false
    this.#reading.delete(id)
    const { early, isRepeated, isRecorded } = read
    // A recovery has listed it meanwhile.
    if (this.#queued.has(id)) return true
    if (isBlocked && !isRecorded && !isRepeated) this.#wait(id)
    else if (isBlocked) this.#queued.set(id, newRead('none'))
    else if (last !== null) this.#partial.set(id, { ...read, after: last, early: early === 'all' ? 'all' : 'none' })
    else if (isRepeated) this.#queued.set(id, newRead('none'))
    return true
  }

  /** Everything that was read of a conversation has been sent: the rest of it is queued. */
  drained(id: string): void {
    const rest = this.#partial.get(id)
    if (rest === undefined) return
    this.#partial.delete(id)
    this.#queued.set(id, rest)
  }

  /**
   * A delivery of a conversation was recorded.
   * @param isDropped what was read after it was dropped: it is read again
   * @param isProbing the conversation waits for a probe
   */
  recorded(id: string, isDropped: boolean, isProbing: boolean): void {
    if (this.#isEmpty && !isDropped) return
    if (isDropped) for (const reads of [this.#reading, this.#partial]) reads.delete(id)
    // An early send that failed is not repeated at once.
    if (isDropped || this.#waiting.has(id)) this.#defer(id, isProbing ? null : 'none')
    const reading = this.#reading.get(id)
    if (reading !== undefined) reading.isRecorded = true
  }
}
