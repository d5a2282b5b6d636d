import { setTimeout } from 'node:timers/promises'
import { Prisma } from '../../infra/database/db.ts'
import { inTransaction, type Tx, tryLock } from '../../infra/database/transaction.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import { recordBulkUpdate, SYSTEM } from '../events/events.ts'
import type { ActorRef } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { kindOfId } from '../shared/ids.ts'

/** The maximum number of rows in a transaction. */
const MAX_BATCH = 500
const MIN_BATCH = 5
/** The target duration of a batch, in milliseconds. On the embedded database, all writers wait for its end. */
const BATCH_MS = 200
const EMBEDDED_BATCH_MS = 8
/** The pause after a batch, as a multiple of its duration, which leaves time for other writers. */
const REST = 2
const MIN_PAUSE_MS = 20
const LOCK = 0x6764524d // "gdRM"

/** The removed object, and the actor. */
interface Removal {
  readonly id: string
  readonly workspaceId: string
  readonly actor: ActorRef | null
}

/**
 * The progress by removal and table: the keys of the last deleted row. A scan from the start would pass all deleted
 * rows, which stay in the index until the next vacuum.
 */
type DrainCursors = Map<string, readonly string[]>

/** Deletes rows of one table. @returns the number of deleted rows */
type Drain = (tx: Tx, limit: number, cursors: DrainCursors) => Promise<number>

/**
 * Deletes the rows of removed endpoints, members and workspaces, in turns and in short transactions with a pause after
 * each, so that writers do not wait. The next call continues after an interruption. Only one node at a time does this.
 * @param signal stops it after the current batch
 * @returns the number of deleted or changed rows
 * @throws the first failure, after all other removals were processed
 */
export async function drainRemovals(deps: Deps, signal?: AbortSignal): Promise<number> {
  const failures = new Map<string, unknown>()
  const cursors: DrainCursors = new Map()
  const targetMs = deps.db.isEmbedded ? EMBEDDED_BATCH_MS : BATCH_MS
  const firstBatch = deps.db.isEmbedded ? MIN_BATCH : MAX_BATCH
  /** By removal: rows of one can take many times as long as rows of another. */
  const sizes = new Map<string, number>()
  for (let total = 0; ; ) {
    const removals = await deps.db.sql<Removal>(OLDEST, [[...failures.keys()]])
    if (removals.length === 0) {
      for (const error of failures.values()) throw error
      return total
    }
    for (const removal of removals) {
      if (signal?.aborted === true) return total
      const size = sizes.get(removal.id) ?? firstBatch
      const began = performance.now()
      const drained = await drainBatch(deps, removal, size, cursors).catch((error: unknown) => {
        failures.set(removal.id, error)
        return 0
      })
      if (drained === null) return total
      total += drained
      const tookMs = performance.now() - began
      sizes.set(removal.id, nextBatch(size, tookMs / targetMs))
      await setTimeout(Math.max(MIN_PAUSE_MS, REST * tookMs), undefined, { ref: false })
    }
  }
}

/**
 * The size of the next batch. It grows at most twofold, so that one quick batch, such as the last one of a table, does
 * not cause a slow one.
 * @param ratio the duration of the last batch, as a multiple of the target
 */
function nextBatch(size: number, ratio: number): number {
  return Math.round(Math.min(MAX_BATCH, Math.max(MIN_BATCH, Math.min(2 * size, size / ratio))))
}

const OLDEST = `SELECT id, workspace_id AS "workspaceId", actor FROM removals
 WHERE id <> ALL($1::text[]) ORDER BY removed_at, id LIMIT 100`

/** @returns null when another node does this */
function drainBatch(deps: Deps, removal: Removal, limit: number, cursors: DrainCursors): Promise<number | null> {
  const kind = kindOfId(removal.id)
  if (kind === 'member') return drainMember(deps, removal, limit, cursors)
  return inTransaction(deps, (tx) =>
    withExclusiveLock(tx, () =>
      kind === 'workspace'
        ? drainWorkspace(tx, removal, limit, cursors)
        : drainRows(tx, removal, { table: 'deliveries', column: 'endpoint_id', key: BY_AGE }, limit, cursors),
    ),
  )
}

