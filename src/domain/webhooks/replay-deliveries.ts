import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import { inTransaction, isHeld, type Tx } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import { refuseDisabled } from '../deliveries/deliveries.ts'
import { requestProbe } from '../deliveries/request-probe.ts'
import { notifyDispatcher } from '../events/events.ts'
import type { Actor } from '../shared/actor.ts'
import { requireWebhookManager } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { idText, instant, parse } from '../shared/input.ts'
import { endpointTarget, lockEndpoint } from './webhook-endpoints.ts'

export const ReplayFailed = z.object({
  endpointId: idText,
  /** Deliveries that were created at this time or later. */
  since: instant,
  includeSkipped: z.boolean().default(false),
})

/** The limits of one call: rows per transaction, and rows in total. */
export interface ReplayLimits {
  readonly batch: number
  readonly most: number
}

const LIMITS: ReplayLimits = { batch: 500, most: 100_000 }
/** Within a held transaction, whose rows stay locked until its end: nobody else has the embedded database until then. */
const MOST_HELD = 2000

export interface ReplayResult {
  /** The number of deliveries that this call made due, and of those that wait for their next attempt. */
  readonly count: number
  /** False if there may be more: call again. */
  readonly isComplete: boolean
}

/**
 * Sends an endpoint's failed deliveries again and, on request, the events that it missed while it was disabled: the
 * same X-GudDesk-Delivery, and X-GudDesk-Attempt continues to count. They are sent after all live deliveries. Of the
 * deliveries that wait for their next attempt, the first is sent at once, as a probe, whose success makes the others
 * due.
 *
 * Each batch is a short transaction of its own with a pause after it (within a held transaction: a part of that), and rows that somebody else has locked are left to them: neither the
 * dispatcher nor a second call waits. What fails again while this runs is left alone.
 * @throws NotFoundError; ValidationError; ConflictError while the endpoint or its agent is disabled
 */
export async function replayFailedDeliveries(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof ReplayFailed>,
  limits: ReplayLimits = LIMITS,
): Promise<ReplayResult> {
  requireWebhookManager(actor)
  const { endpointId, since, includeSkipped } = parse(ReplayFailed, input)
  const { batch } = limits
  const isOneTransaction = isHeld(deps.db)
  const most = isOneTransaction ? Math.min(limits.most, MOST_HELD) : limits.most
  const startedAt = deps.clock.steady()
  const waiting = await inTransaction(deps, async (tx) => {
    const endpoint = await lockEndpoint(tx, actor, endpointId)
    await refuseDisabled(tx, endpoint)
    const target = endpointTarget(endpoint)
    const data = { since: since.toISOString(), includeSkipped }
    await recordAudit(tx, actor, { action: 'deliveries.replayed', target, data, at: deps.clock.now() })
    // Deliveries that a concurrent call made due were due before this endpoint was locked.
    const found = await countWaiting(tx, endpointId, { since, after: deps.clock.steady(), most })
    if (found > 0 || endpoint.breakerOpenedAt !== null) await requestProbe(deps, tx, endpointId)
    return found
  })
  let count = 0
  let from: ReplayKey = { createdAt: since, id: '' }
  while (count < most) {
    const wanted = Math.min(batch, most - count)
    const began = performance.now()
    const made = await inTransaction(deps, async (tx) => {
      tx.afterCommit(() => notifyDispatcher(deps.bus))
      return makeDue(tx, { endpointId, includeSkipped, startedAt, from, limit: wanted })
    })
    count += made.length
    const last = made.at(-1)
    if (last === undefined || made.length < wanted) return { count: waiting + count, isComplete: true }
    from = last
    // As much time for everybody else: the embedded database runs on this thread, and no request would be heard. A transaction
    // that is open must end soon instead.
    if (!isOneTransaction) await setTimeout(performance.now() - began)
  }
  return { count: waiting + count, isComplete: false }
}

interface Waiting {
  readonly since: Date
  readonly after: Date
  readonly most: number
}

/** Counts deliveries whose next attempt is due after a time, up to `most`. */
async function countWaiting(tx: Tx, endpointId: string, { since, after, most }: Waiting): Promise<number> {
  const [row] = await tx.db.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT FROM deliveries
       WHERE endpoint_id = ${endpointId} AND lane IN (0, 1) AND due > ${after} AND attempts > 0 AND NOT is_test
         AND created_at >= ${since}
       LIMIT ${most}) waiting`
  return row?.count ?? 0
}

/** The position of a row in the scan. */
interface ReplayKey {
  readonly createdAt: Date
  readonly id: string
}

interface Batch {
  readonly endpointId: string
  readonly includeSkipped: boolean
  readonly startedAt: Date
  /** After this position. */
  readonly from: ReplayKey
  readonly limit: number
}

/** One batch, oldest first, by the partial index of finished deliveries that were not delivered. */
async function makeDue(tx: Tx, { endpointId, includeSkipped, startedAt, from, limit }: Batch): Promise<ReplayKey[]> {
  const status = includeSkipped ? Prisma.sql`status IN ('FAILED', 'SKIPPED')` : Prisma.sql`status = 'FAILED'`
  const rows = await tx.db.$queryRaw<{ id: string; created_at: Date }[]>`
    WITH failed AS (
      SELECT id FROM deliveries
       WHERE endpoint_id = ${endpointId} AND (created_at, id) > (${from.createdAt}, ${from.id})
         AND due IS NULL AND status <> 'DELIVERED' AND ${status}
         AND finished_at <= ${startedAt} AND NOT is_test
       ORDER BY created_at, id LIMIT ${limit}
       FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries d SET status = 'PENDING', lane = 1, due = ${startedAt}, finished_at = NULL
      FROM failed WHERE d.id = failed.id
    RETURNING d.id, d.created_at`
  return rows
    .map(({ id, created_at: createdAt }) => ({ id, createdAt }))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
}
