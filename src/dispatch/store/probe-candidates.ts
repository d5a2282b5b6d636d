import type { PendingDelivery } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'
import { DELIVERY_COLUMNS, IS_ENABLED, PENDING, PENDING_HERE, VERSION } from './delivery-sql.ts'

/** A delivery that can be sent as a probe: the first pending one in its conversation. */
export interface ProbeCandidate {
  readonly id: string
  readonly seq: string
  readonly conversationId: string | null
  /** Whether it is the requested delivery, or an earlier one of its conversation. */
  readonly isRequested: boolean
}

/**
 * Finds deliveries to probe a receiver with: the first delivery of each conversation among the longest waiting, in the
 * order of their events; then one of the bulk replays.
 * @param deliveryId the requested delivery
 * @param withFirstAttempts whether to include first attempts, because they are not sent otherwise
 */
export function findProbeCandidates(
  connection: DbConnection,
  endpointId: string,
  deliveryId: string | null,
  withFirstAttempts: boolean,
): Promise<ProbeCandidate[]> {
  return connection.run<ProbeCandidate>(FIND_CANDIDATES, [endpointId, deliveryId, withFirstAttempts])
}

const oldest = (lane: number, attempts: string, order: string, limit: string, rank: number) =>
  `(SELECT d.id, d.seq, d.conversation_id, d.lane, ${rank} AS rank FROM deliveries d
     WHERE d.endpoint_id = $1 AND d.lane = ${lane} AND ${PENDING_HERE} AND d.attempts ${attempts} ORDER BY d.${order} LIMIT ${limit})`

const FIND_CANDIDATES: Statement = {
  name: 'dispatcher_find_probe_candidates',
  text: `WITH found AS MATERIALIZED (
  (SELECT d.id, d.seq, d.conversation_id, d.lane, 0 AS rank FROM deliveries d
    WHERE d.id = $2 AND d.endpoint_id = $1 AND ${PENDING_HERE})
  UNION ALL ${oldest(0, '= 0', 'seq', 'CASE WHEN $3::boolean THEN 20 ELSE 0 END', 1)}
  UNION ALL ${oldest(0, '> 0', 'due', '50', 1)}
  UNION ALL ${oldest(1, '= 0', 'seq', 'CASE WHEN $3::boolean THEN 1 ELSE 0 END', 2)}
  UNION ALL ${oldest(1, '> 0', 'due', '1', 2)}
), candidate AS (
  SELECT COALESCE(head.id, found.id) AS id, COALESCE(head.seq, found.seq) AS seq, found.conversation_id, found.rank
    FROM found LEFT JOIN LATERAL (
      SELECT d.id, d.seq FROM deliveries d
       WHERE d.endpoint_id = $1 AND d.conversation_id = found.conversation_id AND d.seq <= found.seq AND d.lane = found.lane
         AND ${PENDING_HERE}
       ORDER BY d.seq LIMIT 1) head ON true
  UNION ALL
  SELECT id, seq, conversation_id, rank FROM found WHERE rank = 0
)
SELECT id, seq::text AS seq, conversation_id AS "conversationId", min(rank) = 0 AS "isRequested"
  FROM candidate GROUP BY id, candidate.seq, conversation_id ORDER BY min(rank) = 2, candidate.seq`,
}

/** Reads pending deliveries of an endpoint by id. */
export function fetchByIds(
  connection: DbConnection,
  endpointId: string,
  ids: readonly string[],
): Promise<PendingDelivery[]> {
  return connection.run<PendingDelivery>(FETCH_BY_IDS, [endpointId, ids])
}

const FETCH_BY_IDS: Statement = {
  name: 'dispatcher_fetch_by_ids',
  text: `WITH d AS MATERIALIZED (
  SELECT d.* FROM unnest($2::text[]) AS q(id) JOIN deliveries d ON d.id = q.id
)
SELECT d.id, d.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, event.type, event.body, ${VERSION}
  FROM d
  JOIN webhook_endpoints e ON e.id = d.endpoint_id AND d.seq >= e.sends_from_seq
  LEFT JOIN agents a ON a.id = e.agent_id
  JOIN events event ON event.id = d.event_id
 WHERE d.endpoint_id = $1 AND ${PENDING} AND ${IS_ENABLED}`,
}
