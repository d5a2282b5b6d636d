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

/** The deliveries to read for one endpoint: at most these numbers of each kind, without prefetched ones. */
export interface FetchRequest {
  readonly endpointId: string
  /** First attempts, in the order of their events. */
  readonly firstAttempts: number
  /** Only first attempts after this seq: earlier ones are known. */
  readonly firstAttemptsAfter: string
  readonly holdBack: HoldBack
  /** Due retries, the longest waiting first. They are deferred. */
  readonly retries: number
  /** Only retries that were due at this time or later. */
  readonly retriesFrom: Date
  /** Bulk replays: first attempts, and as many retries. */
  readonly replays: number
  /** The seqs of prefetched deliveries. */
  readonly prefetched: readonly string[]
}

/** The maximum number of first attempts that one statement reads, if some of them may be delayed. */
export const MAX_SCANNED = 200

/**
 * Reads the next deliveries of endpoints that belong to this process, with one index scan for each kind. Its length
 * depends on the requested and prefetched deliveries, and not on the backlog.
 *
 * - First attempts come in `seq` order, and events of one conversation are committed in that order. Therefore, an
 *   earlier first attempt of the same conversation is always prefetched or read with them.
 * - First attempts that wait behind a retry of their conversation are deferred. The next request continues after them,
 *   so that each is passed once.
 * - Of disabled endpoints and agents, only tests are read.
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
