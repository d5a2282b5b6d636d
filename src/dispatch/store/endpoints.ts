import type { CircuitBreakerState } from '../policy/circuit-breaker.ts'
import type { DbConnection, Statement } from './connection.ts'

/** The row of an endpoint that belongs to this process. */
export interface EndpointRow {
  readonly id: string
  readonly workspaceId: string
  readonly agentId: string | null
  readonly url: string
  readonly sealedSecret: string
  /** The old secret during a rotation: it also signs, until the overlap ends. */
  readonly previousSealedSecret: string | null
  readonly secretOverlapEndsAt: Date | null
  readonly isEnabled: boolean
  readonly maxInFlight: number
  readonly isStrict: boolean
  readonly failingSince: Date | null
  readonly breakerOpenedAt: Date | null
  readonly breakerProbeAt: Date | null
  readonly breakerProbes: number
  /** The time when a probe was requested that has not ended; null: none. */
  readonly isProbeRequested: boolean
  readonly probeRequestedAt: Date | null
  /** The requested delivery; null: the first pending one. */
  readonly probeDeliveryId: string | null
  /** Whether all pending deliveries are sent regardless of due times. */
  readonly isRecovering: boolean
  readonly version: string
}

/** The state of its circuit breaker. */
export function breakerStateOf({ breakerOpenedAt, breakerProbeAt, breakerProbes }: EndpointRow): CircuitBreakerState {
  return { openedAt: breakerOpenedAt, probeAt: breakerProbeAt, probes: breakerProbes }
}

/** An endpoint with deliveries to send. */
export interface WorkingEndpoint {
  readonly id: string
  /** Its owner. */
  readonly dispatcherId: string | null
  /** The time when a probe was requested that has not ended; null: none. */
  readonly probeRequestedAt: Date | null
}

/**
 * All endpoints with a due delivery or a requested probe: one index probe for each endpoint with pending deliveries, so
 * a backlog costs as much as one row.
 */
export function findWork(connection: DbConnection, now: Date): Promise<WorkingEndpoint[]> {
  return connection.run<WorkingEndpoint>(FIND_WORK, [now])
}

const FIRSTS = 'd.due IS NOT NULL AND d.attempts = 0 AND NOT d.is_test'
const RETRIES = 'd.due IS NOT NULL AND d.attempts > 0 AND NOT d.is_test'
const NEXT_OF = (condition: string, order: string, after: string) =>
  `SELECT d.endpoint_id FROM deliveries d WHERE ${condition}${after} ORDER BY d.endpoint_id, d.lane, d.${order} LIMIT 1`
const LOOSE_SCAN = (name: string, condition: string, order: string) => `${name} AS (
  (${NEXT_OF(condition, order, '')})
  UNION ALL
  SELECT (${NEXT_OF(condition, order, ` AND d.endpoint_id > ${name}.endpoint_id`)}) FROM ${name} WHERE ${name}.endpoint_id IS NOT NULL
)`
const IS_DUE = (lane: number) =>
  `(SELECT d.due FROM deliveries d WHERE d.endpoint_id = retries.endpoint_id AND d.lane = ${lane} AND ${RETRIES}
     ORDER BY d.due LIMIT 1) <= $1::timestamptz`

const FIND_WORK: Statement = {
  name: 'dispatcher_find_work',
  text: `WITH RECURSIVE ${LOOSE_SCAN('firsts', FIRSTS, 'seq')}, ${LOOSE_SCAN('retries', RETRIES, 'due')}
SELECT e.id, e.dispatcher_id AS "dispatcherId", CASE WHEN e.is_probe_asked THEN e.probe_asked_at END AS "probeRequestedAt"
  FROM (SELECT endpoint_id FROM firsts
        UNION SELECT endpoint_id FROM retries WHERE ${IS_DUE(0)} OR ${IS_DUE(1)}
        UNION SELECT id FROM webhook_endpoints WHERE is_probe_asked OR is_recovering) working
  JOIN webhook_endpoints e ON e.id = working.endpoint_id AND e.is_enabled
  LEFT JOIN agents a ON a.id = e.agent_id
 WHERE COALESCE(a.is_enabled, true)
UNION
SELECT e.id, e.dispatcher_id, CASE WHEN e.is_probe_asked THEN e.probe_asked_at END
  FROM (SELECT d.endpoint_id FROM deliveries d WHERE d.is_test AND d.due IS NOT NULL ORDER BY d.due LIMIT 1000) test
  JOIN webhook_endpoints e ON e.id = test.endpoint_id`,
}

/** Takes endpoints without an owner. @throws when this process has been removed (a foreign key) */
export async function adopt(connection: DbConnection, dispatcherId: string, ids: readonly string[]): Promise<void> {
  await connection.run(ADOPT, [dispatcherId, ids])
}

const ADOPT: Statement = {
  name: 'dispatcher_adopt',
  text: `UPDATE webhook_endpoints SET dispatcher_id = $1
 WHERE id = ANY($2::text[]) AND dispatcher_id IS NULL`,
}

/** Reads the rows of endpoints that belong to this process; others are omitted. */
export function readEndpoints(
  connection: DbConnection,
  dispatcherId: string,
  ids: readonly string[],
): Promise<EndpointRow[]> {
  return connection.run<EndpointRow>(READ, [dispatcherId, ids])
}

const READ: Statement = {
  name: 'dispatcher_read_endpoints',
  text: `SELECT e.id, e.workspace_id AS "workspaceId", e.agent_id AS "agentId", e.url, e.sealed_secret AS "sealedSecret",
       e.previous_sealed_secret AS "previousSealedSecret", e.secret_overlap_ends_at AS "secretOverlapEndsAt",
       e.is_enabled AND COALESCE(a.is_enabled, true) AS "isEnabled", e.max_in_flight AS "maxInFlight",
       e.ordering = 'STRICT' AS "isStrict", e.failing_since AS "failingSince",
       e.breaker_opened_at AS "breakerOpenedAt", e.breaker_probe_at AS "breakerProbeAt", e.breaker_probes AS "breakerProbes",
       e.is_probe_asked AS "isProbeRequested", e.probe_asked_at AS "probeRequestedAt", e.probe_delivery_id AS "probeDeliveryId",
       e.is_recovering AS "isRecovering",
       e.xmin::text || COALESCE('.' || a.xmin::text, '') AS version
  FROM unnest($2::text[]) AS wanted(id)
  JOIN webhook_endpoints e ON e.id = wanted.id AND e.dispatcher_id = $1
  LEFT JOIN agents a ON a.id = e.agent_id`,
}

/** Releases endpoints without prefetched deliveries. */
export async function releaseEndpoints(
  connection: DbConnection,
  dispatcherId: string,
  ids: readonly string[],
): Promise<void> {
  await connection.run(RELEASE, [dispatcherId, ids])
}

const RELEASE: Statement = {
  name: 'dispatcher_release_endpoints',
  text: 'UPDATE webhook_endpoints SET dispatcher_id = NULL WHERE id = ANY($2::text[]) AND dispatcher_id = $1',
}
