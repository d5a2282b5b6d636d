import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openConnection } from '../../../src/dispatch/store/connection.ts'
import { type Database, openDatabaseBriefly } from '../../../src/infra/database/db.ts'
import { backend, createPostgres } from '../../support/database.ts'

/** What somebody may have set for their own tools. */
const HOSTILE: Record<string, string> = {
  datestyle: 'German, DMY',
  intervalstyle: 'iso_8601',
  timezone: 'Asia/Kolkata',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_transaction_isolation: 'serializable',
}
const NEEDED: typeof HOSTILE = {
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  default_transaction_isolation: 'read committed',
}
const SHOW = `SELECT ${Object.keys(HOSTILE)
  .map((name) => `current_setting('${name}') AS ${name}`)
  .join()}`
const VALUES = String.raw`SELECT '2026-11-22 10:11:12.5+00'::timestamptz AS "time", '\x00ff5c'::bytea AS bytes,
  0.1::float8 + 0.2::float8 AS "sum", ARRAY[NULL, 'a'] AS list, 'a\b' AS "text", NULL = NULL AS "equal"`

let url: string | undefined
let dataDir: string
let drop: () => Promise<void> = async () => undefined
let db: Database

/** The settings of a database are read by the sessions that come after. */
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'guddesk-test-'))
  if (backend === 'postgres') ({ url, drop } = await createPostgres())
  const before = await openDatabaseBriefly({ databaseUrl: url, dataDir })
  const [row] = await before.sql<{ name: string }>('SELECT current_database() AS name')
  for (const [name, value] of Object.entries(HOSTILE)) {
    await before.sql(`ALTER DATABASE "${row?.name}" SET ${name} = ${name === 'datestyle' ? value : `'${value}'`}`)
  }
  await before.close()
  db = await openDatabaseBriefly({ databaseUrl: url, dataDir })
})

afterAll(async () => {
  await db?.close()
  await drop()
  await rm(dataDir, { recursive: true, force: true })
})

async function expectUsual(run: (text: string) => Promise<object[]>): Promise<void> {
  expect(await run(SHOW)).toEqual([NEEDED])
  const [row] = await run(VALUES)
  expect(row).toEqual({
    time: new Date('2026-11-22T10:11:12.500Z'),
    bytes: Buffer.from([0, 255, 92]),
    sum: 0.1 + 0.2,
    list: [null, 'a'],
    text: String.raw`a\b`,
    equal: null,
  })
}

describe('on a database with settings of its own, values are what they are', () => {
  test('for requests', async () => {
    await expectUsual((text) => db.sql(text))
    await expectUsual((text) => db.prepared({ name: `test_${text.length}`, text }, []))
    const [row] = await db.prisma.$queryRaw<object[]>`SELECT '2026-11-22 10:11:12.5+00'::timestamptz AS time`
    expect(row).toEqual({ time: new Date('2026-11-22T10:11:12.500Z') })
  })

  test('for the dispatcher', async () => {
    const session = openConnection(db)
    await expectUsual((text) => session.run({ name: `test_dispatcher_${text.length}`, text }, []))
    await session.close()
  })
})

describe.runIf(backend === 'postgres')('with options in DATABASE_URL', () => {
  test('theirs count, and those that the code relies on win', async () => {
    const options = encodeURIComponent('-c datestyle=German -c application_name=theirs')
    const other = await openDatabaseBriefly({ databaseUrl: `${url}?options=${options}`, dataDir })
    await expectUsual((text) => other.sql(text))
    expect(await other.sql('SHOW application_name')).toEqual([{ application_name: 'theirs' }])
    const session = openConnection(other)
    const text = `SELECT current_setting('enable_seqscan') AS seqscan, current_setting('datestyle') AS style`
    expect(await session.run({ name: 'test_options', text }, [])).toEqual([{ seqscan: 'off', style: 'ISO, MDY' }])
    await session.close()
    await other.close()
  })

  test('tables of another schema are not looked for', async () => {
    const databaseUrl = `${url}?options=${encodeURIComponent('-c search_path=theirs,public')}`
    await db.sql('CREATE SCHEMA theirs')
    await expect(openDatabaseBriefly({ databaseUrl, dataDir })).rejects.toThrow(/SET search_path = public;$/)
  })
})
