import type { Counts } from './domain/shared/deps.ts'
import type { Database } from './infra/database/db.ts'
import type { Histogram, Metrics } from './infra/metrics.ts'
import type { Bus } from './infra/redis/bus.ts'
import type { RateCounter } from './infra/redis/rate-counter.ts'
import type { EventLog } from './live/event-log.ts'

/** Registers what a server counts and knows apart from its dispatcher. */
export function registerServerMetrics(
  metrics: Metrics,
  { rates, bus, events, counts, db }: { rates: RateCounter; bus: Bus; events: EventLog; counts: Counts; db: Database },
): void {
  metrics.counterOf(
    'guddesk_rate_limit_fallbacks_total',
    'Requests counted by this node alone, because Redis did not answer.',
    () => rates.missedByRedis(),
  )
  metrics.counterOf(
    'guddesk_bus_messages_refused_total',
    'Redis messages ignored, because no node of this deployment had signed them in the last 30 seconds.',
    () => bus.refused(),
  )
  metrics.gaugeOf(
    'guddesk_event_log_lag_seconds',
    'Age of the first stored event that cannot be shown yet, because an earlier writer has not finished.',
    () => events.lagMs() / 1000,
  )
  metrics.counterOf('guddesk_loops_refused_total', 'Bot messages refused by the loop guard.', () => counts.loopsRefused)
  metrics.counterOf(
    'guddesk_rows_set_aside_total',
    'Rows that the database refused to change and that were set aside.',
    () => counts.rowsSetAside,
  )
  metrics.gaugeOf('guddesk_database_connections', 'Open database connections.', () => db.pool.totalCount)
  metrics.gaugeOf(
    'guddesk_database_waiting',
    'Requests that wait for a database connection.',
    () => db.pool.waitingCount,
  )
}

/** Durations of HTTP requests, by surface (`rest`, `graphql`, `other`) and status class (`2xx`). */
export function requestDuration(metrics: Metrics): Histogram<'surface' | 'status'> {
  return metrics.duration('guddesk_http_request_seconds', 'Duration of HTTP requests, to the answer.', [
    'surface',
    'status',
  ])
}
