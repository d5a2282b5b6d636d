import type { FetchedDelivery, PendingDelivery } from '../delivery.ts'
import { MAX_SCANNED, STRICT_ATTEMPTS } from '../store/fetch-due.ts'

/**
 * What of a conversation goes ahead of its time: nothing, which leaves what failed to its own time; the first, to see whether
 * the receiver is back; or all of it, because the receiver is back.
 */
export type EarlySends = 'none' | 'first' | 'all'

/** What to read of a conversation. */
export interface ReadPlan {
  /** Events after this seq. */
  after: string
  early: EarlySends
  /** A retry of it came due meanwhile: it is read once more. */
  isAgain: boolean
  /** Something of it was recorded while it was read. */
  isRecorded: boolean
}

const plan = (early: EarlySends): ReadPlan => ({ after: '0', early, isAgain: false, isRecorded: false })

/** Where a walk ends that has begun. */
export interface RecoveryEnd {
  /** The last conversation in which something waited. */
  readonly conversationId: string
  /** About the last first attempt that waited: those after it are new. */
  readonly seq: string
}

/** Of those that were scanned last, as many are scanned again: an event with a lower seq may be committed later. */
const OVERLAP = 50
/** What was passed is looked at again after this long, for what was committed late, and later when much was passed. */
const RESCAN_MS = 30_000
const RESCAN_MS_PER_EVENT = 1
/** Conversations that wait to be read, above which nothing more is noticed. */
const MOST_WANTED = 1000
/** Conversations that are remembered because they wait. What is due in the others is noticed all the same. */
const MOST_WAITING = 10_000
const EPOCH = new Date(0)

/**
 * Conversations of one endpoint whose order takes more than reading first attempts by `seq`: those with a retry that is due, or
 * that holds back what follows. They are read by themselves, by the index of conversations, and in runs when they are long.
 *
 * Their first attempts are passed over when first attempts are read. So that this is done once and not at every claim,
 * `firstsAfter` is where the next claim begins, as long as there are such conversations.
 */
export class ConversationRetries {
  /** A retry must be recorded, or the receiver must be back, before anything of it can go. */
  readonly #waiting = new Set<string>()
  readonly #wanted = new Map<string, ReadPlan>()
  /** A statement is reading them. */
  readonly #reading = new Map<string, ReadPlan>()
  /** Read in part: what was read goes first. */
  readonly #running = new Map<string, ReadPlan>()
  #firstsAfter = '0'
  /** The last first attempts that were scanned, by seq. */
  #scanned: string[] = []
  #retriesFrom = EPOCH
  /** First attempts that were scanned since they were last scanned from the beginning. */
  #passed = 0
  /** performance.now() when something was noticed first since then. */
  #deferredAt = Number.POSITIVE_INFINITY
  /** The walk through all conversations after an outage; null: none. */
  #recovery: { after: string; end: RecoveryEnd | null } | null = null
  #isRecoveryRead = false
  /** Bulk replays that wait for another attempt are to be made due. */
  #mustMakeReplaysDue = false

  /** Whether all of them go, whenever they are due. */
  get isRecovering(): boolean {
    return this.#recovery !== null
  }

  /**
   * First attempts up to here were read, or belong to these conversations. During a walk, which reads all the others, it is where
   * new ones begin: they need not wait for all that waited.
   */
  get firstsAfter(): string {
    this.#rescan()
    const begin = this.#recovery?.end?.seq ?? '0'
    return this.#isEmpty || BigInt(begin) > BigInt(this.#firstsAfter) ? begin : this.#firstsAfter
  }

  /** First attempts of these conversations that a claim may find, which it passes. */
  get overlap(): number {
    return this.#isEmpty ? 0 : OVERLAP
  }

  /** Retries that were due before have been noticed. */
  get retriesFrom(): Date {
    this.#rescan()
    return this.#retriesFrom
  }

  get mayDefer(): boolean {
    return this.#wanted.size < MOST_WANTED
  }

  get wantedCount(): number {
    return this.#wanted.size
  }

