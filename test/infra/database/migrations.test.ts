import { createHash } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { pglitePool } from '../../../src/infra/database/embedded/pglite-socket.ts'
import { type Migration, migrate } from '../../../src/infra/database/migrations.ts'
import { sqlStatements } from '../../../src/infra/database/sql-statements.ts'
import { backend, createPostgres } from '../../support/database.ts'
import { until } from '../../support/until.ts'

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** An empty database: as many pools as are asked for, each as a node has one. */
async function emptyDatabase(): Promise<() => pg.Pool> {
  if (backend === 'embedded') {
    const pglite = await PGlite.create()
    ends.push(() => pglite.close())
    const pool = pglitePool(() => pglite)
    ends.push(() => pool.end())
    return () => pool
  }
  const { url, drop } = await createPostgres()
  ends.push(drop)
  return () => {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    ends.push(() => pool.end())
    return pool
  }
}

function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
}

const TABLE = migration('1_table', "CREATE TABLE letters (letter text); INSERT INTO letters VALUES ('a'), ('b')")
const INDEX = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "letters_idx" ON letters (letter)'
const CONCURRENT = migration('2_index', `-- guddesk: no transaction\n${INDEX};\n`)
const ALL = [TABLE, CONCURRENT]

interface Lines {
  readonly lines: { facts: object; text: string }[]
  info(facts: object | string, text?: string): void
  warn(facts: object | string, text?: string): void
}

function keepLines(): Lines {
  const lines: Lines['lines'] = []
  const keep = (facts: object | string, text?: string) =>
    void lines.push(typeof facts === 'string' ? { facts: {}, text: facts } : { facts, text: text ?? '' })
  return { lines, info: keep, warn: keep }
}

const indexState = async (pool: pg.Pool) => {
  const { rows } = await pool.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('letters_idx')`)
  return rows.map(({ indisvalid }) => indisvalid)
}

const ledger = async (pool: pg.Pool) => {
  const { rows } = await pool.query(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS "isFinished", applied_steps_count AS steps
       FROM "_prisma_migrations" ORDER BY started_at, migration_name`,
  )
  return rows
}

describe('migrations that run without a transaction', () => {
  test('an index is built CONCURRENTLY, and stands in the ledger as Prisma writes it', async () => {
    const open = await emptyDatabase()
    const pool = open()
    expect(await migrate(pool, ALL)).toEqual(['1_table', '2_index'])
    expect(await migrate(pool, ALL)).toEqual([])
    expect(await indexState(pool)).toEqual([true])
    expect(await ledger(pool)).toEqual([
      { name: '1_table', checksum: TABLE.checksum, isFinished: true, steps: 1 },
      { name: '2_index', checksum: CONCURRENT.checksum, isFinished: true, steps: 1 },
    ])
    const edited = migration('2_index', `${CONCURRENT.sql}-- edited`)
    await expect(migrate(pool, [TABLE, edited])).rejects.toThrow('was edited after it was applied')
  })

  test('two nodes that start at once apply each once, and wait without a deadlock', async () => {
    const open = await emptyDatabase()
    const nodes = [open(), open(), open()]
    await migrate(open(), [TABLE])
    const applied = await Promise.all(nodes.map((pool) => migrate(pool, ALL)))
    expect(applied.flat()).toEqual(['2_index'])
    expect(await indexState(open())).toEqual([true])
  })

  test('a build that failed leaves an INVALID index: it is dropped and built again, and statements that were run are not', async () => {
    const open = await emptyDatabase()
    const pool = open()
    const unique = INDEX.replace('INDEX', 'UNIQUE INDEX')
    const insert = `INSERT INTO letters VALUES ('a')`
    const sql = `-- guddesk: no transaction\n${insert};\n${unique};\nINSERT INTO letters VALUES ('c; d')`
    const all = [TABLE, migration('2_unique', sql)]
    await expect(migrate(pool, all)).rejects.toThrow('could not create unique index')
    expect((await ledger(pool))[1]).toMatchObject({ name: '2_unique', isFinished: false, steps: 1 })
    await pool.query(`DELETE FROM letters WHERE ctid = (SELECT max(ctid) FROM letters WHERE letter = 'a')`)
    const log = keepLines()
    expect(await migrate(pool, all, { log })).toEqual(['2_unique'])
    expect(await indexState(pool)).toEqual([true])
    const { rows } = await pool.query('SELECT letter FROM letters ORDER BY 1')
    expect(rows.map(({ letter }) => letter)).toEqual(['a', 'b', 'c; d'])
    // The embedded database builds at once, and leaves nothing behind that would be INVALID.
    if (backend === 'postgres') expect(log.lines.map(({ text }) => text).join()).toContain('incomplete index dropped')
  })

  test('one that failed and was mended begins anew; what cannot go on after a crash is refused before it runs', async () => {
    const open = await emptyDatabase()
    const pool = open()
    const broken = migration(
      '2_broken',
      '-- guddesk: no transaction\nCREATE TABLE IF NOT EXISTS one (); CREATE TABEL two ()',
    )
    await expect(migrate(pool, [TABLE, broken])).rejects.toThrow('syntax error')
    const mended = migration('2_broken', broken.sql.replace('TABEL', 'TABLE'))
    expect(await migrate(pool, [TABLE, mended])).toEqual(['2_broken'])
    expect((await ledger(pool))[1]).toMatchObject({ checksum: mended.checksum, isFinished: true, steps: 2 })
    const refused = (sql: string) => expect(migrate(pool, [TABLE, mended, migration('3', sql)])).rejects
    await refused('-- guddesk: no transactions\nSELECT 1').toThrow('The only such line is "-- guddesk: no transaction"')
    await refused('-- guddesk: no transaction\nCREATE INDEX CONCURRENTLY x ON letters (letter)').toThrow(
      'IF NOT EXISTS',
    )
  })

  test('statements end at semicolons that are not in strings, names, comments and bodies', () => {
    const script = `-- a; b
      SELECT 'it''s; 1' AS "x;""y" /* ; */, 1-1, 2/1;;
      CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN PERFORM 1; END $body$; DO $$ BEGIN NULL; END $$ -- ;`
    expect(sqlStatements(script)).toEqual([
      `SELECT 'it''s; 1' AS "x;""y"  , 1-1, 2/1`,
      'CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN PERFORM 1; END $body$',
      'DO $$ BEGIN NULL; END $$',
    ])
    expect(
      sqlStatements(
        String.raw`SELECT E'it\'s; 1'; SELECT LIKE'\'; SELECT /* /* ; */ ; */ 2; SELECT a$b, c$b; SELECT 3`,
      ),
    ).toEqual([String.raw`SELECT E'it\'s; 1'`, String.raw`SELECT LIKE'\'`, 'SELECT   2', 'SELECT a$b, c$b', 'SELECT 3'])
  })
})

