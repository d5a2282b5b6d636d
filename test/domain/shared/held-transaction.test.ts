import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { Database } from '../../../src/infra/database/db.ts'
import { holdTransaction, inTransaction, isHeld, type Tx } from '../../../src/infra/database/transaction.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())
afterEach(() => guddesk.deps.db.prisma.visitor.deleteMany())

const write = async (tx: Tx, name: string) => {
  await tx.db.visitor.create({ data: { id: newId('visitor'), workspaceId: guddesk.tenant.workspaceId, name } })
}
const written = async () =>
  (await guddesk.deps.db.prisma.visitor.findMany({ orderBy: { id: 'asc' } })).map(({ name }) => name)
const nothing = async () => undefined
/** Every connection is back in the pool. */
const isIdle = ({ pool }: Database) => pool.idleCount === pool.totalCount

test('everything through it is one transaction, and signals wait for its commit', async () => {
  const signals: string[] = []
  const result = await holdTransaction(
    guddesk.deps.db,
    async (db) => {
      await inTransaction({ db }, async (tx) => {
        await write(tx, 'first')
        tx.afterCommit(() => signals.push('first'))
      })
      await inTransaction({ db }, async (tx) => {
        await write(tx, 'second')
        await inTransaction({ db }, (inner) => write(inner, 'within'))
      })
      const seen = await db.sql<{ name: string }>('SELECT name FROM visitors WHERE name = $1', ['second'])
      expect([seen, await db.prisma.visitor.count(), signals]).toEqual([[{ name: 'second' }], 3, []])
      const text = 'SELECT name, 1 AS one FROM visitors ORDER BY id LIMIT 1'
      expect(await db.values(text, [])).toEqual([['first', 1]])
      expect(await db.values({ name: 'test_held', text }, [])).toEqual([['first', 1]])
      expect(await db.prepared({ name: 'test_held', text }, [])).toEqual([{ name: 'first', one: 1 }])
      return 'done'
    },
    async (tx, made) => {
      expect([made, signals]).toEqual(['done', []])
      await write(tx, 'last')
    },
  )
  expect([result, await written(), signals]).toEqual(['done', ['first', 'second', 'within', 'last'], ['first']])
})

describe('all of it is undone', () => {
  const WAYS: Record<string, (db: Database) => Promise<unknown>> = {
    'when the work around the operation fails': async (db) => {
      await inTransaction({ db }, (tx) => write(tx, 'first'))
      throw new Error('no')
    },
    'when the operation fails': (db) =>
      inTransaction({ db }, async (tx) => {
        await write(tx, 'first')
        throw new Error('no')
      }),
  }

  test.each(Object.entries(WAYS))('%s', async (_name, work) => {
    await expect(holdTransaction(guddesk.deps.db, work, nothing)).rejects.toThrow('no')
    expect(await written()).toEqual([])
    expect(isIdle(guddesk.deps.db)).toBe(true)
  })

  test('when the last part fails', async () => {
    const last = () => Promise.reject(new Error('no'))
    const held = holdTransaction(guddesk.deps.db, (db) => inTransaction({ db }, (tx) => write(tx, 'first')), last)
    await expect(held).rejects.toThrow('no')
    expect(await written()).toEqual([])
  })
})

test('without a transaction in the work, the last part is one of its own', async () => {
  await holdTransaction(guddesk.deps.db, nothing, (tx) => write(tx, 'alone'))
  expect(await written()).toEqual(['alone'])
})

test('an operation that failed may go on: what it reads and writes then is new', async () => {
  const work = async (db: Database) => {
    await inTransaction({ db }, async (tx) => {
      await write(tx, 'first')
      throw new Error('no')
    }).catch(() => undefined)
    expect(await db.prisma.visitor.count()).toBe(0)
    await inTransaction({ db }, (tx) => write(tx, 'second'))
  }
  await holdTransaction(guddesk.deps.db, work, nothing)
  expect(await written()).toEqual(['second'])
})

test('once it is committed, its database is the usual one', async () => {
  let kept: Database | undefined
  await holdTransaction(
    guddesk.deps.db,
    async (db) => {
      kept = db
    },
    (tx) => write(tx, 'first'),
  )
  if (kept === undefined) throw new Error('There was no database')
  const db = kept
  await inTransaction({ db }, (tx) => write(tx, 'later'))
  expect([isHeld(db), await written(), await db.prisma.visitor.count()]).toEqual([false, ['first', 'later'], 2])
})

describe('what goes on in the background of work that was given up', () => {
  test('can do nothing any more', async () => {
    let kept: Database | undefined
    const work = async (db: Database) => {
      kept = db
      throw new Error('given up')
    }
    await expect(holdTransaction(guddesk.deps.db, work, nothing)).rejects.toThrow('given up')
    if (kept === undefined) throw new Error('There was no database')
    const db = kept
    const over = 'was rolled back'
    await expect(inTransaction({ db }, (tx) => write(tx, 'late'))).rejects.toThrow(over)
    await expect(db.sql('SELECT 1')).rejects.toThrow(over)
    await expect(db.values('SELECT 1', [])).rejects.toThrow(over)
    expect(() => db.prisma).toThrow(over)
    expect(await written()).toEqual([])
  })

  test('leaves no transaction open that it was about to begin', async () => {
    const { db: usual } = guddesk.deps
    const gate = Promise.withResolvers<void>()
    // Whoever has the only connection, or all of them, lets the operation wait for one.
    const busy = Array.from({ length: usual.pool.options.max ?? 1 }, () =>
      usual.prisma.$transaction(() => gate.promise),
    )
    await until(() => usual.pool.idleCount === 0 && usual.pool.totalCount >= busy.length)
    let late: Promise<unknown> = Promise.resolve()
    const work = async (db: Database) => {
      late = inTransaction({ db }, (tx) => write(tx, 'late')).catch((error: unknown) => error)
      await until(() => usual.pool.waitingCount > 0)
      throw new Error('given up')
    }
    await expect(holdTransaction(usual, work, nothing)).rejects.toThrow('given up')
    gate.resolve()
    await Promise.all(busy)
    expect(String(await late)).toMatch('was rolled back')
    await until(() => isIdle(usual))
    expect(await written()).toEqual([])
  })
})
