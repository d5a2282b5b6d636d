import type { Counter, Histogram, Metrics } from '../infra/metrics.ts'

/** The current state of a dispatcher. */
export interface DispatcherStatus {
  /** Its endpoints, and those with an open circuit breaker. */
  readonly endpoints: number
  readonly openBreakers: number
  /** Prefetched deliveries; requests in flight. */
  readonly prefetched: number
  readonly inFlight: number
  /** The share of its usual capacity that backpressure allows: from 1/64 to 1. */
  readonly throttleRatio: number
}

/** The result of an attempt; `unspent`: an early request failed; `not_sent`: an internal fault. */
export type AttemptOutcome = 'delivered' | 'retry' | 'failed' | 'unspent' | 'not_sent'

/** The counters and timers of a dispatcher. */
export interface DispatchMetrics {
  readonly fetched: Counter
  readonly fetchDuration: Histogram
  readonly recordDuration: Histogram
  readonly attempts: Readonly<Record<AttemptOutcome, Counter.Internal>>
  readonly attemptDuration: Histogram
  readonly deliveryWait: Histogram
  readonly deliveryAge: Histogram
  readonly breakersOpened: Counter.Internal
  readonly breakersClosed: Counter.Internal
}

/**
 * Registers the counters of a dispatcher. Each label value starts at 0, so that rates are right from the first scrape.
 */
export function dispatchMetrics(metrics: Metrics): DispatchMetrics {
  const attempts = metrics.counter('guddesk_delivery_attempts_total', 'Delivery attempts by outcome.', ['outcome'])
  const breakerChanges = metrics.counter('guddesk_breaker_changes_total', 'Circuit breakers opened and closed.', [
    'state',
  ])
  const of = (outcome: AttemptOutcome) => fromZero(attempts.labels({ outcome }))
  return {
    attempts: {
      delivered: of('delivered'),
      retry: of('retry'),
      failed: of('failed'),
      unspent: of('unspent'),
      not_sent: of('not_sent'),
    },
    breakersOpened: fromZero(breakerChanges.labels({ state: 'open' })),
    breakersClosed: fromZero(breakerChanges.labels({ state: 'closed' })),
    fetched: metrics.counter('guddesk_deliveries_claimed_total', 'Deliveries read from the database for sending.'),
    fetchDuration: metrics.duration(
      'guddesk_dispatch_claim_seconds',
      'Duration of reads of due deliveries, in seconds.',
    ),
    recordDuration: metrics.duration(
      'guddesk_dispatch_settle_seconds',
      'Duration of writes of attempt results, in seconds.',
    ),
    attemptDuration: metrics.duration('guddesk_delivery_attempt_seconds', 'Duration of delivery attempts, in seconds.'),
    deliveryWait: metrics.wait(
      'guddesk_delivery_wait_seconds',
      'Time from when an attempt of a live delivery was due to when it started.',
    ),
    deliveryAge: metrics.wait(
      'guddesk_event_delivered_seconds',
      'Time from an event to its successful delivery, retries included, replays excluded.',
    ),
  }
}

function fromZero(counter: Counter.Internal): Counter.Internal {
  counter.inc(0)
  return counter
}

/** Registers the state of a dispatcher. @param status each property is read once per scrape */
export function registerStatus(metrics: Metrics, status: DispatcherStatus): void {
  metrics.gaugeOf(
    'guddesk_breakers_open',
    'Endpoints of this process whose circuit breaker is open.',
    () => status.openBreakers,
  )
  metrics.gaugeOf('guddesk_dispatch_endpoints', 'Endpoints that this process sends to.', () => status.endpoints)
  metrics.gaugeOf('guddesk_deliveries_held', 'Deliveries held in memory.', () => status.prefetched)
  metrics.gaugeOf('guddesk_deliveries_in_flight', 'Webhook requests in flight.', () => status.inFlight)
  metrics.gaugeOf(
    'guddesk_dispatch_share',
    'Fraction of the normal sending capacity that backpressure allows, 0 to 1.',
    () => status.throttleRatio,
  )
}