  get #isEmpty(): boolean {
    return this.#waiting.size + this.#wanted.size + this.#reading.size + this.#running.size === 0
  }

  has(id: string): boolean {
    return this.#waiting.has(id) || this.#wanted.has(id) || this.#reading.has(id) || this.#running.has(id)
  }

  #rescan(): void {
    const wait = Math.max(RESCAN_MS, RESCAN_MS_PER_EVENT * this.#passed)
    if (performance.now() < this.#deferredAt + wait) return
    this.#deferredAt = Number.POSITIVE_INFINITY
    this.#scanAnew()
    this.#retriesFrom = EPOCH
    this.#waiting.clear()
  }

  #scanAnew(): void {
    this.#firstsAfter = '0'
    this.#scanned = []
    this.#passed = 0
  }

  /** The longest waiting makes way: where much waits, remembering it saves only that it is passed again. */
  #wait(id: string): void {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < MOST_WAITING) break
      this.#waiting.delete(oldest)
    }
    this.#waiting.add(id)
  }

  #startRescan(): void {
    this.#deferredAt = Math.min(this.#deferredAt, performance.now())
  }

  /** Everything that was read is dropped, and read again. A recovery begins anew. */
  clear(): void {
    for (const kept of [this.#waiting, this.#wanted, this.#reading, this.#running]) kept.clear()
    this.#scanAnew()
    this.#retriesFrom = EPOCH
    if (this.#recovery !== null) this.recover()
  }

  /** The receiver is back after an outage: all that waits goes out. */
  recover(): void {
    this.#recovery = { after: '', end: null }
    this.#isRecoveryRead = false
    this.#mustMakeReplaysDue = true
  }

  stopRecovery(): void {
    this.#recovery = null
    this.#mustMakeReplaysDue = false
  }

  get mustMakeReplaysDue(): boolean {
    return this.#mustMakeReplaysDue
  }

  replaysMadeDue(): void {
    this.#mustMakeReplaysDue = false
  }

  /** The receiver is back after some failures: what waits in these conversations goes out. */
  recoverSome(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#waiting.delete(id)
      this.#wanted.set(id, plan('all'))
    }
  }

  /** Whether a walk is about to begin: until it has, nobody knows what is new. */
  get isBeginning(): boolean {
    return this.#recovery !== null && this.#recovery.end === null
  }

  /** Where the walk goes on; null: nowhere. */
  get recoveryAfter(): string | null {
    return this.#recovery === null || this.#isRecoveryRead ? null : this.#recovery.after
  }

  /** @param end where it would end if it began now */
  recoveryRead(ids: readonly string[], end: RecoveryEnd): void {
    const recovery = this.#recovery
    if (recovery === null) return
    recovery.end ??= end
    for (const id of ids) {
      if (id > recovery.end.conversationId) break
      this.#waiting.delete(id)
      this.#running.delete(id)
      this.#wanted.set(id, plan('all'))
      recovery.after = id
    }
    this.#isRecoveryRead = ids.length === 0 || recovery.after >= recovery.end.conversationId
  }

  /** Whether a recovery has read all. */
  get hasReadAll(): boolean {
    if (this.#recovery === null || !this.#isRecoveryRead || this.#mustMakeReplaysDue) return false
    for (const wishes of [this.#wanted, this.#reading, this.#running]) {
      for (const { early } of wishes.values()) if (early === 'all') return false
    }
    return true
  }

  /** Takes notice of a conversation that must be read by itself. @param ahead what of it would go ahead; null: it waits */
  #defer(id: string, early: EarlySends | null): void {
    this.#startRescan()
    // The walk comes to it.
    const after = this.recoveryAfter
    const isAwaited =
      early === null || (after !== null && id > after && id <= (this.#recovery?.end?.conversationId ?? id))
    if (isAwaited) this.#wait(id)
    else {
      this.#waiting.delete(id)
      this.#wanted.set(id, plan(this.#recovery === null ? early : 'none'))
    }
  }

  /**
   * Takes first attempts as they were read, in their order.
   * @param isMore there may be others behind them
   * @returns those that may go
   */
  scanned(found: readonly FetchedDelivery[], isMore: boolean, early: EarlySends | null): FetchedDelivery[] {
    const free: FetchedDelivery[] = []
    for (const first of found) {
      const { conversationId: id } = first
      if (id === null) free.push(first)
      else if (this.has(id)) continue
      else if (first.isDeferred) this.#defer(id, early)
      else free.push(first)
    }
    this.#passed += found.length
    this.#scanned = [...this.#scanned, ...found.map(({ seq }) => seq)].slice(-OVERLAP)
    // The next claim goes on. At the end, what comes later may have a lower seq than the last of these.
    const isLong = isMore || this.#scanned.length === OVERLAP
    this.#firstsAfter = (isLong ? this.#scanned.at(isMore ? -1 : 0) : undefined) ?? '0'
    return free
  }

  /** Takes notice of retries that are due, the longest waiting first. */
  deferred(retries: readonly FetchedDelivery[], isFull: boolean, early: EarlySends | null): void {
    for (const { conversationId: id } of retries) {
      if (id === null) continue
      const known = this.#wanted.get(id) ?? this.#reading.get(id) ?? this.#running.get(id)
      if (known === undefined) this.#defer(id, early)
      else if (known.after !== '0' || this.#reading.has(id)) known.isAgain = true
    }
    const last = retries.at(-1)?.nextAttemptAt
    if (last == null) return
    // Where all came due at one moment, the next claim must not find the same.
    const isStill = isFull && last <= this.#retriesFrom
    const from = last.getTime() + (isStill ? 1 : isFull ? 0 : -1000)
    if (from > this.#retriesFrom.getTime()) this.#retriesFrom = new Date(from)
    this.#startRescan()
  }

  /** One that was sent ahead of its time waits as before: its time may have come meanwhile, when no claim could find it. */
  waitsAgain({ nextAttemptAt }: PendingDelivery): void {
    if (nextAttemptAt !== null && nextAttemptAt < this.#retriesFrom) this.#retriesFrom = nextAttemptAt
  }

  /** What to read next: so many conversations at most. They are being read from now on. */
  take(count: number): [id: string, plan: ReadPlan][] {
    const taken: [string, ReadPlan][] = []
    for (const entry of this.#wanted) {
      if (taken.length === count) break
      taken.push(entry)
    }
    for (const [id, asked] of taken) {
      this.#wanted.delete(id)
      this.#reading.set(id, asked)
    }
    return taken
  }

  /** It could not be read. */
  untake(taken: readonly (readonly [id: string, plan: ReadPlan])[]): void {
    for (const [id, asked] of taken) {
      if (this.#reading.get(id) !== asked) continue
      this.#reading.delete(id)
      this.#wanted.set(id, asked)
    }
  }

  /**
   * Takes what was read of a conversation.
   * @param last the seq of the last that was read, when there may be more
   * @param isBlocked it goes on when a retry has been recorded
   * @returns false: everything was dropped since
   */
  wasRead(id: string, asked: ReadPlan, { last, isBlocked }: { last: string | null; isBlocked: boolean }): boolean {
    if (this.#reading.get(id) !== asked) return false
    this.#reading.delete(id)
    const { early, isAgain, isRecorded } = asked
    // A walk has come to it meanwhile.
    if (this.#wanted.has(id)) return true
    if (isBlocked && !isRecorded && !isAgain) this.#wait(id)
    else if (isBlocked) this.#wanted.set(id, plan('none'))
    else if (last !== null) this.#running.set(id, { ...asked, after: last, early: early === 'all' ? 'all' : 'none' })
    else if (isAgain) this.#wanted.set(id, plan('none'))
    return true
  }

  /** What was read of it has gone. */
  drained(id: string): void {
    const rest = this.#running.get(id)
    if (rest === undefined) return
    this.#running.delete(id)
    this.#wanted.set(id, rest)
  }

  /**
   * A delivery of it was recorded.
   * @param isDropped what was read behind that was dropped: it is read again
   * @param isProbing it waits for a probe
   */
  recorded(id: string, isDropped: boolean, isProbing: boolean): void {
    if (isDropped) for (const wishes of [this.#reading, this.#running]) wishes.delete(id)
    // What failed ahead of its time is not tried so again at once.
    if (isDropped || this.#waiting.has(id)) this.#defer(id, isProbing ? null : 'none')
    const reading = this.#reading.get(id)
    if (reading !== undefined) reading.isRecorded = true
  }
}

/**
 * Of what waits in a conversation, in its order, that which may go now.
 * @returns also whether what follows waits until a retry has been recorded: ordering is STRICT
 */
export function eligible(
  rows: readonly PendingDelivery[],
  { now, isStrict, early }: { now: Date; isStrict: boolean; early: EarlySends },
): { taken: PendingDelivery[]; isBlocked: boolean } {
  const taken: PendingDelivery[] = []
  for (const [i, row] of rows.entries()) {
    if (row.nextAttemptAt === null || row.nextAttemptAt <= now) taken.push(row)
    else if (early === 'all' || (early === 'first' && i === 0)) taken.push({ ...row, isEarly: true })
    else if (isStrict && row.attempts < STRICT_ATTEMPTS) return { taken, isBlocked: true }
  }
  return { taken, isBlocked: false }
}

/** Whether there may be more first attempts than were read. */
export function mayHaveMoreFirsts(found: readonly FetchedDelivery[], wanted: number): boolean {
  return found.length >= Math.max(MAX_SCANNED, wanted) || found.filter(({ isDeferred }) => !isDeferred).length >= wanted
}
