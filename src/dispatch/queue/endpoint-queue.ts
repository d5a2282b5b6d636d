import type { PendingDelivery } from '../delivery.ts'
import type { CircuitBreaker } from '../policy/circuit-breaker.ts'
import type { Health } from '../store/endpoint-health.ts'
import type { EndpointRow } from '../store/endpoints.ts'
import { EndpointState } from './endpoint-state.ts'
import { FailureStreak } from './failure-streak.ts'
import type { Schedulable } from './fair-scheduler.ts'
import { FetchPlan } from './fetch-plan.ts'
import { InFlight } from './in-flight.ts'
import { ConversationRetries } from './order/conversation-retries.ts'
import { DeliveryOrder, type Kind, type PrefetchCount } from './order/delivery-order.ts'
import { RecoveryLimit } from './order/recovery-limit.ts'
import { ProbePlan } from './probe-plan.ts'
import { Prober } from './prober.ts'
import type { QueueParts } from './queue-parts.ts'

/**
 * The prefetched deliveries of one endpoint that belongs to this process, in the order in which they may be sent.
 *
 * - Of what is due, deliveries of one conversation go one after the other, in the order of their events; a failed one moves
 *   to retry.
 * - While the circuit breaker is open, only probes are sent. When the receiver is back, everything pending is sent, whenever
 *   it is due, conversation by conversation.
 * - Requests in flight are limited by the endpoint's row, and below that by a concurrency window.
 * - Replays get at most half of that, and only while nothing live waits.
 *
 * Everything that is not in flight may be dropped at any time: nothing is written before a request has ended.
 */
export class EndpointQueue implements Schedulable {
  /** What to read next. */
  readonly fetch: FetchPlan
  /** What to try the receiver with. */
  readonly probe: ProbePlan
  readonly #parts: QueueParts
  #isRetrysTurn = false

