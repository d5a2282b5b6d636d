import { NotFoundError } from '../../domain/shared/errors.ts'
import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Database, Prepared } from './db.ts'

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
  const held = heldTransactions.get(deps.db)
  if (held?.tx !== undefined) return work(held.tx)
  return retried(() => (held === undefined ? runAndCommit(deps.db, work) : held.open(work)))
}

/**
 * Runs a statement that is a transaction by itself: one round trip, prepared. It is run again as `inTransaction` says. With
 * the database of a held transaction, it becomes a part of that.
 * @param effects what to do after a successful commit
 * @throws NotFoundError as inTransaction
 */
export async function inOneStatement<Row extends object>(
  deps: { db: Database },
  statement: Prepared,
  params: unknown[],
  effects: (rows: readonly Row[]) => readonly (() => void)[],
): Promise<readonly Row[]> {
  if (isHeld(deps.db)) {
    return inTransaction(deps, async (tx) => {
      const rows = await deps.db.prepared<Row>(statement, params)
      for (const effect of effects(rows)) tx.afterCommit(effect)
      return rows
    })
  }
  const rows = await retried(() => deps.db.prepared<Row>(statement, params))
  for (const effect of effects(rows)) effect()
  return rows
}

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await run()
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
 * Runs `work` with a database whose transaction stays open after the operation that began it, so that `last` can add what is
 * known only then: the operation's answer. The transaction begins with the operation's own `inTransaction`, not before: what
 * an operation does first, such as asking a name server, holds no connection. From then on everything that is read or written
 * through this database belongs to it. When no operation begins one, `last` is a transaction of its own.
 *
 * The database travels in `deps.db`, and not in an AsyncLocalStorage:
 * docs/decisions/0045-the-transaction-travels-in-deps.md.
 * @throws what `work` and `last` throw: everything is undone then, and what still runs in the background is refused
 */
export async function holdTransaction<T>(
  db: Database,
  work: (held: Database) => Promise<T>,
  last: (tx: Tx, result: T) => Promise<void>,
): Promise<T> {
  const held = new HeldTransaction(db)
  try {
    const result = await work(held.database)
    await held.commit((tx) => last(tx, result))
    return result
  } catch (error) {
    await held.abandon()
    throw error
  }
}

/** Whether a database stands for a held transaction: then several transactions of an operation are one. */
export function isHeld(db: Database): boolean {
  return heldTransactions.has(db)
}

/** Which transaction a held database stands for. */
const heldTransactions = new WeakMap<Database, HeldTransaction>()

class HeldTransaction {
  /** Stands for the transaction while that is open, and for the database before it and after its commit. */
  readonly database: Database
  readonly #db: Database
  #open: OpenTransaction | undefined
  #isAbandoned = false

  constructor(db: Database) {
    this.#db = db
    // What TransactionClient lacks is never called on it: inTransaction looks for the held transaction first.
    const prisma = () => (this.tx === undefined ? db.prisma : (this.tx.db as PrismaClient))
    this.database = {
      ...db,
      get prisma() {
        return prisma()
      },
      sql: async (text, params = []) => (this.tx === undefined ? db.sql(text, params) : rowsOf(this.tx, text, params)),
      prepared: async (statement, params) =>
        this.tx === undefined ? db.prepared(statement, params) : rowsOf(this.tx, statement.text, params),
      values: async (statement, params, options) => {
        if (this.tx === undefined) return db.values(statement, params, options)
        const text = typeof statement === 'string' ? statement : statement.text
        return (await rowsOf(this.tx, text, params)).map((row) => Object.values(row))
      },
    }
    heldTransactions.set(this.database, this)
  }

  /** While it is open. @throws Error when it was abandoned: nothing may happen beside it, outside of any transaction */
  get tx(): Tx | undefined {
    if (this.#isAbandoned) throw abandoned()
    return this.#open?.tx
  }

  /** Begins, runs the first work, and stays open; a failure of the work ends it. */
  async open<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const opened = await begin(this.#db)
    if (this.#isAbandoned) {
      // While this waited for a connection.
      await opened.rollback()
      throw abandoned()
    }
    this.#open = opened
    try {
      return await work(opened.tx)
    } catch (error) {
      await this.#rollback()
      throw error
    }
  }

  async commit(last: (tx: Tx) => Promise<void>): Promise<void> {
    const opened = this.#open
    if (opened === undefined) await runAndCommit(this.#db, last)
    else await last(opened.tx)
    this.#open = undefined
    heldTransactions.delete(this.database)
    await opened?.commit()
  }

  /** Undoes what was done, and refuses everything from now on. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true
    await this.#rollback()
  }

  async #rollback(): Promise<void> {
    const opened = this.#open
    this.#open = undefined
    await opened?.rollback()
  }
}

const abandoned = () => new Error('The transaction of this operation was rolled back')

/** A transaction that is open until it is told how to end. */
interface OpenTransaction {
  readonly tx: Tx
  /** Then runs the effects that waited for it. */
  commit(): Promise<void>
  rollback(): Promise<void>
}

class RolledBack extends Error {
  override name = 'RolledBack'
}

/** Begins a transaction; Prisma knows only those that end with a function. */
async function begin(db: Database): Promise<OpenTransaction> {
  const begun = Promise.withResolvers<Tx>()
  const end = Promise.withResolvers<void>()
  const effects: (() => void)[] = []
  const ended = db.prisma.$transaction((client) => {
    begun.resolve(mint(client, effects))
    return end.promise
  })
  ended.catch(begun.reject)
  return {
    tx: await begun.promise,
    async commit() {
      end.resolve()
      await ended
      for (const effect of effects) effect()
    },
    async rollback() {
      end.reject(new RolledBack())
      // Whatever ended it, it is over; the operation's own error says why.
      await ended.catch(() => undefined)
    },
  }
}

/** Rows as the pool reads them: Prisma makes bigints of int8, where pg leaves texts. The columns need distinct names. */
async function rowsOf<Row extends object>(tx: Tx, text: string, params: readonly unknown[]): Promise<Row[]> {
  const rows = await tx.db.$queryRawUnsafe<Row[]>(text, ...params)
  for (const row of rows) {
    for (const [name, value] of Object.entries(row))
      if (typeof value === 'bigint') Reflect.set(row, name, String(value))
  }
  return rows
}

/** A deadlock or write conflict. */
function isDeadlock(error: unknown): boolean {
  return hasCode(error, ['P2034', '40P01', '40001'], /Code: `(40P01|40001)`/)
}

/** A foreign key to a row that is not there, or a row to be changed that is not there. */
function refersToDeletedRow(error: unknown): boolean {
  return hasCode(error, ['P2003', 'P2025', '23503'], /Code: `23503`/)
}

/**
 * @param codes Prisma's, and PostgreSQL's as pg has them
 * @param raw PostgreSQL's code inside the error of Prisma's raw query
 */
function hasCode(error: unknown, codes: readonly string[], raw: RegExp): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return codes.some((code) => code === error.code) || (error.code === 'P2010' && raw.test(error.message))
}
