import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { inject } from 'vitest'
import { assemble, type Database } from '../../src/infra/database/db.ts'
import { pglitePool } from '../../src/infra/database/embedded/pglite-socket.ts'
import { postgresConnection } from '../../src/infra/database/pg-session.ts'
import { POSTGRES_URL, withDatabase } from './servers.ts'
import { until } from './until.ts'

export const backend = process.env['TEST_BACKEND'] === 'postgres' ? 'postgres' : 'embedded'

/** A migrated, empty database of its own for one test file. */
export async function openTestDatabase(): Promise<Database> {
  return backend === 'postgres' ? clonePostgres() : loadEmbedded()
}

/** An empty database before any migration, and what ends it. */
export async function openEmptyPool(): Promise<{ pool: pg.Pool; drop: () => Promise<void> }> {
  if (backend === 'embedded') {
    const pglite = await PGlite.create()
    return { pool: pglitePool(() => pglite), drop: () => pglite.close() }
  }
  const { url, drop } = await createPostgres()
  return { pool: new pg.Pool({ connectionString: url }), drop }
}

async function loadEmbedded(): Promise<Database> {
  const template = await readFile(inject('embeddedTemplate'))
  const pglite = await PGlite.create({ loadDataDir: new Blob([template]) })
  return assemble(
    pglitePool(() => pglite),
    'embedded',
    () => pglite.close(),
  )
}

async function clonePostgres(): Promise<Database> {
  const { url, drop } = await createPostgres(inject('postgresTemplate'))
  return assemble(new pg.Pool({ ...postgresConnection(url), max: 16 }), 'shared', drop)
}

/** A migrated, empty database on PostgreSQL, behind what `through` puts before it. */
export async function openPostgresThrough(
  through: (url: string) => Promise<{ port: number; close(): Promise<void> }>,
): Promise<Database> {
  const { url, drop } = await createPostgres(inject('postgresTemplate'))
  const between = await through(url)
  const there = new URL(url)
  there.host = `127.0.0.1:${between.port}`
  const pool = new pg.Pool({ ...postgresConnection(there.href), max: 16, connectionTimeoutMillis: 10_000 })
  pool.on('error', () => undefined) // what is cut off ends its idle connections
  return assemble(pool, 'shared', async () => {
    await between.close()
    await drop()
  })
}

/** A PostgreSQL database of its own, cloned from a template or empty. */
export async function createPostgres(template?: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `guddesk_test_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: POSTGRES_URL })
  await admin.connect()
  // One clone at a time: PostgreSQL refuses a template that is being copied.
  await admin.query('SELECT pg_advisory_lock(4711)')
  await admin.query(`CREATE DATABASE ${name} ${template === undefined ? '' : `TEMPLATE ${template}`}`)
  await admin.query('SELECT pg_advisory_unlock(4711)')
  const drop = async () => {
    // Whatever is still connected after a while is a leak, and fails here.
    await until(
      () => admin.query(`DROP DATABASE ${name}`).then(() => true, isStillUsed),
      5000,
      () => `${name} is in use`,
    )
    await admin.end()
  }
  return { url: withDatabase(POSTGRES_URL, name), drop }
}

function isStillUsed(error: unknown): false {
  if (error instanceof Error && 'code' in error && error.code === '55006') return false
  throw error
}