  /** @param prefetchCount shared by all endpoints; includes this one's deliveries until it is removed */
  constructor(row: EndpointRow, prefetchCount: PrefetchCount) {
    this.#parts = {
      state: new EndpointState(row),
      order: new DeliveryOrder(prefetchCount),
      retries: new ConversationRetries(),
      inFlight: new InFlight(),
      failures: new FailureStreak(),
      recovery: new RecoveryLimit(),
      prober: new Prober(),
    }
    this.fetch = new FetchPlan(this.#parts)
    this.probe = new ProbePlan(this.#parts, () => this.fetch.restart())
    if (row.isRecovering) this.#parts.retries.startRecovery()
  }

  get id(): string {
    return this.row.id
  }

  get workspaceId(): string {
    return this.row.workspaceId
  }

  get row(): EndpointRow {
    return this.#parts.state.row
  }

  get breaker(): CircuitBreaker {
    return this.#parts.state.breaker
  }

  /** The row has changed in the database: it is read again before anything else. */
  get isStale(): boolean {
    return this.#parts.state.isStale
  }

  /** It belongs to another process now, or will: it is given back when nothing is prefetched. */
  get isLeaving(): boolean {
    return this.#parts.state.isLeaving
  }

  get prefetchedCount(): number {
    return this.#parts.order.size
  }

  get inFlightCount(): number {
    return this.#parts.inFlight.size
  }

  get isSlow(): boolean {
    return this.#parts.inFlight.isSlow
  }

  /** Whether everything pending is sent, whenever it is due. */
  get isRecovering(): boolean {
    return this.#parts.retries.isRecovering
  }

  /** When the last requested probe that has ended was requested. */
  get probedAt(): Date | null {
    return this.#parts.prober.probedAt
  }

  /** Whether the row does not say yet that a recovery or a requested probe has begun or ended. */
  get isUnwritten(): boolean {
    const { isRecovering, isProbeRequested } = this.row
    return isRecovering !== this.isRecovering || (isProbeRequested && !this.#parts.prober.isRequested(this.row))
  }

  /** Whether nothing is prefetched, and nothing was since `time` (performance.now()). */
  isUnusedSince(time: number): boolean {
    return this.prefetchedCount === 0 && this.#parts.state.isUnusedSince(time)
  }

  needsFetch(now: Date): boolean {
    return this.fetch.isNeeded || this.probe.isNeeded(now)
  }

  /** Deliveries may be due that were not before. A disabled endpoint may have been enabled. */
  wake(): void {
    if (!this.row.isEnabled) this.markStale()
    this.#parts.prober.wake()
    this.fetch.wake()
  }

  /** A poll found work here. @param requestedAt when a probe was requested: perhaps no wake-up told of it */
  polled(requestedAt: Date | null): void {
    this.fetch.wakeForTests()
    if (requestedAt !== null && requestedAt.getTime() !== this.row.probeRequestedAt?.getTime()) this.markStale()
  }

  markStale(): void {
    this.#parts.state.markStale()
  }

  /** Takes the row as it was read. */
  refresh(row: EndpointRow): void {
    const isResumed = this.#parts.state.refresh(row)
    if (isResumed) this.wake()
    if (!row.isEnabled) this.drop()
    this.#parts.prober.wake()
  }

  healthWritten(health: Health): void {
    this.#parts.state.healthWritten(health)
  }

  /** Sends nothing more, before the row says so. */
  disable(): void {
    this.#parts.state.disable()
    this.drop()
  }

  /** It will belong to another process: nothing more is read or sent. What is in flight ends by itself. */
  release(): void {
    this.#parts.state.release()
    this.drop()
  }

  /** It does not belong to this process any more. */
  removed(): void {
    this.release()
    this.#parts.order.stopCounting()
  }

  /** Drops everything that is not in flight and not being recorded. It is read again. */
  drop(): void {
    const { order, inFlight, prober } = this.#parts
    order.dropWaiting(inFlight.seqs(), this.isLeaving)
    prober.drop((seq) => inFlight.has(seq))
    this.fetch.restart()
  }

  #nextKind(): Kind | null {
    const { state, order, inFlight } = this.#parts
    // A receiver that takes one request at a time gets one connection, for tests too.
    const isSerial = state.row.maxInFlight === 1
    if (order.readyCount('tests') > 0 && !(isSerial && inFlight.size > 0)) return 'tests'
    const busy = isSerial ? inFlight.size : inFlight.sizeWithoutTests
    if (order.readyCount('probes') > 0 && !state.isStopped && busy < state.row.maxInFlight) return 'probes'
    const limit = state.concurrencyLimit
    if (busy >= limit) return null
    const isRetryReady = order.readyCount('retries') > 0
    if (order.readyCount('firstAttempts') > 0 && !(isRetryReady && this.#isRetrysTurn)) return 'firstAttempts'
    if (isRetryReady) return 'retries'
    const isReplaysTurn = order.readyCount('replays') > 0 && inFlight.replayCount < Math.max(1, limit >> 1)
    return isReplaysTurn ? 'replays' : null
  }

  canSend(): boolean {
    return this.#nextKind() !== null
  }

  /** Takes out the delivery to send next. It is in flight from now on. */
  take(): PendingDelivery | undefined {
    const { order, inFlight, retries } = this.#parts
    const kind = this.#nextKind()
    const delivery = kind === null ? undefined : order.take(kind)
    if (kind === null || delivery === undefined) return undefined
    inFlight.start(delivery, kind)
    if (kind === 'firstAttempts' || kind === 'retries') this.#isRetrysTurn = kind === 'firstAttempts'
    const { conversationId } = delivery
    if (conversationId !== null && order.isDrained(conversationId)) retries.drained(conversationId)
    return delivery
  }

  /** A delivery is in flight no more. @param isRetried there will be another attempt */
  finish(delivery: PendingDelivery, { isRetried }: { isRetried: boolean }): void {
    this.#parts.inFlight.finish(delivery)
    this.#parts.order.finish(delivery, isRetried && this.row.isStrict)
  }

  /** The result of a delivery is written, or never will be: it may be read again. */
  recorded(delivery: PendingDelivery): void {
    const { state, order, retries, prober } = this.#parts
    const isDropped = order.recorded(delivery)
    if (prober.current !== null && !order.has(prober.current)) prober.drop(() => false)
    if (delivery.isEarly === true) retries.earlySendEnded(delivery)
    const { conversationId, isTest, priority } = delivery
    if (conversationId !== null && !isTest && priority === 'live') {
      retries.recorded(conversationId, isDropped, prober.isAwaited(state.row))
    }
    prober.wake()
    this.fetch.endRecoveryIfDone()
  }

  /** A delivery could not be sent, by this process's own fault. @param pauseMs how long nothing is sent */
  sendFailed(delivery: PendingDelivery, pauseMs: number): void {
    this.#parts.state.pauseForFault(pauseMs)
    this.finish(delivery, { isRetried: false })
    this.#parts.order.recorded(delivery)
    this.drop()
  }

  /** The jitter of a failed delivery's next attempt. @param random a number in [0, 1) */
  jitter(delivery: PendingDelivery, random: number): number {
    return this.#parts.failures.jitter(delivery, random)
  }

  /** The receiver responded. @returns whether the circuit breaker has changed */
  succeeded(delivery: PendingDelivery, isDelivered: boolean, now: Date): boolean {
    const { state, failures, recovery, retries, prober } = this.#parts
    state.window.grow(state.row.maxInFlight)
    const suspects = failures.isSuspect ? failures.conversations : null
    failures.reset()
    recovery.succeeded()
    const probe = prober.kindOf(delivery)
    if (probe !== null) this.probe.finish(isDelivered, now)
    const hasClosed = state.breaker.succeeded(now)
    if (hasClosed || (probe === 'requested' && isDelivered) || recovery.mayResume(now)) {
      recovery.clear()
      retries.startRecovery()
      this.drop()
    } else if (suspects !== null) {
      // A recovery would start again.
      if (!this.isRecovering) this.drop()
      retries.recoverSome(suspects)
    }
    return hasClosed
  }

  /** The receiver is away or overloaded. @param random a number in [0, 1) @returns whether the circuit breaker has changed */
  overloaded(delivery: PendingDelivery, now: Date, random: number): boolean {
    const { state, failures, recovery, prober } = this.#parts
    state.window.shrink()
    const probe = prober.kindOf(delivery)
    const isEarly = delivery.isEarly === true
    if (probe === null && isEarly && (this.isRecovering || recovery.isSuspended)) {
      if (this.isRecovering && recovery.failed(now)) this.#stopRecovery()
      return false
    }
    if (!isEarly) failures.failed(delivery)
    if (probe !== null) recovery.probeFailed(now)
    const { breaker } = state
    const wasOpen = breaker.isOpen
    const hasChanged = breaker.failed(now, random, probe === 'requested')
    if (probe !== null) this.probe.finish(false, now)
    if (breaker.isOpen && !wasOpen) {
      failures.reset()
      this.#stopRecovery()
    }
    return hasChanged
  }

  #stopRecovery(): void {
    this.#parts.retries.stopRecovery()
    this.drop()
  }
}
