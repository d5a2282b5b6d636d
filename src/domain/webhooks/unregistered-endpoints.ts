import { setTimeout } from 'node:timers/promises'
import type { WebhookEndpoint } from '../../generated/prisma/client.ts'
import { Prisma } from '../../infra/database/db.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { recordAudits, systemAuditor } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { ownedEndpoints, requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'

/** The time that an unregistered endpoint is kept. */
export const UNREGISTERED_RETENTION_MS = 86_400_000
/** The maximum number of unregistered endpoints in a workspace; they do not count among its endpoints. */
export const MAX_UNREGISTERED_PER_WORKSPACE = 100
/** The default age limit of the events that an endpoint receives when it is registered again. */
export const DEFAULT_RESUME_SECONDS = 3600

const BATCH = 500
/** The pause between two batches, which limits the share of the database's time. */
const PAUSE_MS = 20
/** Clocks of nodes differ: another node may still allow the registration. */
const CLOCK_SKEW_MS = 60_000

/**
 * The condition for endpoints that can be registered again.
 * @param now steady time, here and below: setting a clock ends nothing
 */
export function withinRetention(now: Date): { keptUntil: { gt: Date } } {
  return { keptUntil: { gt: now } }
}

/** An unregistered endpoint, for display. */
export interface UnregisteredEndpoint {
  readonly id: string
  readonly url: string
  readonly agentId: string | null
  readonly unregisteredAt: Date
  readonly keptUntil: Date
}

/** The unregistered endpoints that can be registered again, latest first; an agent gets only its own. */
export async function listUnregistered(deps: Deps, actor: Actor): Promise<UnregisteredEndpoint[]> {
  requireLevel(actor, 'READ_ONLY')
  const rows = await deps.db.prisma.webhookEndpoint.findMany({
    where: { ...ownedEndpoints(actor), ...withinRetention(deps.clock.steady()) },
    orderBy: [{ unregisteredAt: 'desc' }, { id: 'desc' }],
    take: MAX_UNREGISTERED_PER_WORKSPACE,
  })
  return rows.flatMap(({ id, url, agentId, unregisteredAt, keptUntil }) =>
    unregisteredAt === null || keptUntil === null ? [] : [{ id, url, agentId, unregisteredAt, keptUntil }],
  )
}

/**
 * Unregisters a locked endpoint. It is hidden and nothing is sent; pending deliveries stay, and events are recorded for
 * it, as long as it is kept. Pending tests end. Above the maximum, the endpoints that were unregistered first are
 * removed.
 */
export async function markUnregistered(deps: Deps, tx: Tx, { id, workspaceId }: WebhookEndpoint): Promise<void> {
  const at = deps.clock.steady()
  const keptUntil = new Date(at.getTime() + UNREGISTERED_RETENTION_MS)
  const data = { unregisteredAt: at, keptUntil, isEnabled: false, disabledReason: null }
  await tx.db.webhookEndpoint.update({ where: { id }, data })
  await tx.db.delivery.updateMany({
    where: { endpointId: id, isTest: true, nextAttemptAt: { not: null } },
    data: { status: 'SKIPPED', nextAttemptAt: null, finishedAt: at },
  })
  // Concurrent calls wait here for each other, so that the limit holds.
  await tx.db.$queryRaw`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR NO KEY UPDATE`
  const removed = await tx.db.$queryRaw<RemovedEndpoint[]>`
    DELETE FROM webhook_endpoints WHERE unregistered_at IS NOT NULL AND id IN (
      SELECT id FROM webhook_endpoints WHERE workspace_id = ${workspaceId} AND kept_until IS NOT NULL
       ORDER BY unregistered_at DESC, id DESC OFFSET ${MAX_UNREGISTERED_PER_WORKSPACE})
    RETURNING id, url, workspace_id AS "workspaceId"`
  await recordRemoved(deps, tx, removed)
}

type RemovedEndpoint = Pick<WebhookEndpoint, 'id' | 'url' | 'workspaceId'>

/**
 * Records the removal of unregistered endpoints that nobody requested; their deliveries are drained
 * (drain-removals.ts).
 */
async function recordRemoved({ clock }: Deps, tx: Tx, removed: readonly RemovedEndpoint[]): Promise<void> {
  const at = clock.now()
  const entries = removed.map(({ id, url, workspaceId }) => {
    const target = { type: 'webhook_endpoint', id, name: url } as const
    return [systemAuditor(workspaceId), { action: 'webhook_endpoint.deleted', target, at }] as const
  })
  await recordAudits(tx, entries)
}

/**
 * The endpoint that a registration activates again, locked: the agent's own; for other actors the workspace's before an
 * agent's. Null without one.
 */
export async function lockUnregistered(
  tx: Tx,
  { workspaceId, agentId, url }: { workspaceId: string; agentId: string | null; url: string },
  at: Date,
): Promise<{ id: string; unregisteredAt: Date } | null> {
  const [kept] = await tx.db.$queryRaw<{ id: string; unregisteredAt: Date }[]>`
    SELECT id, unregistered_at AS "unregisteredAt" FROM webhook_endpoints
     WHERE workspace_id = ${workspaceId} AND url = ${url} AND kept_until > ${at}
       AND (${agentId}::text IS NULL OR agent_id = ${agentId})
     ORDER BY agent_id IS NULL DESC, unregistered_at DESC, id DESC LIMIT 1
       FOR NO KEY UPDATE`
  return kept ?? null
}