/**
 * Restricts the transaction to index scans. Otherwise the planner, which may lack statistics, reads a whole table or
 * index for the few rows of each batch.
 */
async function forceIndexScans(tx: Tx): Promise<void> {
  await tx.db.$queryRaw`
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`
}

async function withExclusiveLock(tx: Tx, work: () => Promise<number>): Promise<number | null> {
  if (!(await tryLock(tx, LOCK))) return null
  await forceIndexScans(tx)
  return work()
}

/**
 * The rows of one table that refer to the removed object. The table is finished when none is left, including locked
 * ones.
 */
async function drainRows(
  tx: Tx,
  removal: Removal,
  { table, column, key }: { table: string; column: string; key: Key },
  limit: number,
  cursors: DrainCursors,
): Promise<number> {
  const { id, workspaceId } = removal
  const drained = await rowsOf(table, column, id, key)(tx, limit, cursors)
  if (drained < limit) {
    const finished = await tx.db.$executeRaw`
      DELETE FROM removals WHERE workspace_id = ${workspaceId} AND id = ${id}
         AND NOT EXISTS (SELECT FROM ${Prisma.raw(table)} WHERE ${Prisma.raw(column)} = ${id})`
    // Locked rows were skipped.
    if (finished === 0) tx.afterCommit(() => cursors.delete(cursorName(table, id)))
  }
  return drained
}

/**
 * The row of the workspace is locked before the rows that refer to it: a transaction that is still inserting has a share of
 * that lock, and may wait for another of these rows. For the same reason, the workspace is not deleted while a row is left,
 * which another transaction has locked.
 */
async function drainWorkspace(tx: Tx, { id }: Removal, limit: number, cursors: DrainCursors): Promise<number> {
  await tx.db.$executeRaw`SELECT FROM workspaces WHERE id = ${id} FOR UPDATE`
  const drains = ofWorkspace(id)
  let drained = 0
  for (const drain of Object.values(drains)) {
    drained += await drain(tx, limit - drained, cursors)
    if (drained >= limit) return drained
  }
  const tables = Object.keys(drains)
  const isLeft = tables.map((table) => Prisma.sql`EXISTS (SELECT FROM ${Prisma.raw(table)} WHERE workspace_id = ${id})`)
  const finished = await tx.db.$executeRaw`
    DELETE FROM removals WHERE workspace_id = ${id} AND NOT (${Prisma.join(isLeft, ' OR ')})`
  if (finished > 0) await tx.db.$executeRaw`DELETE FROM workspaces WHERE id = ${id}`
  else {
    tx.afterCommit(() => {
      for (const table of tables) cursors.delete(cursorName(table, id))
    })
  }
  return drained
}

/** The columns that follow in the index after the one that finds the rows, and their types. */
type Key = readonly (readonly [column: string, type: string])[]
const BY_AGE: Key = [
  ['created_at', 'timestamptz'],
  ['id', 'text'],
]

const cursorName = (table: string, id: string) => `${table} ${id}`
const listOf = (parts: readonly string[]) => Prisma.raw(parts.join())

