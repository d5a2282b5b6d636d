import { inEventTransaction } from '../../domain/events/event-lock.ts'
import { recordEvent, SYSTEM } from '../../domain/events/events.ts'
import type { Database } from '../../infra/database/db.ts'
import type { Bus } from '../../infra/redis/bus.ts'
import type { CircuitBreakerState } from '../policy/circuit-breaker.ts'
import type { DbConnection, Statement } from './connection.ts'

/** The changes of one endpoint since its health was last written. */
export interface HealthChange {
  readonly id: string
  /** The start of the last successful attempt; null: none. */
  readonly succeededAt: Date | null
  /** The starts of the first and the last failed attempt; null: none. */
  readonly failedAt: Date | null
  readonly lastFailedAt: Date | null
  readonly failures: number
  readonly breaker: CircuitBreakerState
  /** Whether all pending deliveries are sent regardless of due times; undefined: unchanged. */
  readonly isRecovering?: boolean
  /** The request time of the probe that has ended; null: none. */
  readonly probedAt?: Date | null
}

/** The health of an endpoint in its row. */
export interface Health {
  readonly id: string
  /** The first failure since the last success. */
  readonly failingSince: Date | null
  readonly consecutiveFailures: number
  readonly isWarned: boolean
  readonly isProbeRequested: boolean
  readonly isRecovering: boolean
  /** The row's part of `version` (see delivery-sql.ts) before and after the write. */
  readonly before: string
  readonly after: string
}

const DAY = 86_400_000
/** An endpoint is disabled after this time without a success, and at least this many failures. */
const FAILING_MS = 5 * DAY
const FAILING_ATTEMPTS = 3

/** Writes the health and the circuit breakers of endpoints that belong to this process. @returns their new health */
export function writeHealth(
  connection: DbConnection,
  dispatcherId: string,
  changes: readonly HealthChange[],
): Promise<Health[]> {
  const rows = changes.map(({ breaker, ...change }) => ({ ...change, ...breaker }))
  return connection.run<Health>(WRITE, [dispatcherId, JSON.stringify(rows)])
}

const WRITE: Statement = {
  name: 'dispatcher_write_health',
  text: `WITH h AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS h(
    id text, "succeededAt" timestamptz, "failedAt" timestamptz, "lastFailedAt" timestamptz, failures int,
    "openedAt" timestamptz, "probeAt" timestamptz, probes int, "isRecovering" boolean, "probedAt" timestamptz)
), locked AS MATERIALIZED (
  SELECT h.*, e.xmin::text AS before FROM h JOIN webhook_endpoints e ON e.id = h.id AND e.dispatcher_id = $1
     FOR NO KEY UPDATE OF e
)
UPDATE webhook_endpoints e SET
    last_success_at = COALESCE(h."succeededAt", e.last_success_at),
    last_failure_at = COALESCE(h."lastFailedAt", e.last_failure_at),
    failing_since = CASE WHEN h."succeededAt" IS NULL THEN COALESCE(e.failing_since, h."failedAt") END,
    failing_warned_at = CASE WHEN h."succeededAt" IS NULL THEN e.failing_warned_at END,
    consecutive_failures = CASE WHEN h."succeededAt" IS NULL THEN e.consecutive_failures + h.failures ELSE 0 END,
    breaker_opened_at = h."openedAt", breaker_probe_at = h."probeAt", breaker_probes = h.probes,
    is_recovering = COALESCE(h."isRecovering", e.is_recovering),
    is_probe_asked = e.is_probe_asked AND e.probe_asked_at IS DISTINCT FROM h."probedAt"
  FROM locked h
 WHERE e.id = h.id
RETURNING e.id, e.failing_since AS "failingSince", e.consecutive_failures AS "consecutiveFailures",
  e.failing_warned_at IS NOT NULL AS "isWarned", e.is_probe_asked AS "isProbeRequested", e.is_recovering AS "isRecovering", h.before, e.xmin::text AS after`,
}

/** The consequence of long failures. */
export function evaluateHealth(
  { failingSince, consecutiveFailures, isWarned }: Health,
  now: Date,
): 'disable' | 'warn' | null {
  if (failingSince === null || consecutiveFailures < FAILING_ATTEMPTS) return null
  const ms = now.getTime() - failingSince.getTime()
  if (ms >= FAILING_MS) return 'disable'
  return ms >= FAILING_MS / 2 && !isWarned ? 'warn' : null
}

interface Named {
  id: string
  url: string
  agent_id: string | null
  failing_since: Date | null
}

/** Disables an endpoint that belongs to this process, and records the event. A disabled endpoint stays unchanged. */
export async function disable(
  deps: { db: Database; bus: Bus },
  dispatcherId: string,
  endpointId: string,
  reason: 'gone' | 'failing',
  now: Date,
): Promise<void> {
  const workspaceId = await workspaceOf(deps.db, endpointId)
  if (workspaceId === null) return
  await inEventTransaction(deps, { workspaceId }, async (tx) => {
    const disabled = await tx.db.$queryRaw<Named[]>`
      UPDATE webhook_endpoints SET is_enabled = false, disabled_reason = ${reason}
       WHERE id = ${endpointId} AND dispatcher_id = ${dispatcherId} AND is_enabled
      RETURNING id, url, agent_id`
    for (const { url, agent_id: agentId } of disabled) {
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: now }
      const data = { endpointId, url, agentId, reason, workspaceId }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.disabled', data })
    }
  })
}

/** Records, once, that an endpoint will be disabled if it continues to fail. */
export async function warn(
  deps: { db: Database; bus: Bus },
  dispatcherId: string,
  endpointId: string,
  now: Date,
): Promise<void> {
  const workspaceId = await workspaceOf(deps.db, endpointId)
  if (workspaceId === null) return
  await inEventTransaction(deps, { workspaceId }, async (tx) => {
    const warned = await tx.db.$queryRaw<Named[]>`
      UPDATE webhook_endpoints SET failing_warned_at = ${now}
       WHERE id = ${endpointId} AND dispatcher_id = ${dispatcherId} AND is_enabled AND failing_warned_at IS NULL
      RETURNING id, url, agent_id, failing_since`
    for (const { url, agent_id: agentId, failing_since: since } of warned) {
      if (since === null) continue
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: now }
      const disabledAt = new Date(since.getTime() + FAILING_MS).toISOString()
      const data = { endpointId, url, agentId, failingSince: since.toISOString(), disabledAt, workspaceId }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.failing', data })
    }
  })
}

/** Null when the endpoint has been deleted meanwhile. */
async function workspaceOf(db: Database, endpointId: string): Promise<string | null> {
  const [row] = await db.sql<{ id: string }>('SELECT workspace_id AS id FROM webhook_endpoints WHERE id = $1', [
    endpointId,
  ])
  return row?.id ?? null
}
