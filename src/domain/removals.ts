import { setTimeout } from 'node:timers/promises'
import { Prisma } from '../infra/db.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import type { ActorRef } from './actor.ts'
import type { Deps } from './deps.ts'
import { inEventTransaction } from './event-lock.ts'
import { recordLogEvents, SYSTEM } from './events.ts'
import { kindOfId } from './ids.ts'

/** Rows that go in one transaction. */
const BATCH = 500
/** The same on the embedded database, where everybody waits meanwhile. */
const EMBEDDED_BATCH = 100
/** After each batch, as many times as long as it took: the rest of the time is everybody else's. */
const REST = 2
const MIN_PAUSE_MS = 20
const LOCK = 0x6764524d // "gdRM"

/** What was removed, and by whom. */
interface Removal {
  readonly id: string
  readonly workspaceId: string
  readonly actor: ActorRef | null
}

/** Of one table. @returns how many rows went */
type Drain = (tx: Tx, limit: number) => Promise<number>

/**
 * The members of a workspace that were removed and whose conversations still name them.
 * @returns their ids; usually none
 */
export async function removedMembers({ db }: Pick<Deps, 'db'>, workspaceId: string): Promise<string[]> {
  const rows = await db.sql<{ id: string }>('SELECT id FROM removals WHERE workspace_id = $1', [workspaceId])
  return rows.map(({ id }) => id).filter((id) => kindOfId(id) === 'member')
}

/**
 * Removes what belonged to removed endpoints, members and workspaces, in turns and in short transactions, with a rest after
 * each: nobody who writes waits for it. Whatever ends it, the next call goes on. Of several nodes one works at a time.
 * @param signal ends it after the batch under way
 * @returns how many rows went, or were changed
 * @throws the first failure, after what could be drained was: one keeps nobody else waiting
 */
export async function drainRemovals(deps: Deps, signal?: AbortSignal): Promise<number> {
  const failures = new Map<string, unknown>()
  for (let total = 0; ; ) {
    const removals = await deps.db.sql<Removal>(OLDEST, [[...failures.keys()]])
    if (removals.length === 0) {
      for (const error of failures.values()) throw error
      return total
    }
    for (const removal of removals) {
      if (signal?.aborted === true) return total
      const began = performance.now()
      const drained = await drainBatch(deps, removal).catch((error: unknown) => {
        failures.set(removal.id, error)
        return 0
      })
      if (drained === null) return total
      total += drained
      await setTimeout(Math.max(MIN_PAUSE_MS, REST * (performance.now() - began)), undefined, { ref: false })
    }
  }
}

const OLDEST = `SELECT id, workspace_id AS "workspaceId", actor FROM removals
 WHERE id <> ALL($1::text[]) ORDER BY removed_at, id LIMIT 100`

/** @returns null when another node is at work */
function drainBatch(deps: Deps, removal: Removal): Promise<number | null> {
  const limit = deps.db.isEmbedded ? EMBEDDED_BATCH : BATCH
  const kind = kindOfId(removal.id)
  if (kind === 'member') return drainMember(deps, removal, limit)
  return inTransaction(deps, (tx) =>
    alone(tx, () =>
      kind === 'workspace'
        ? drainWorkspace(tx, removal, limit)
        : drainRows(tx, removal, 'deliveries', 'endpoint_id', limit),
    ),
  )
}

async function alone(tx: Tx, work: () => Promise<number>): Promise<number | null> {
  const [lock] = await tx.db.$queryRaw<{ held: boolean }[]>`SELECT pg_try_advisory_xact_lock(${LOCK}::bigint) AS held`
  return lock?.held === true ? work() : null
}

