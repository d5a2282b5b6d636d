import { createHash, timingSafeEqual } from 'node:crypto'
import type Koa from 'koa'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { Counts } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import type { Bus } from '../infra/redis/bus.ts'
import type { RateCounter } from '../infra/redis/rate-counter.ts'
import type { EventLog } from '../live/event-log.ts'

const PATH = '/metrics'
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

type Kind = 'counter' | 'gauge' | 'summary'
/** A sample's name after the metric's, with its labels, and its value. */
type Samples = Readonly<Record<string, number>>

/**
 * `GET /metrics` in Prometheus' text format, for whoever has the token ("Authorization: Bearer …"). Without a token there is
 * no such page.
 * @param dispatcher null when this process does not send
 */
export function serveMetrics(
  token: string | undefined,
  sources: { dispatcher: Dispatcher | null; rates: RateCounter; events: EventLog; bus: Bus; counts: Counts },
): Koa.Middleware {
  return async (ctx, next) => {
    if (token === undefined || ctx.path !== PATH) return next()
    if (!isBearer(ctx.get('authorization'), token)) {
      throw new DomainError('unauthorized', 'Send METRICS_TOKEN as "Authorization: Bearer …"')
    }
    ctx.set('Content-Type', CONTENT_TYPE)
    const { dispatcher, rates, events, bus, counts } = sources
    const own = [...processMetrics(), rateMetric(rates), busMetric(bus), lagMetric(events), ...countMetrics(counts)]
    ctx.body = [...own, ...dispatchMetrics(dispatcher)].join('')
  }
}

/** Compares hashes, which have one length: the time that it takes says nothing. */
function isBearer(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(`Bearer ${token}`))
}

function processMetrics(): string[] {
  const { user, system } = process.cpuUsage()
  return [
    metric('process_cpu_seconds_total', 'counter', 'Processor time used.', { '': (user + system) / 1e6 }),
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', { '': process.memoryUsage.rss() }),
    metric('process_start_time_seconds', 'gauge', 'Start, in Unix time.', { '': performance.timeOrigin / 1000 }),
  ]
}

function rateMetric(rates: RateCounter): string {
  const help = 'Requests that were counted by this node alone, because Redis did not answer.'
  return metric('guddesk_rate_limit_fallbacks_total', 'counter', help, { '': rates.missedByRedis() })
}

function lagMetric(events: EventLog): string {
  const help = 'Wait of the first event that is stored and cannot be shown yet, because a writer before it is not done.'
  return metric('guddesk_event_log_lag_seconds', 'gauge', help, { '': events.lagMs() / 1000 })
}

function busMetric(bus: Bus): string {
  const help = 'Messages in Redis that were ignored, because no node of this deployment signed them just now.'
  return metric('guddesk_bus_messages_refused_total', 'counter', help, { '': bus.refused() })
}

function countMetrics({ loopsRefused, rowsSetAside }: Counts): string[] {
  const loops = 'Messages of bots that were refused, because the bots answered themselves.'
  const rows = 'Rows that the database refuses to change, and that were set aside.'
  return [
    metric('guddesk_loops_refused_total', 'counter', loops, { '': loopsRefused }),
    metric('guddesk_rows_set_aside_total', 'counter', rows, { '': rowsSetAside }),
  ]
}

function dispatchMetrics(dispatcher: Dispatcher | null): string[] {
  if (dispatcher === null) return []
  const now = dispatcher.read()
  const attempts = now.delivered + now.retried + now.failed + now.unspent + now.released
  const took = (ms: number, count: number): Samples => ({ _sum: ms / 1000, _count: count })
  return [
    metric('guddesk_deliveries_claimed_total', 'counter', 'Deliveries read to be sent.', { '': now.claimed }),
    metric('guddesk_delivery_attempts_total', 'counter', 'Attempts that ended, by what came of them.', {
      '{outcome="delivered"}': now.delivered,
      '{outcome="retry"}': now.retried,
      '{outcome="failed"}': now.failed,
      '{outcome="unspent"}': now.unspent,
      '{outcome="not_sent"}': now.released,
    }),
    metric('guddesk_delivery_attempt_seconds', 'summary', 'Duration of attempts.', took(now.attemptMs, attempts)),
    metric('guddesk_dispatch_claim_seconds', 'summary', 'Duration of claims.', took(now.claimMs, now.claims)),
    metric(
      'guddesk_dispatch_settle_seconds',
      'summary',
      'Duration of recording results.',
      took(now.settleMs, now.settlements),
    ),
    metric('guddesk_breaker_changes_total', 'counter', 'Breakers that opened and closed.', {
      '{state="open"}': now.breakersOpened,
      '{state="closed"}': now.breakersClosed,
    }),
    metric('guddesk_breakers_open', 'gauge', 'Endpoints of this process whose breaker is open.', {
      '': now.openBreakers,
    }),
    metric('guddesk_dispatch_endpoints', 'gauge', 'Endpoints that this process sends to.', { '': now.endpoints }),
    metric('guddesk_deliveries_held', 'gauge', 'Deliveries in memory.', { '': now.held }),
    metric('guddesk_deliveries_in_flight', 'gauge', 'Requests in flight.', { '': now.inFlight }),
    metric('guddesk_dispatch_share', 'gauge', 'Share of the capacity that the API leaves to sending.', {
      '': now.share,
    }),
  ]
}

function metric(name: string, kind: Kind, help: string, samples: Samples): string {
  const lines = Object.entries(samples).map(([rest, value]) => `${name}${rest} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`
}
