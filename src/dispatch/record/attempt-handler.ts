import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log.ts'
import type { AttemptOutcome, DispatchMetrics } from '../metrics.ts'
import { decide, decideEarly, decideTest, isStrain, type Outcome, redirected } from '../policy/outcome.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { Queues } from '../queue/endpoint-queues.ts'
import type { Sent } from '../send/sender.ts'
import type { Claimed } from '../store/fetch-due.ts'
import type { Result } from '../store/record-attempts.ts'
import type { Recorder } from './attempt-writer.ts'
import type { HealthRecorder } from './health-writer.ts'

export interface AttemptsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly queues: Queues
  readonly recorder: Recorder
  readonly health: HealthRecorder
  readonly metrics: DispatchMetrics
}

const FAULT_PAUSE_MS = 5000
const COUNTED: Record<Outcome['next'], AttemptOutcome> = {
  delivered: 'delivered',
  retry: 'retry',
  failed: 'failed',
  gone: 'failed',
  release: 'not_sent',
  unspent: 'unspent',
}

/** Decides what an attempt that has ended means: for its delivery, which is recorded, and for its endpoint. */
export class Attempts {
  readonly #deps: AttemptsDeps

  constructor(deps: AttemptsDeps) {
    this.#deps = deps
  }

  ended(queue: EndpointQueue, claimed: Claimed, { exchange, startedAt, durationMs }: Sent): void {
    const { clock, log, queues, metrics } = this.#deps
    const now = clock.now()
    const number = claimed.attempts + 1
    const outcome = decideOn(claimed, exchange, now, () => queue.chance(claimed, clock.random()))
    const { id: deliveryId, endpointId, type } = claimed
    const answered = exchange.kind === 'answered'
    const level = outcome.next === 'delivered' ? 'debug' : 'info'
    if (log.isLevelEnabled(level)) {
      const what = answered ? { statusCode: exchange.statusCode } : { error: exchange.error }
      log[level]({ deliveryId, endpointId, type, attempt: number, durationMs, ...what, next: outcome.next }, 'attempt')
    }
    metrics.attempts[COUNTED[outcome.next]].inc()
    metrics.attemptDuration.observe(durationMs / 1000)
    if (outcome.next === 'release') {
      queue.faultUntil = performance.now() + FAULT_PAUSE_MS
      queue.unsent(claimed)
    } else {
      if (outcome.next === 'gone') queue.disable()
      queue.ended(claimed, { isRetried: outcome.next === 'retry' || outcome.next === 'unspent' })
      if (!claimed.isTest) this.#judge(queue, claimed, { exchange, isDelivered: outcome.next === 'delivered' }, now)
      const result: Result = {
        id: deliveryId,
        number,
        startedAt,
        durationMs,
        statusCode: answered ? exchange.statusCode : null,
        response: answered ? exchange.response : null,
        error: answered ? redirected(exchange) : exchange.error,
        isResent: 'isResent' in exchange && exchange.isResent === true,
        ...stateAfter(outcome, claimed),
      }
      if (outcome.next === 'unspent') {
        this.#deps.health.note(queue, result)
        queue.forget(claimed)
      } else if (queues.has(queue) || queue.isLeaving) {
        this.#deps.recorder.push({ queue, claimed, result, isGone: outcome.next === 'gone' })
      }
    }
    queues.consider(queue, now)
  }

  /** Allowance, breaker and recovery: how much goes there from now on. */
  #judge(
    queue: EndpointQueue,
    claimed: Claimed,
    { exchange, isDelivered }: { exchange: Sent['exchange']; isDelivered: boolean },
    now: Date,
  ): void {
    const { clock, metrics, health, log, queues } = this.#deps
    const wasOpen = queue.breaker.isOpen
    const changed = isStrain(exchange)
      ? queue.strained(claimed, now, clock.random())
      : queue.succeeded(claimed, isDelivered, now)
    if (changed || queue.isUnwritten) health.changed(queue)
    if (!changed) return
    const { isOpen } = queue.breaker
    if (isOpen && !wasOpen) metrics.breakersOpened.inc()
    if (!isOpen) metrics.breakersClosed.inc()
    const { probeAt } = queue.breaker.row
    log.warn({ endpointId: queue.id, isOpen, probeAt }, 'breaker')
    if (probeAt !== null) {
      const wait = Math.max(0, probeAt.getTime() - now.getTime())
      setTimeout(() => queues.consider(queue, clock.now()), wait).unref()
    }
  }
}

/** @param chance a number in [0, 1) */
function decideOn(claimed: Claimed, exchange: Sent['exchange'], now: Date, chance: () => number): Outcome {
  if (claimed.isTest) return decideTest(exchange, now)
  if (claimed.isEarly === true) return decideEarly(exchange, now)
  return decide(exchange, claimed.attempts + 1, now, chance())
}

function stateAfter(outcome: Exclude<Outcome, { next: 'release' }>, { due }: Claimed): Pick<Result, 'status' | 'due'> {
  if (outcome.next === 'delivered') return { status: 'DELIVERED', due: null }
  if (outcome.next === 'unspent') return { status: 'PENDING', due }
  return outcome.next === 'retry' ? { status: 'PENDING', due: outcome.at } : { status: 'FAILED', due: null }
}