/** The columns that change when an unregistered endpoint becomes active. */
export const REREGISTERED = { unregisteredAt: null, keptUntil: null, isEnabled: true } as const

/**
 * Limits the backlog of an endpoint that is registered again to the events of the last `withinSeconds`. Deliveries that
 * were pending when it was unregistered count from that time. Older ones become SKIPPED: one batch at once, and the
 * rest in the background, before a position where the dispatcher starts.
 */
export async function limitBacklog(
  tx: Tx,
  { id, unregisteredAt }: { id: string; unregisteredAt: Date },
  withinSeconds: number,
  at: Date,
): Promise<void> {
  const from = new Date(at.getTime() - withinSeconds * 1000)
  if (unregisteredAt >= from && withinSeconds > 0) return
  const [first] = await tx.db.$queryRaw<{ seq: bigint }[]>`
    SELECT COALESCE(
      (SELECT seq FROM deliveries WHERE endpoint_id = ${id} AND created_at >= ${from} AND NOT is_test
        ORDER BY created_at, id LIMIT 1),
      (SELECT max(seq) + 1 FROM (
        SELECT seq FROM deliveries WHERE endpoint_id = ${id} ORDER BY created_at DESC, id DESC LIMIT 100) latest),
      0) AS seq`
  const seq = first?.seq ?? 0n
  const skipped = await skipBefore(tx, id, seq, at)
  if (skipped === BATCH) await tx.db.$executeRaw`UPDATE webhook_endpoints SET sends_from_seq = ${seq} WHERE id = ${id}`
}

/** Skips one batch of deliveries that are too old. @returns the number of rows */
function skipBefore(tx: Tx, endpointId: string, seq: bigint, at: Date): Promise<number> {
  return tx.db.$executeRaw`
    WITH old AS (${waitingBefore(endpointId, seq)})
    UPDATE deliveries d SET status = 'SKIPPED', due = NULL, finished_at = ${at} FROM old WHERE d.id = old.id`
}

/**
 * Finds a batch of pending deliveries before a position: one index scan for each kind, regardless of the size of the
 * backlog.
 */
export function waitingBefore(endpointId: string, seq: bigint): Prisma.Sql {
  const before = Prisma.sql`endpoint_id = ${endpointId} AND seq < ${seq} AND due IS NOT NULL AND NOT is_test`
  const firsts = (lane: Prisma.Sql) =>
    Prisma.sql`SELECT id FROM deliveries WHERE ${before} AND lane = ${lane} AND attempts = 0 ORDER BY seq LIMIT ${BATCH}`
  return Prisma.sql`
    SELECT id FROM (
      (${firsts(Prisma.sql`0`)})
      UNION ALL
      (${firsts(Prisma.sql`1`)})
      UNION ALL
      (SELECT id FROM deliveries WHERE ${before} AND attempts > 0 ORDER BY lane, due LIMIT ${BATCH})) waiting
     LIMIT ${BATCH}`
}

/** Continues the work of `limitBacklog`. @param signal stops it after the current batch */
export async function skipStaleBacklogs(deps: Deps, signal?: AbortSignal): Promise<void> {
  const found = await deps.db.sql<{ id: string }>('SELECT id FROM webhook_endpoints WHERE sends_from_seq > 0')
  for (const { id } of found) {
    while (signal?.aborted !== true && (await skipBatch(deps, id))) await setTimeout(PAUSE_MS)
  }
}

/** @returns whether there may be more */
function skipBatch(deps: Deps, id: string): Promise<boolean> {
  return inTransaction(deps, async (tx) => {
    const [endpoint] = await tx.db.$queryRaw<{ seq: bigint }[]>`
      SELECT sends_from_seq AS seq FROM webhook_endpoints WHERE id = ${id} FOR NO KEY UPDATE`
    if (endpoint === undefined || endpoint.seq === 0n) return false
    if ((await skipBefore(tx, id, endpoint.seq, deps.clock.steady())) === BATCH) return true
    await tx.db.$executeRaw`UPDATE webhook_endpoints SET sends_from_seq = 0 WHERE id = ${id}`
    return false
  })
}

/**
 * Removes expired unregistered endpoints; their deliveries are drained (drain-removals.ts). Several nodes share this
 * work.
 * @param signal stops it after the current batch
 */
export async function removeExpiredUnregistered(deps: Deps, signal?: AbortSignal): Promise<void> {
  const before = new Date(deps.clock.steady().getTime() - CLOCK_SKEW_MS)
  const where: Prisma.WebhookEndpointWhereInput = { keptUntil: { lte: before } }
  const found = await deps.db.prisma.webhookEndpoint.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } })
  for (const { id } of found) {
    if (signal?.aborted === true) return
    await inTransaction(deps, async (tx) => {
      const [gone] = await tx.db.webhookEndpoint.findMany({ where: { ...where, id } })
      const { count } = await tx.db.webhookEndpoint.deleteMany({ where: { ...where, id } })
      if (gone !== undefined && count > 0) await recordRemoved(deps, tx, [gone]) // or another node was faster
    })
  }
}