// On the embedded database nobody else can have a transaction open.
describe.runIf(backend === 'postgres')('a transaction that is open while migrations run', () => {
  const ALTER = migration('2_alter', 'ALTER TABLE letters ADD COLUMN number int')

  async function holdTable(pool: pg.Pool): Promise<() => Promise<void>> {
    const client = await pool.connect()
    await client.query(`BEGIN; INSERT INTO letters VALUES ('d')`)
    return async () => {
      await client.query('COMMIT')
      client.release()
    }
  }

  test('a migration gives way to those who come after it, says what it waits for, and tries again', async () => {
    const open = await emptyDatabase()
    const [others, node] = [open(), open()]
    await migrate(node, [TABLE])
    const letGo = await holdTable(others)
    const log = keepLines()
    const migrating = migrate(node, [TABLE, ALTER], { log, lockTimeoutMs: 200 })
    await until(() => log.lines.length > 0)
    expect(log.lines[0]?.text).toContain('blocked by a locked table')
    expect(log.lines[0]?.facts).toMatchObject({
      migration: '2_alter',
      openTransactions: [{ state: 'idle in transaction', seconds: expect.any(Number) }],
    })
    const began = performance.now()
    await others.query('SELECT * FROM letters')
    expect(performance.now() - began).toBeLessThan(400)
    await letGo()
    expect(await migrating).toEqual(['2_alter'])
    expect((await ledger(node)).map(({ isFinished }) => isFinished)).toEqual([true, true])
  })

  test('a build waits for it as long as it takes, nobody waits behind the build, and the next node goes on after a crash', async () => {
    const open = await emptyDatabase()
    const [others, first, second] = [open(), open(), open()]
    await migrate(first, [TABLE])
    const letGo = await holdTable(others)
    const crashing = migrate(first, ALL, { lockTimeoutMs: 100 })
    const crashed = expect(crashing).rejects.toThrow('terminat')
    await until(async () => (await indexState(others)).length > 0)
    const log = keepLines()
    const going = migrate(second, ALL, { log, lockTimeoutMs: 100 })
    await until(() => log.lines.some(({ text }) => text.includes('in progress in another process')))
    await others.query(`INSERT INTO letters VALUES ('c')`)
    await others.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'`)
    await crashed
    await until(() => log.lines.some(({ text }) => text.includes('incomplete index dropped')))
    await letGo()
    expect(await going).toEqual(['2_index'])
    expect(await indexState(others)).toEqual([true])
  })
})
