import { recordEvent, SYSTEM } from '../domain/events.ts'
import type { DeliveryStatus } from '../generated/prisma/enums.ts'
import type { Bus } from '../infra/bus.ts'
import type { Database } from '../infra/db.ts'
import { inTransaction } from '../infra/transaction.ts'

/** One attempt as it will stand in the log, and what it makes of its delivery. */
export interface Result {
  readonly id: string
  readonly lease: string
  readonly endpointId: string
  /** 1, 2, … */
  readonly number: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly statusCode: number | null
  readonly response: string | null
  readonly error: string | null
  readonly status: DeliveryStatus
  /** The next attempt; null when the delivery is finished. */
  readonly due: Date | null
  /** The receiver answered 410: its endpoint is disabled at once. */
  readonly gone: boolean
}

/** An endpoint is disabled after this long without a single success, and no fewer failures than these. */
const FAILING_DAYS = 5
const FAILING_ATTEMPTS = 3

interface Disabled {
  id: string
  workspace_id: string
  url: string
  disabled_reason: string
}

/**
 * Records a batch of results in one transaction: attempt log, deliveries, endpoint health, and the endpoints that are
 * disabled by it. A result whose lease is no longer the delivery's own changes nothing: another process has it now.
 */
export async function settle(deps: { db: Database; bus: Bus }, results: readonly Result[], now: Date): Promise<void> {
  const endpointIds = [...new Set(results.map(({ endpointId }) => endpointId))]
  await inTransaction(deps, async (tx) => {
    // Endpoints first and in order, as deleting one does: no deadlock.
    await tx.db.$queryRaw`SELECT id FROM webhook_endpoints WHERE id = ANY(${endpointIds}) ORDER BY id FOR NO KEY UPDATE`
    const disabled = await tx.db.$queryRawUnsafe<Disabled[]>(SETTLE, JSON.stringify(results), now)
    for (const { id: endpointId, workspace_id: workspaceId, url, disabled_reason: reason } of disabled) {
      const data = { endpointId, url, reason, workspaceId }
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: now }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.disabled', data })
    }
  })
}

const SETTLE = `
WITH result AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(
    id text, lease text, "endpointId" text, number int, "startedAt" timestamptz, "durationMs" int, "statusCode" int,
    response text, error text, status "DeliveryStatus", due timestamptz, gone boolean)
), settled AS (
  UPDATE deliveries d SET
    status = r.status, attempts = r.number, due = r.due, lease = NULL,
    finished_at = CASE WHEN r.due IS NULL THEN $2::timestamptz END
    FROM result r WHERE d.id = r.id AND d.lease = r.lease
  RETURNING d.id, d.is_test
), logged AS (
  INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code, response, error)
  SELECT r.id, r.number, r."startedAt", r."durationMs", r."statusCode", r.response, r.error
    FROM result r JOIN settled USING (id)
), health AS (
  SELECT r."endpointId" AS id, bool_or(r.status = 'DELIVERED') AS succeeded, bool_or(r.status <> 'DELIVERED') AS failed,
         count(*) FILTER (WHERE r.status <> 'DELIVERED') AS failures, bool_or(r.gone) AS gone
    FROM result r JOIN settled USING (id) WHERE NOT settled.is_test GROUP BY r."endpointId"
), verdict AS (
  SELECT health.*, e.is_enabled AS was_enabled,
         CASE WHEN succeeded THEN NULL ELSE COALESCE(e.failing_since, $2::timestamptz) END AS failing_since,
         CASE WHEN succeeded THEN 0 ELSE e.consecutive_failures + failures END AS consecutive_failures,
         CASE WHEN gone THEN 'gone'
              WHEN NOT succeeded AND e.consecutive_failures + failures >= ${FAILING_ATTEMPTS}
               AND e.failing_since <= $2::timestamptz - interval '${FAILING_DAYS} days' THEN 'failing' END AS reason
    FROM health JOIN webhook_endpoints e USING (id)
), updated AS (
  UPDATE webhook_endpoints e SET
    last_success_at = CASE WHEN v.succeeded THEN $2::timestamptz ELSE e.last_success_at END,
    last_failure_at = CASE WHEN v.failed THEN $2::timestamptz ELSE e.last_failure_at END,
    failing_since = v.failing_since,
    consecutive_failures = v.consecutive_failures,
    is_enabled = e.is_enabled AND v.reason IS NULL,
    disabled_reason = CASE WHEN v.was_enabled THEN v.reason ELSE e.disabled_reason END
    FROM verdict v WHERE e.id = v.id
  RETURNING e.id, e.workspace_id, e.url, e.disabled_reason, v.was_enabled
)
SELECT id, workspace_id, url, disabled_reason FROM updated WHERE was_enabled AND disabled_reason IS NOT NULL`
