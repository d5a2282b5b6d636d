import { isDatabaseAway, isRefused } from '../../infra/database/db-away.ts'
import { inTransaction, type Tx, tryLock } from '../../infra/database/transaction.ts'
import type { Deps } from '../shared/deps.ts'

export interface Retention {
  /** Days that finished deliveries and their attempts are kept. */
  readonly deliveriesDays: number
  /** Days that events are kept; longer while one of their deliveries is kept. */
  readonly eventsDays: number
}

export interface Removed {
  readonly deliveries: number
  readonly events: number
}

const DAY_MS = 86_400_000
const BATCH = 500
/** The pause between two batches, which limits the share of the database's time. */
const PAUSE_MS = 20
const LOCK = 0x67645254 // "gdRT"

/**
 * Deletes expired deliveries and events, workspace by workspace, in short transactions that skip locked rows. Pending
 * deliveries and their events are never deleted. Only one node at a time does this.
 * @param signal stops it after the current batch
 */
export async function removeOld(deps: Deps, retention: Retention, signal?: AbortSignal): Promise<Removed> {
  const now = deps.clock.steady().getTime()
  const deliveriesBefore = new Date(now - retention.deliveriesDays * DAY_MS)
  const eventsBefore = new Date(now - retention.eventsDays * DAY_MS)
  const removed = { deliveries: 0, events: 0 }
  for (let workspaceId = ''; signal?.aborted !== true; ) {
    const where = { id: { gt: workspaceId } }
    const workspace = await deps.db.prisma.workspace.findFirst({ where, orderBy: { id: 'asc' }, select: { id: true } })
    if (workspace === null) break
    workspaceId = workspace.id
    const id = workspaceId
    try {
      removed.deliveries += await inBatches(deps, signal, removeDeliveries(id, deliveriesBefore))
      removed.events += await inBatches(deps, signal, removeEvents(id, eventsBefore))
    } catch (error) {
      if (isDatabaseAway(error)) throw error
      deps.log.error({ err: error, workspaceId }, 'expired deliveries and events of a workspace not deleted')
    }
  }
  return removed
}

/** The result of one batch. */
interface BatchResult {
  readonly removed: number
  /** Whether there may be more rows. */
  readonly isMore: boolean
}

/** Deletes a batch of at most `limit` rows, after its last successful batch. */
interface Expiry {
  remove(tx: Tx, limit: number): Promise<BatchResult>
  /** Skips the next row. @returns its name */
  pass(tx: Tx): Promise<string | null>
}

/**
 * When the database refuses to delete a row, the batch is halved until that row is isolated. It is skipped until the
 * next run.
 * @returns the number of deleted rows
 */
async function inBatches(deps: Deps, signal: AbortSignal | undefined, { remove, pass }: Expiry): Promise<number> {
  for (let total = 0, limit = BATCH; ; ) {
    try {
      const { removed, isMore } = await withExclusiveLock(deps, (tx) => remove(tx, limit))
      total += removed
      if (!isMore || signal?.aborted === true) return total
      limit = Math.min(2 * limit, BATCH)
    } catch (error) {
      if (!isRefused(error)) throw error
      if (limit > 1) limit >>= 1
      else {
        const row = await inTransaction(deps, pass)
        deps.counts.rowsSetAside++
        deps.log.error({ err: error, row }, 'expired row not deleted')
        if (row === null) return total
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** Does nothing while another node does this. */
function withExclusiveLock(deps: Deps, work: (tx: Tx) => Promise<BatchResult>): Promise<BatchResult> {
  return inTransaction(deps, async (tx) => {
    return (await tryLock(tx, LOCK)) ? work(tx) : { removed: 0, isMore: false }
  })
}

/** Attempts are deleted with their deliveries (a foreign key). */
function removeDeliveries(workspaceId: string, before: Date): Expiry {
  let after = { createdAt: new Date(0), id: '' }
  return {
    async remove(tx, limit) {
      const removed = await tx.db.$executeRaw`
        DELETE FROM deliveries WHERE id IN (
          SELECT id FROM deliveries
           WHERE workspace_id = ${workspaceId} AND created_at < ${before} AND due IS NULL AND finished_at < ${before}
             AND created_at >= ${after.createdAt} AND (created_at, id) > (${after.createdAt}, ${after.id})
           ORDER BY created_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED)`
      return { removed, isMore: removed === limit }
    },
    async pass(tx) {
      const [next] = await tx.db.$queryRaw<{ id: string; createdAt: Date }[]>`
        SELECT id, created_at AS "createdAt" FROM deliveries
         WHERE workspace_id = ${workspaceId} AND created_at < ${before} AND due IS NULL AND finished_at < ${before}
           AND created_at >= ${after.createdAt} AND (created_at, id) > (${after.createdAt}, ${after.id})
         ORDER BY created_at, id LIMIT 1`
      if (next !== undefined) after = next
      return next?.id ?? null
    },
  }
}

/**
 * Scans the log from its beginning to the first row that is kept. The workspace remembers the last deleted position, so
 * that no stream resumes before it.
 */
function removeEvents(workspaceId: string, before: Date): Expiry {
  let after = { xid: '0', seq: 0n }
  return {
    async remove(tx, limit) {
      const [batch] = await tx.db.$queryRaw<
        { seen: number; removed: number; xid: string | null; seq: bigint | null }[]
      >`
        WITH old AS (
          SELECT * FROM (
            SELECT id, workspace_id, xid, seq, created_at FROM events
             WHERE workspace_id = ${workspaceId} AND (xid, seq) > (${after.xid}::xid8, ${after.seq}::bigint)
             ORDER BY events.xid, seq LIMIT ${limit}) next
           WHERE created_at < ${before}
        ), gone AS (
          DELETE FROM events WHERE id IN (
            SELECT id FROM old WHERE NOT EXISTS (
              SELECT 1 FROM deliveries WHERE workspace_id = old.workspace_id AND event_id = old.id))
          RETURNING xid, seq
        ), latest AS (
          SELECT xid, seq FROM gone ORDER BY gone.xid DESC, seq DESC LIMIT 1
        ), remembered AS (
          UPDATE workspaces w SET log_kept_after_xid = latest.xid, log_kept_after_seq = latest.seq FROM latest
           WHERE w.id = ${workspaceId}
             AND (w.log_kept_after_xid IS NULL OR (w.log_kept_after_xid, w.log_kept_after_seq) < (latest.xid, latest.seq))
        ), reached AS (
          SELECT xid, seq FROM old ORDER BY old.xid DESC, seq DESC LIMIT 1
        )
        SELECT (SELECT count(*)::int FROM old) AS seen, (SELECT count(*)::int FROM gone) AS removed,
               (SELECT xid::text FROM reached) AS xid, (SELECT seq FROM reached) AS seq`
      if (batch === undefined || batch.xid === null || batch.seq === null) return { removed: 0, isMore: false }
      after = { xid: batch.xid, seq: batch.seq }
      return { removed: batch.removed, isMore: batch.seen === limit }
    },
    async pass(tx) {
      const [next] = await tx.db.$queryRaw<{ id: string; xid: string; seq: bigint }[]>`
        SELECT id, xid::text AS xid, seq FROM events
         WHERE workspace_id = ${workspaceId} AND (xid, seq) > (${after.xid}::xid8, ${after.seq}::bigint)
         ORDER BY events.xid, seq LIMIT 1`
      if (next !== undefined) after = { xid: next.xid, seq: next.seq }
      return next?.id ?? null
    },
  }
}
