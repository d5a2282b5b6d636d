import type { FetchedDelivery } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'
import {
  COLUMNS,
  DELIVERY_COLUMNS,
  HOLD_BACK_CODE,
  type HoldBack,
  IS_ENABLED,
  isHeldBack,
  VERSION,
} from './delivery-sql.ts'

/** What to read for one endpoint: at most this many of each kind, and nothing that is prefetched already. */
export interface FetchRequest {
  readonly endpointId: string
  /** First attempts, in the order of their events. */
  readonly firstAttempts: number
  /** First attempts after this seq only: among those before, nothing is new. */
  readonly firstAttemptsAfter: string
  readonly holdBack: HoldBack
  /** Retries that are due, the longest waiting first. They come deferred. */
  readonly retries: number
  /** Retries that were due at this time or later only. */
  readonly retriesFrom: Date
  /** Bulk replays: first attempts, and as many retries. */
  readonly replays: number
  /** The seqs of what is prefetched. */
  readonly prefetched: readonly string[]
}

/** First attempts that one statement reads, when some of them may be held back. */
export const MAX_SCANNED = 200

/**
 * Reads what is next for endpoints that belong to this process: one index scan for each kind, as long as what is requested
 * and what is prefetched, however long the backlog.
 *
 * - First attempts come in `seq` order, and events of one conversation commit in that order. So nothing that is read has
 *   an earlier first attempt in its conversation that is neither prefetched nor read with it.
 * - First attempts that are held back by a retry of their conversation come deferred. The next request continues after them,
 *   so that each is passed once.
 * - Disabled endpoints and agents keep what is pending; only tests are read.
 */
export function fetchDue(
  connection: DbConnection,
  requests: readonly FetchRequest[],
  now: Date,
): Promise<FetchedDelivery[]> {
  return connection.run<FetchedDelivery>(FETCH_DUE, [
    requests.map(({ endpointId }) => endpointId),
    requests.map(({ firstAttempts }) => firstAttempts),
    requests.map(({ retries }) => retries),
    requests.map(({ replays }) => replays),
    requests.map(({ prefetched }) => `{${prefetched.join()}}`),
    now,
    requests.map(({ firstAttemptsAfter }) => firstAttemptsAfter),
    requests.map(({ retriesFrom }) => retriesFrom),
    requests.map(({ holdBack }) => HOLD_BACK_CODE[holdBack]),
  ])
}

const NOT_PREFETCHED = 'd.due IS NOT NULL AND d.seq >= e.sends_from_seq AND d.seq <> ALL(q.prefetched::bigint[])'
const FIRST_ATTEMPT = `${NOT_PREFETCHED} AND NOT d.is_test AND d.attempts = 0`
const RETRY = `${NOT_PREFETCHED} AND NOT d.is_test AND d.attempts > 0 AND d.due <= $6::timestamptz`

const FETCH_DUE: Statement = {
  name: 'dispatcher_fetch_due',
  text: `SELECT d.id, q.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, d.is_deferred AS "isDeferred",
       COALESCE(event.type, '') AS type, COALESCE(event.body, '') AS body, ${VERSION}
  FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::text[], $7::bigint[], $8::timestamptz[], $9::int[])
         AS q(endpoint_id, first_attempts, retries, replays, prefetched, first_attempts_after, retries_from, hold_back)
  JOIN webhook_endpoints e ON e.id = q.endpoint_id
  LEFT JOIN agents a ON a.id = e.agent_id
 CROSS JOIN LATERAL (
   SELECT q.first_attempts > 0 AND (q.hold_back > 0 OR e.ordering = 'STRICT' OR COALESCE((
     SELECT d.due FROM deliveries d
      WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND d.due IS NOT NULL AND d.attempts > 0 AND NOT d.is_test
      ORDER BY d.due LIMIT 1) <= $6::timestamptz, false)) AS may_be_held_back
 ) h
 CROSS JOIN LATERAL (
   (SELECT id, seq, conversation_id, attempts, due, lane, is_test, event_id, created_at, is_held_back AS is_deferred FROM (
     SELECT f.*, count(*) FILTER (WHERE NOT f.is_held_back) OVER (ORDER BY f.seq) AS n FROM (
       SELECT ${COLUMNS}, h.may_be_held_back AND ${isHeldBack('$6', 'q.hold_back')} AS is_held_back FROM deliveries d
        WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${FIRST_ATTEMPT} AND d.seq > q.first_attempts_after
        ORDER BY d.seq LIMIT CASE WHEN h.may_be_held_back THEN GREATEST(q.first_attempts, ${MAX_SCANNED}) ELSE q.first_attempts END) f) f
     WHERE f.n <= q.first_attempts)
   UNION ALL
   (SELECT ${COLUMNS}, d.conversation_id IS NOT NULL FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${RETRY} AND d.due >= q.retries_from
     ORDER BY d.due LIMIT q.retries)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${FIRST_ATTEMPT}
     ORDER BY d.seq LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${RETRY}
     ORDER BY d.due LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.is_test AND ${NOT_PREFETCHED}
     ORDER BY d.due LIMIT 1000)
 ) d
  LEFT JOIN events event ON event.id = d.event_id AND NOT d.is_deferred
 WHERE d.is_test OR (${IS_ENABLED})`,
}