/** The rows of one table that name what was removed. It is finished when none is left, locked ones included. */
async function drainRows(tx: Tx, removal: Removal, table: string, column: string, limit: number): Promise<number> {
  const which = Prisma.sql`${Prisma.raw(column)} = ${removal.id}`
  const drained = await rowsOf(table, which)(tx, limit)
  if (drained < limit) {
    const { id, workspaceId } = removal
    await tx.db.$executeRaw`
      DELETE FROM removals WHERE workspace_id = ${workspaceId} AND id = ${id}
         AND NOT EXISTS (SELECT FROM ${Prisma.raw(table)} WHERE ${which})`
  }
  return drained
}

async function drainWorkspace(tx: Tx, { id }: Removal, limit: number): Promise<number> {
  let drained = 0
  for (const drain of ofWorkspace(id)) {
    drained += await drain(tx, limit - drained)
    if (drained >= limit) return drained
  }
  // What is left goes with its row: what somebody has locked, or written meanwhile.
  await tx.db.$executeRaw`DELETE FROM workspaces WHERE id = ${id}`
  await tx.db.$executeRaw`DELETE FROM removals WHERE workspace_id = ${id}`
  return drained
}

/** By the rows' places on disk: whatever the table's key is. What somebody writes to at this moment is passed over. */
const rowsOf =
  (table: string, which: Prisma.Sql): Drain =>
  (tx, limit) =>
    tx.db.$executeRaw`
      DELETE FROM ${Prisma.raw(table)} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${Prisma.raw(table)} WHERE ${which} LIMIT ${limit} FOR UPDATE SKIP LOCKED))`

/** In an order in which no batch takes more with it than its own rows: of deliveries, their attempts. */
function ofWorkspace(id: string): Drain[] {
  const its = Prisma.sql`workspace_id = ${id}`
  return [
    rowsOf('pictures', its),
    rowsOf('deliveries', its),
    rowsOf('events', its),
    (tx, limit) => drainConversations(tx, id, limit),
    ...['visitors', 'articles', 'collections', 'audit_entries'].map((table) => rowsOf(table, its)),
  ]
}

/** A conversation's messages and markers before itself: it may have any number of them. */
async function drainConversations(tx: Tx, workspaceId: string, limit: number): Promise<number> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>`
    SELECT id FROM conversations WHERE workspace_id = ${workspaceId} LIMIT ${limit} FOR UPDATE SKIP LOCKED`
  if (rows.length === 0) return 0
  const which = Prisma.sql`conversation_id = ANY(${rows.map(({ id }) => id)})`
  let drained = 0
  for (const table of ['messages', 'conversation_reads']) {
    drained += await rowsOf(table, which)(tx, limit - drained)
    if (drained >= limit) return drained
  }
  return drained + (await tx.db.$executeRaw`DELETE FROM conversations WHERE id = ANY(${rows.map(({ id }) => id)})`)
}

/** The member's conversations become nobody's, which the log tells as of any other change, and then their markers go. */
async function drainMember(deps: Deps, removal: Removal, limit: number): Promise<number | null> {
  const { id, workspaceId } = removal
  const assigned = await deps.db.sql<{ id: string }>(
    'SELECT id FROM conversations WHERE workspace_id = $1 AND assignee_id = $2 LIMIT $3',
    [workspaceId, id, limit],
  )
  const conversationIds = assigned.map((row) => row.id)
  return inEventTransaction(deps, { workspaceId, conversationIds }, (tx) =>
    alone(tx, async () => {
      if (conversationIds.length === 0) {
        return drainRows(tx, removal, 'conversation_reads', 'member_id', limit)
      }
      const at = deps.clock.now()
      const unassigned = await tx.db.conversation.updateManyAndReturn({
        where: { id: { in: conversationIds }, workspaceId, assigneeId: id },
        data: { assigneeId: null },
        select: { id: true },
      })
      const events = unassigned.map(({ id: conversationId }) => {
        const data = { conversationId, changed: ['assigneeId'], workspaceId }
        return { type: 'conversation.updated' as const, conversationId, data, actor: removal.actor ?? SYSTEM, at }
      })
      await recordLogEvents(tx, deps.bus, workspaceId, events)
      return unassigned.length
    }),
  )
}
