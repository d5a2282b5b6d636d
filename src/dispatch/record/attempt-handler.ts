import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log.ts'
import type { AttemptRecord, Decision, HttpResult, PendingDelivery, TimedResult } from '../delivery.ts'
import type { AttemptOutcome, DispatchMetrics } from '../metrics.ts'
import { decide, decideEarlySend, decideTest, isOverloadSignal, redirectHint } from '../policy/outcome.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { EndpointQueues } from '../queue/endpoint-queues.ts'
import type { AttemptWriter } from './attempt-writer.ts'
import type { HealthWriter } from './health-writer.ts'

export interface AttemptHandlerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly queues: EndpointQueues
  readonly attemptWriter: AttemptWriter
  readonly health: HealthWriter
  readonly metrics: DispatchMetrics
}

const FAULT_PAUSE_MS = 5000
const COUNTED: Record<Decision['next'], AttemptOutcome> = {
  delivered: 'delivered',
  retry: 'retry',
  failed: 'failed',
  gone: 'failed',
  release: 'not_sent',
  unspent: 'unspent',
}

/** Decides the consequences of a finished attempt: for its delivery, which is recorded, and for its endpoint. */
export class AttemptHandler {
  readonly #deps: AttemptHandlerDeps

  constructor(deps: AttemptHandlerDeps) {
    this.#deps = deps
  }

  handle(queue: EndpointQueue, delivery: PendingDelivery, { httpResult, startedAt, durationMs }: TimedResult): void {
    const { clock, log, queues, metrics } = this.#deps
    const now = clock.now()
    const number = delivery.attempts + 1
    const decision = decideOn(delivery, httpResult, now, () => queue.jitter(delivery, clock.random()))
    const { id: deliveryId, endpointId, type } = delivery
    const answered = httpResult.kind === 'answered'
    const level = decision.next === 'delivered' ? 'debug' : 'info'
    if (log.isLevelEnabled(level)) {
      const what = answered ? { statusCode: httpResult.statusCode } : { error: httpResult.error }
      log[level]({ deliveryId, endpointId, type, attempt: number, durationMs, ...what, next: decision.next }, 'attempt')
    }
    metrics.attempts[COUNTED[decision.next]].inc()
    metrics.attemptDuration.observe(durationMs / 1000)
    if (delivery.priority === 'live' && !delivery.isTest) this.#observeWait(delivery, startedAt, decision)
    if (decision.next === 'release') {
      queue.sendFailed(delivery, FAULT_PAUSE_MS)
    } else {
      if (decision.next === 'gone') queue.disable()
      queue.finish(delivery, { isRetried: decision.next === 'retry' || decision.next === 'unspent' })
      if (!delivery.isTest)
        this.#updateEndpoint(queue, delivery, { httpResult, isDelivered: decision.next === 'delivered' }, now)
      const record: AttemptRecord = {
        id: deliveryId,
        number,
        startedAt,
        durationMs,
        statusCode: answered ? httpResult.statusCode : null,
        response: answered ? httpResult.response : null,
        error: answered ? redirectHint(httpResult) : httpResult.error,
        isResent: 'isResent' in httpResult && httpResult.isResent === true,
        ...stateAfter(decision, delivery),
      }
      if (decision.next === 'unspent') {
        this.#deps.health.attempted(queue, record)
        queue.recorded(delivery)
      } else if (queues.has(queue) || queue.isLeaving) {
        this.#deps.attemptWriter.push({ queue, delivery, record, isGone: decision.next === 'gone' })
      }
    }
    queues.reschedule(queue, now)
  }

  #observeWait(delivery: PendingDelivery, startedAt: Date, { next }: Decision): void {
    const { clock, metrics } = this.#deps
    const seconds = (from: Date, to: Date) => Math.max(0, to.getTime() - from.getTime()) / 1000
    if (delivery.isEarly !== true) {
      metrics.deliveryWait.observe(seconds(delivery.nextAttemptAt ?? delivery.createdAt, startedAt))
    }
    if (next === 'delivered') metrics.deliveryAge.observe(seconds(delivery.createdAt, clock.now()))
  }

  /** Updates concurrency window, circuit breaker and recovery, which control further sending. */
  #updateEndpoint(
    queue: EndpointQueue,
    delivery: PendingDelivery,
    { httpResult, isDelivered }: { httpResult: HttpResult; isDelivered: boolean },
    now: Date,
  ): void {
    const { clock, metrics, health, log, queues } = this.#deps
    const wasOpen = queue.breaker.isOpen
    const changed = isOverloadSignal(httpResult)
      ? queue.overloaded(delivery, now, clock.random())
      : queue.succeeded(delivery, isDelivered, now)
    if (changed || queue.isUnwritten) health.changed(queue)
    if (!changed) return
    const { isOpen } = queue.breaker
    if (isOpen && !wasOpen) metrics.breakersOpened.inc()
    if (!isOpen) metrics.breakersClosed.inc()
    const { probeAt } = queue.breaker.row
    const change = isOpen ? (wasOpen ? 'still open' : 'opened') : 'closed'
    log.warn({ endpointId: queue.id, nextProbeAt: probeAt }, `circuit breaker ${change}`)
    if (probeAt !== null) {
      const wait = Math.max(0, probeAt.getTime() - now.getTime())
      setTimeout(() => queues.reschedule(queue, clock.now()), wait).unref()
    }
  }
}

function decideOn(delivery: PendingDelivery, httpResult: HttpResult, now: Date, jitter: () => number): Decision {
  if (delivery.isTest) return decideTest(httpResult, now)
  if (delivery.isEarly === true) return decideEarlySend(httpResult, now)
  return decide(httpResult, delivery.attempts + 1, now, jitter)
}

function stateAfter(
  decision: Exclude<Decision, { next: 'release' }>,
  { nextAttemptAt }: PendingDelivery,
): Pick<AttemptRecord, 'status' | 'nextAttemptAt'> {
  if (decision.next === 'delivered') return { status: 'DELIVERED', nextAttemptAt: null }
  if (decision.next === 'unspent') return { status: 'PENDING', nextAttemptAt }
  return decision.next === 'retry'
    ? { status: 'PENDING', nextAttemptAt: decision.at }
    : { status: 'FAILED', nextAttemptAt: null }
}
