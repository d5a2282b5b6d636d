import { recordEvent, SYSTEM } from '../domain/events.ts'
import type { Bus } from '../infra/bus.ts'
import type { Database } from '../infra/db.ts'
import { inTransaction } from '../infra/transaction.ts'
import type { BreakerRow } from './breaker.ts'
import type { Session, Statement } from './session.ts'

/** What happened at one endpoint since its health was last written. */
export interface HealthChange {
  readonly id: string
  readonly succeeded: boolean
  readonly failures: number
  readonly breaker: BreakerRow
}

/** An endpoint's health as it stands in its row. */
export interface Health {
  readonly id: string
  /** The first failure since the last success. */
  readonly failingSince: Date | null
  readonly consecutiveFailures: number
  readonly isWarned: boolean
}

const DAY = 86_400_000
/** An endpoint is disabled after this long without a single success, and no fewer failures than these. */
const FAILING_MS = 5 * DAY
const FAILING_ATTEMPTS = 3

/** Writes the health of endpoints that belong to this process, and their breakers. @returns how they stand now */
export function writeHealth(
  session: Session,
  dispatcherId: string,
  changes: readonly HealthChange[],
  now: Date,
): Promise<Health[]> {
  const rows = changes.map(({ id, succeeded, failures, breaker }) => ({ id, succeeded, failures, ...breaker }))
  return session.run<Health>(WRITE, [dispatcherId, JSON.stringify(rows), now])
}

const WRITE: Statement = {
  name: 'dispatcher_write_health',
  text: `UPDATE webhook_endpoints e SET
    last_success_at = CASE WHEN h.succeeded THEN $3::timestamptz ELSE e.last_success_at END,
    last_failure_at = CASE WHEN h.failures > 0 THEN $3::timestamptz ELSE e.last_failure_at END,
    failing_since = CASE WHEN h.succeeded THEN NULL WHEN h.failures > 0 THEN COALESCE(e.failing_since, $3::timestamptz)
                         ELSE e.failing_since END,
    failing_warned_at = CASE WHEN h.succeeded THEN NULL ELSE e.failing_warned_at END,
    consecutive_failures = CASE WHEN h.succeeded THEN 0 ELSE e.consecutive_failures + h.failures END,
    breaker_opened_at = h."openedAt", breaker_probe_at = h."probeAt", breaker_probes = h.probes
  FROM jsonb_to_recordset($2::jsonb) AS h(
    id text, succeeded boolean, failures int, "openedAt" timestamptz, "probeAt" timestamptz, probes int)
 WHERE e.id = h.id AND e.dispatcher_id = $1
RETURNING e.id, e.failing_since AS "failingSince", e.consecutive_failures AS "consecutiveFailures", e.failing_warned_at IS NOT NULL AS "isWarned"`,
}

/** What failing that long comes to. */
export function judge({ failingSince, consecutiveFailures, isWarned }: Health, now: Date): 'disable' | 'warn' | null {
  if (failingSince === null || consecutiveFailures < FAILING_ATTEMPTS) return null
  const ms = now.getTime() - failingSince.getTime()
  if (ms >= FAILING_MS) return 'disable'
  return ms >= FAILING_MS / 2 && !isWarned ? 'warn' : null
}

interface Named {
  id: string
  workspace_id: string
  url: string
  failing_since: Date | null
}

/** Disables an endpoint that belongs to this process, and records it for ops. One that is disabled already stays so. */
export async function disable(
  deps: { db: Database; bus: Bus },
  dispatcherId: string,
  endpointId: string,
  reason: 'gone' | 'failing',
  now: Date,
): Promise<void> {
  await inTransaction(deps, async (tx) => {
    const disabled = await tx.db.$queryRaw<Named[]>`
      UPDATE webhook_endpoints SET is_enabled = false, disabled_reason = ${reason}
       WHERE id = ${endpointId} AND dispatcher_id = ${dispatcherId} AND is_enabled
      RETURNING id, workspace_id, url`
    for (const { workspace_id: workspaceId, url } of disabled) {
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: now }
      const data = { endpointId, url, reason, workspaceId }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.disabled', data })
    }
  })
}

/** Records, once, that an endpoint will be disabled if it goes on failing. */
export async function warn(
  deps: { db: Database; bus: Bus },
  dispatcherId: string,
  endpointId: string,
  now: Date,
): Promise<void> {
  await inTransaction(deps, async (tx) => {
    const warned = await tx.db.$queryRaw<Named[]>`
      UPDATE webhook_endpoints SET failing_warned_at = ${now}
       WHERE id = ${endpointId} AND dispatcher_id = ${dispatcherId} AND is_enabled AND failing_warned_at IS NULL
      RETURNING id, workspace_id, url, failing_since`
    for (const { workspace_id: workspaceId, url, failing_since: since } of warned) {
      if (since === null) continue
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: now }
      const disabledAt = new Date(since.getTime() + FAILING_MS).toISOString()
      const data = { endpointId, url, failingSince: since.toISOString(), disabledAt, workspaceId }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'endpoint.failing', data })
    }
  })
}
