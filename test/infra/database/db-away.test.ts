import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DiskFullError } from '../../../src/domain/shared/errors.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { toUnavailable } from '../../../src/domain/shared/unavailable.ts'
import type { Database, Prisma } from '../../../src/infra/database/db.ts'
import { isDatabaseAway, isDiskFull, isReadOnly } from '../../../src/infra/database/db-away.ts'
import { backend, openTestDatabase } from '../../support/database.ts'
import { POSTGRES_URL } from '../../support/servers.ts'

let db: Database

beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db?.close())

const failure = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('expected a failure')
    },
    (error: unknown) => error,
  )

test('a statement that is wrong is no absence of the database', async () => {
  const user = { id: newId('user'), email: 'twice@example.com', name: 'Twice' }
  await db.prisma.user.create({ data: user })
  for (const work of [
    () => db.sql('SELECT 1 / 0'),
    () => db.sql('SELECT nothing'),
    () => db.sql('SELEC'),
    () => db.values("SELECT 'x'::int", []),
    () => db.prisma.$queryRaw`SELECT 1 / 0`,
    () => db.prisma.user.create({ data: user }),
    () => db.prisma.user.findUniqueOrThrow({ where: { id: newId('user') } }),
    () => db.sql("DO $$ BEGIN RAISE EXCEPTION 'Connection refused' USING ERRCODE = 'P0001'; END $$"),
  ]) {
    expect(isDatabaseAway(await failure(work()))).toBe(false)
  }
})

test.each([undefined, null, 'text', new Error('ECONNREFUSED'), { code: 'ESOCKET', syscall: 'connect' }])(
  'nor is %s',
  (error) => expect(isDatabaseAway(error)).toBe(false),
)

test('a transaction that may only read, through models and in SQL', async () => {
  const user = { id: newId('user'), email: 'read-only@example.com', name: 'Read' }
  for (const write of [
    (tx: Prisma.TransactionClient) => tx.user.create({ data: user }),
    (tx: Prisma.TransactionClient) => tx.$executeRaw`DELETE FROM users`,
  ]) {
    const work = db.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SET TRANSACTION READ ONLY`
      await write(tx)
    })
    const error = await failure(work)
    expect([isReadOnly(error), isDiskFull(error), isDatabaseAway(error)]).toEqual([true, false, false])
  }
})

test('a disk without space', async () => {
  const full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
  for (const work of [db.sql(full), db.prisma.$executeRawUnsafe(full)]) {
    const error = await failure(work)
    expect([isDiskFull(error), isReadOnly(error)]).toEqual([true, false])
    expect(toUnavailable({ db }, error)).toBeInstanceOf(DiskFullError)
  }
})

test('errors that refer to each other end', () => {
  const error = new Error('a')
  error.cause = new Error('b', { cause: error })
  expect(isDatabaseAway(error)).toBe(false)
})

describe.runIf(backend === 'postgres')('PostgreSQL', () => {
  const connect = async (change: Partial<pg.ClientConfig>) => {
    const client = new pg.Client({ connectionString: POSTGRES_URL, ...change })
    client.on('error', () => undefined) // also rejects the query
    await client.connect()
    return client
  }

  test('a port where nothing listens, and a name that does not exist', async () => {
    for (const host of ['127.0.0.1:1', 'nowhere.invalid']) {
      const url = `postgresql://postgres@${host}/postgres`
      expect(isDatabaseAway(await failure(connect({ connectionString: url })))).toBe(true)
    }
  })

  test('a connection that an operator ends', async () => {
    const [client, admin] = [await connect({}), await connect({})]
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const failed = failure(client.query('SELECT pg_sleep(30)'))
    await admin.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
    expect(isDatabaseAway(await failed)).toBe(true)
    expect(isDatabaseAway(await failure(client.query('SELECT 1')))).toBe(true)
    await admin.end()
  })

  test('no connection left, on the server and in the pool', async () => {
    const admin = await connect({})
    const role = `few_${process.pid}`
    await admin.query(`CREATE ROLE ${role} LOGIN CONNECTION LIMIT 0`)
    const error = await failure(connect({ connectionString: undefined, ...addressOf(POSTGRES_URL), user: role }))
    await admin.query(`DROP ROLE ${role}`)
    await admin.end()
    expect(isDatabaseAway(error)).toBe(true)
    const pool = new pg.Pool({ connectionString: POSTGRES_URL, max: 1, connectionTimeoutMillis: 2000 })
    const held = await pool.connect()
    expect(isDatabaseAway(await failure(pool.query('SELECT 1')))).toBe(true)
    held.release()
    await pool.end()
  })

  test('a database that does not exist, and a password that is wrong, are faults of the configuration', async () => {
    const error = await failure(connect({ connectionString: undefined, ...addressOf(POSTGRES_URL), database: 'none' }))
    expect(isDatabaseAway(error)).toBe(false)
  })
})

function addressOf(url: string): pg.ClientConfig {
  const { hostname, port, username, pathname } = new URL(url)
  return { host: hostname, port: Number(port) || 5432, user: username, database: pathname.slice(1) }
}