/** Finds rows by the value of a column, from the end of an index, where lists begin. Skips rows that are locked. */
function rowsOf(table: string, column: string, value: string, key: Key): Drain {
  const name = cursorName(table, value)
  const columns = key.map(([each]) => each)
  const order = listOf(columns.map((each) => `${each} DESC`))
  const rows = Prisma.raw(table)
  return async (tx, limit, cursors) => {
    const cursor = cursors.get(name)
    const further =
      cursor === undefined
        ? Prisma.empty
        : Prisma.sql`AND (${listOf(columns)}) < (${Prisma.join(key.map(([, type], n) => Prisma.sql`${cursor[n]}::text::${Prisma.raw(type)}`))})`
    const [last] = await tx.db.$queryRaw<{ n: number; key: string[] }[]>`
      WITH gone AS (
        DELETE FROM ${rows} WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM ${rows} WHERE ${Prisma.raw(column)} = ${value} ${further}
           ORDER BY ${order} LIMIT ${limit} FOR UPDATE SKIP LOCKED))
        RETURNING ${listOf(columns)}
      )
      SELECT count(*) OVER ()::int AS n, ARRAY[${listOf(columns.map((each) => `${each}::text`))}] AS key
        FROM gone ORDER BY ${listOf(columns)} LIMIT 1`
    if (last === undefined) return 0
    tx.afterCommit(() => cursors.set(name, last.key))
    return last.n
  }
}

/**
 * The tables with rows of a workspace, in an order in which no batch deletes other rows by cascade, except the attempts of its
 * deliveries.
 */
function ofWorkspace(id: string): Record<string, Drain> {
  const rows = (table: string, key: Key = BY_AGE) => ({ [table]: rowsOf(table, 'workspace_id', id, key) })
  return {
    ...rows('pictures', [['url_hash', 'text']]),
    ...rows('deliveries'),
    ...rows('events', [
      ['xid', 'xid8'],
      ['seq', 'bigint'],
    ]),
    conversations: (tx, limit) => drainConversations(tx, id, limit),
    ...rows('visitors'),
    ...rows('articles'),
    ...rows('collections'),
    ...rows('audit_entries'),
    ...rows('conversation_counts', [
      ['status', '"ConversationStatus"'],
      ['id', 'bigint'],
    ]),
  }
}

/** Messages and markers are deleted before their conversation, which can have any number of them. */
async function drainConversations(tx: Tx, workspaceId: string, limit: number): Promise<number> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>`
    SELECT id FROM conversations WHERE workspace_id = ${workspaceId}
     ORDER BY created_at DESC, id DESC LIMIT ${limit} FOR UPDATE SKIP LOCKED`
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  let drained = 0
  for (const table of ['messages', 'conversation_reads']) {
    drained += await tx.db.$executeRaw`
      DELETE FROM ${Prisma.raw(table)} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${Prisma.raw(table)} WHERE conversation_id = ANY(${ids}) LIMIT ${limit - drained} FOR UPDATE SKIP LOCKED))`
    if (drained >= limit) return drained
  }
  return drained + (await tx.db.$executeRaw`DELETE FROM conversations WHERE id = ANY(${ids})`)
}

/** Unassigns the member's conversations, with an event for each, and then deletes their markers. */
async function drainMember(deps: Deps, removal: Removal, limit: number, cursors: DrainCursors): Promise<number | null> {
  const { id, workspaceId } = removal
  const assigned = await inTransaction(deps, async (tx) => {
    await forceIndexScans(tx)
    return tx.db.$queryRaw<{ id: string }[]>`
      SELECT id FROM conversations WHERE workspace_id = ${workspaceId} AND assignee_id = ${id}
       ORDER BY activity_minute DESC LIMIT ${limit}`
  })
  const conversationIds = assigned.map((row) => row.id)
  return inEventTransaction(deps, { workspaceId, conversationIds }, (tx) =>
    withExclusiveLock(tx, async () => {
      if (conversationIds.length === 0) {
        const reads = { table: 'conversation_reads', column: 'member_id', key: [['conversation_id', 'text']] } as const
        return drainRows(tx, removal, reads, limit, cursors)
      }
      const unassigned = await tx.db.conversation.updateManyAndReturn({
        where: { id: { in: conversationIds }, workspaceId, assigneeId: id },
        data: { assigneeId: null },
        select: { id: true },
      })
      await recordBulkUpdate(tx, deps.bus, {
        workspaceId,
        conversationIds: unassigned.map((row) => row.id),
        changed: ['assigneeId'],
        actor: removal.actor ?? SYSTEM,
        at: deps.clock.now(),
      })
      return unassigned.length
    }),
  )
}
