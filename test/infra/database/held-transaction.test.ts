import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { holdTransaction, inTransaction, type Tx } from '../../../src/infra/database/transaction.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())
afterEach(() => guddesk.deps.db.prisma.visitor.deleteMany())

const write = (tx: Tx, name: string) =>
  tx.db.visitor.create({ data: { id: newId('visitor'), workspaceId: guddesk.tenant.workspaceId, name } })
const written = async () =>
  (await guddesk.deps.db.prisma.visitor.findMany({ orderBy: { id: 'asc' } })).map(({ name }) => name)

test('everything through it is one transaction, and signals wait for its commit', async () => {
  const held = holdTransaction(guddesk.deps.db)
  const signals: string[] = []
  await inTransaction(held, async (tx) => {
    await write(tx, 'first')
    tx.afterCommit(() => signals.push('first'))
  })
  await inTransaction(held, async (tx) => {
    await write(tx, 'second')
    await inTransaction(held, (inner) => write(inner, 'within'))
  })
  const seen = await held.db.sql<{ name: string }>('SELECT name FROM visitors WHERE name = $1', ['second'])
  expect([seen, await held.db.prisma.visitor.count(), signals]).toEqual([[{ name: 'second' }], 3, []])
  await held.commit((tx) => write(tx, 'last').then(() => undefined))
  expect([await written(), signals]).toEqual([['first', 'second', 'within', 'last'], ['first']])
})

test('undoing it undoes all of it', async () => {
  const held = holdTransaction(guddesk.deps.db)
  await inTransaction(held, (tx) => write(tx, 'first'))
  await inTransaction(held, (tx) => write(tx, 'second'))
  await held.rollback()
  expect(await written()).toEqual([])
})

test('a last part that fails undoes what was done before it', async () => {
  const held = holdTransaction(guddesk.deps.db)
  await inTransaction(held, (tx) => write(tx, 'first'))
  await expect(held.commit(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await written()).toEqual([])
})

test('work that fails ends it; without work, the last part is a transaction of its own', async () => {
  const held = holdTransaction(guddesk.deps.db)
  const failing = inTransaction(held, async (tx) => {
    await write(tx, 'first')
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await held.rollback()
  await held.commit((tx) => write(tx, 'alone').then(() => undefined))
  expect(await written()).toEqual(['alone'])
})
