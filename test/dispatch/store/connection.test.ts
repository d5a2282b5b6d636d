import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DbConnection, openConnection } from '../../../src/dispatch/store/connection.ts'
import type { Database } from '../../../src/infra/database/db.ts'
import { backend, openTestDatabase } from '../../support/database.ts'

let db: Database
let connection: DbConnection

beforeAll(async () => {
  db = await openTestDatabase()
  connection = openConnection(db)
})
afterAll(async () => {
  await connection?.close()
  await db?.close()
})

const SETTINGS = ['enable_seqscan', 'enable_hashjoin', 'enable_sort', 'plan_cache_mode']
const SHOW = `SELECT ${SETTINGS.map((name) => `current_setting('${name}') AS ${name}`).join()}`
const OURS = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_sort: 'off',
  plan_cache_mode: 'force_generic_plan',
}
const USUAL = { enable_seqscan: 'on', enable_hashjoin: 'on', enable_sort: 'on', plan_cache_mode: 'auto' }
const FAILS = { name: 'test_fails', text: 'SELECT 1 / $1::int' }

test('the dispatcher’s statements have a planner of their own, and nobody else’s', async () => {
  expect(await connection.run({ name: 'test_show', text: SHOW }, [])).toEqual([OURS])
  expect(await db.sql(SHOW)).toEqual([USUAL])
})

test('a statement that fails leaves everything as it was', async () => {
  await expect(connection.run(FAILS, [0])).rejects.toThrow('division by zero')
  expect(await db.sql(SHOW)).toEqual([USUAL])
  expect(await connection.run(FAILS, [1])).toEqual([{ '?column?': 1 }])
})

describe.runIf(backend === 'embedded')('a new connection to the embedded database', () => {
  test('knows nothing of what was left undone on the one before', async () => {
    const named = { name: 'test_named', text: 'SELECT count(*)::int AS count FROM users' }
    const lost = await db.pool.connect()
    await lost.query(named)
    await lost.query('BEGIN')
    await lost.query(
      `INSERT INTO users (id, email, name, updated_at) VALUES ('usr_lost', 'lost@example.com', 'Lost', now())`,
    )
    await lost.query('SET enable_seqscan = off')
    lost.release(true)
    expect(await db.sql(SHOW)).toEqual([USUAL])
    expect((await db.pool.query(named)).rows).toEqual([{ count: 0 }])
    expect(await db.sql('SHOW timezone')).toEqual([{ TimeZone: 'UTC' }])
  })

  test('is made after an error, and another query has not waited in vain', async () => {
    const failed = expect(db.sql('SELECT 1 / 0')).rejects.toThrow('division by zero')
    expect(await db.sql('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await failed
  })

  test('answers with more than fits into one buffer', async () => {
    const [row] = await db.sql<{ text: string }>(`SELECT repeat('é', $1::int) AS text`, [3_000_000])
    expect(row?.text).toBe('é'.repeat(3_000_000))
  })
})
