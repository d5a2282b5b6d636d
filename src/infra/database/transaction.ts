import { NotFoundError } from '../../domain/shared/errors.ts'
import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Database } from './db.ts'

declare const minted: unique symbol

/** An open transaction. Only inTransaction makes one, so an event cannot be recorded outside the transaction of its change. */
export interface Tx {
  readonly [minted]: true
  readonly db: Prisma.TransactionClient
  /** Runs after a successful commit, in order. For signals only: it cannot fail the operation any more. */
  afterCommit(effect: () => void): void
}

const TRIES = 5

/**
 * Runs `work` in one transaction, and again when the database ended it to resolve a deadlock, or when a row that it had
 * found was deleted by another transaction before it could be used: the next run sees that it is gone. Inside, use only
 * `tx.db`: the embedded database has one connection, and a query on the other handle would wait for itself. With the
 * database of a held transaction, `work` becomes a part of that.
 * @throws NotFoundError when what is gone is not looked for by `work`: the workspace or the agent that acts
 */
export async function inTransaction<T>(deps: { db: Database }, work: (tx: Tx) => Promise<T>): Promise<T> {
  const held = holders.get(deps.db)
  if (held?.tx !== undefined) return work(held.tx)
  for (let tried = 1; ; tried++) {
    try {
      return await (held === undefined ? runAndCommit(deps.db, work) : held.open(work))
    } catch (error) {
      const isGone = refersToDeletedRow(error)
      if (!isGone && !isDeadlock(error)) throw error
      if (tried < TRIES) continue
      throw isGone ? new NotFoundError('What this request belongs to', 'it was removed meanwhile') : error
    }
  }
}

async function runAndCommit<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  const effects: (() => void)[] = []
  const result = await db.prisma.$transaction((client) => work(mint(client, effects)))
  for (const effect of effects) effect()
  return result
}

function mint(db: Prisma.TransactionClient, effects: (() => void)[]): Tx {
  return { db, afterCommit: (effect: () => void) => void effects.push(effect) } as Tx
}

/** Takes a lock that one transaction at a time has, until its end. @returns false: another one has it */
export async function tryLock(tx: Tx, key: number): Promise<boolean> {
  const [lock] = await tx.db.$queryRaw<{ held: boolean }[]>`SELECT pg_try_advisory_xact_lock(${key}::bigint) AS held`
  return lock?.held === true
}

/**
 * A transaction that stays open after the operation that began it, so that the caller can add to it what is known only
 * then: the operation's answer. It begins with the operation's own `inTransaction`, not before: what an operation does
 * first, such as asking a name server, holds no connection.
 *
 * Handed on in `deps.db`, not by an AsyncLocalStorage. Timers, the bus, loaders that batch several requests and other background
 * work would inherit the storage, and a query of theirs would join a transaction of a request that they do not belong to. An
 * explicit database reaches the operation alone.
 */
export interface HeldTransaction {
  /** For the operation. Once the transaction is open, every query through it belongs to the transaction. */
  readonly db: Database
  /** Commits with `last` as its last part; without an open transaction, `last` is one of its own. */
  commit(last: (tx: Tx) => Promise<void>): Promise<void>
  /** Undoes what was done; nothing when no transaction was opened. */
  rollback(): Promise<void>
}

/** Which transaction a held database stands for. */
const holders = new WeakMap<Database, Holder>()

export function holdTransaction(db: Database): HeldTransaction {
  const holder = new Holder(db)
  const held: Database = {
    ...db,
    get prisma() {
      // What TransactionClient lacks is never called on it: inTransaction looks for the holder first.
      return holder.tx === undefined ? db.prisma : (holder.tx.db as PrismaClient)
    },
    sql: (text, params = []) =>
      holder.tx === undefined ? db.sql(text, params) : holder.tx.db.$queryRawUnsafe(text, ...params),
    prepared(statement, params) {
      // Prisma's transactions have none, and beside the transaction the embedded database would wait for itself.
      if (holder.tx !== undefined) throw new Error(`"${statement.name}" cannot be asked within a held transaction`)
      return db.prepared(statement, params)
    },
    values(text, params, options) {
      if (holder.tx !== undefined) throw new Error('Lists of values cannot be asked for within a held transaction')
      return db.values(text, params, options)
    },
  }
  holders.set(held, holder)
  return { db: held, commit: (last) => holder.commit(last), rollback: () => holder.rollback() }
}

class RolledBack extends Error {
  override name = 'RolledBack'
}

class Holder {
  readonly #db: Database
  /** While it is open. */
  tx: Tx | undefined
  #effects: (() => void)[] = []
  #end: PromiseWithResolvers<void> = Promise.withResolvers()
  #finished: Promise<void> = Promise.resolve()

  constructor(db: Database) {
    this.#db = db
  }

  /** Begins, runs the first work, and stays open; a failure of the work ends it. */
  async open<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const opened = Promise.withResolvers<Tx>()
    const end = Promise.withResolvers<void>()
    this.#effects = []
    this.#end = end
    this.#finished = this.#db.prisma.$transaction(async (client) => {
      opened.resolve(mint(client, this.#effects))
      await end.promise
    })
    this.#finished.catch(opened.reject)
    const tx = await opened.promise
    this.tx = tx
    try {
      return await work(tx)
    } catch (error) {
      await this.rollback()
      throw error
    }
  }

  async commit(last: (tx: Tx) => Promise<void>): Promise<void> {
    if (this.tx === undefined) return runAndCommit(this.#db, last)
    try {
      await last(this.tx)
    } catch (error) {
      await this.rollback()
      throw error
    }
    this.tx = undefined
    this.#end.resolve()
    await this.#finished
    for (const effect of this.#effects) effect()
  }

  async rollback(): Promise<void> {
    if (this.tx === undefined) return
    this.tx = undefined
    this.#end.reject(new RolledBack())
    // Whatever ended it, it is over; the operation's own error says why.
    await this.#finished.catch(() => undefined)
  }
}

/** A deadlock or write conflict. */
function isDeadlock(error: unknown): boolean {
  return hasCode(error, ['P2034'], /Code: `(40P01|40001)`/)
}

/** A foreign key to a row that is not there, or a row to be changed that is not there. */
function refersToDeletedRow(error: unknown): boolean {
  return hasCode(error, ['P2003', 'P2025'], /Code: `23503`/)
}

/** @param raw PostgreSQL's code inside a raw query's error */
function hasCode(error: unknown, codes: readonly string[], raw: RegExp): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return codes.some((code) => code === error.code) || (error.code === 'P2010' && raw.test(error.message))
}
