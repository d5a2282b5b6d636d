import type { Counts } from './domain/shared/deps.ts'
import type { Database } from './infra/database/db.ts'
import type { Histogram, Metrics } from './infra/metrics.ts'
import type { Bus } from './infra/redis/bus.ts'
import type { RateCounter } from './infra/redis/rate-counter.ts'
import type { EventLog } from './live/event-log.ts'

/** Registers the metrics of a server, without those of its dispatcher. */
export function registerServerMetrics(
  metrics: Metrics,
  { rates, bus, events, counts, db }: { rates: RateCounter; bus: Bus; events: EventLog; counts: Counts; db: Database },
): void {
  metrics.counterOf(
    'guddesk_rate_limit_fallbacks_total',
    'Requests counted by this node only, because Redis did not respond.',
    () => rates.missedByRedis(),
  )
  metrics.counterOf(
    'guddesk_bus_messages_refused_total',
    'Redis messages ignored because they lacked a valid signature from the last 30 seconds.',
    () => bus.refused(),
  )
  metrics.gaugeOf(
    'guddesk_bus_connected',
    'Whether this node reaches the others through Redis: 1 or 0. Always 1 without Redis.',
    () => (bus.isConnected() ? 1 : 0),
  )
  metrics.gaugeOf(
    'guddesk_event_log_lag_seconds',
    'Age of the oldest stored event that is not readable yet because an earlier transaction has not finished.',
    () => events.lagMs() / 1000,
  )
  metrics.counterOf('guddesk_loops_refused_total', 'Bot messages refused by the loop guard.', () => counts.loopsRefused)
  metrics.counterOf(
    'guddesk_rows_set_aside_total',
    'Rows skipped because the database refused to change them.',
    () => counts.rowsSetAside,
  )
  metrics.gaugeOf('guddesk_database_connections', 'Open database connections.', () => db.pool.totalCount)
  metrics.gaugeOf('guddesk_database_waiting', 'Requests waiting for a database connection.', () => db.pool.waitingCount)
}

/** Durations of HTTP requests, by surface (`rest`, `graphql`, `other`) and status class (`2xx`). */
export function requestDuration(metrics: Metrics): Histogram<'surface' | 'status'> {
  return metrics.duration('guddesk_http_request_seconds', 'Duration of HTTP requests until the response, in seconds.', [
    'surface',
    'status',
  ])
}
