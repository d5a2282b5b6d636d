import type { Prisma } from '../generated/prisma/client.ts'
import type { Database } from './db.ts'

declare const minted: unique symbol

/** An open transaction. Only inTransaction makes one, so an event cannot be recorded outside the transaction of its change. */
export interface Tx {
  readonly [minted]: true
  readonly db: Prisma.TransactionClient
  /** Runs after a successful commit, in order. For signals only: it cannot fail the operation any more. */
  afterCommit(effect: () => void): void
}

const TRIES = 3

/**
 * Runs `work` in one transaction, and again when the database ended it to resolve a deadlock. Inside, use only
 * `tx.db`: the embedded database has one connection, and a query on the other handle would wait for itself.
 */
export async function inTransaction<T>(deps: { db: Database }, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    const effects: (() => void)[] = []
    try {
      const result = await deps.db.prisma.$transaction((db) => {
        const tx = { db, afterCommit: (effect: () => void) => void effects.push(effect) } as Tx
        return work(tx)
      })
      for (const effect of effects) effect()
      return result
    } catch (error) {
      if (tried === TRIES || !isDeadlock(error)) throw error
    }
  }
}

/** Prisma's code for a deadlock or write conflict, or the same inside a raw query's error. */
function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'P2034' || (error.code === 'P2010' && /Code: `(40P01|40001)`/.test(error.message))
}
