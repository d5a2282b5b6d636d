import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'

export class MigrationError extends Error {
  override name = 'MigrationError'
}

export interface Migration {
  readonly name: string
  readonly sql: string
  /** Hex SHA-256 of the file, as Prisma records it. */
  readonly checksum: string
}

const MIGRATIONS_LOCK = 0x67644d47 // "gdMG"

/** Prisma's own bookkeeping table: `prisma migrate deploy` and this module can be used in turn. */
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`

/** The migrations in the repository, in the order of their names. */
export function readMigrations(): Migration[] {
  const folder = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}/migration.sql`, 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

/**
 * Applies what is missing, each migration in one transaction with its row in the ledger, under an advisory lock:
 * nodes that start together wait for each other. Needs no network and no engine binary.
 * @returns the names of the migrations that were applied now
 * @throws MigrationError when a landed migration was edited or an earlier one failed half-way elsewhere
 */
export async function migrate(pool: pg.Pool, migrations = readMigrations()): Promise<string[]> {
  const client = await pool.connect()
  const applied: string[] = []
  try {
    for (const migration of migrations) {
      await client.query('BEGIN')
      await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATIONS_LOCK])
      await client.query(CREATE_LEDGER)
      if (!(await isApplied(client, migration))) {
        await client.query(migration.sql)
        await client.query(
          `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
           VALUES ($1, $2, $3, now(), 1)`,
          [randomUUID(), migration.checksum, migration.name],
        )
        applied.push(migration.name)
      }
      await client.query('COMMIT')
    }
    client.release()
    return applied
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined) // the first error is the one to report
    client.release(error instanceof Error ? error : true)
    throw error
  }
}

interface LedgerRow {
  checksum: string
  finished_at: Date | null
}

async function isApplied(client: pg.PoolClient, migration: Migration): Promise<boolean> {
  const { rows } = await client.query<LedgerRow>(
    'SELECT checksum, finished_at FROM "_prisma_migrations" WHERE migration_name = $1 AND rolled_back_at IS NULL',
    [migration.name],
  )
  const row = rows[0]
  if (row === undefined) return false
  if (row.finished_at === null) {
    throw new MigrationError(`Migration ${migration.name} failed half-way. Mend it with "prisma migrate resolve".`)
  }
  if (row.checksum !== migration.checksum) {
    throw new MigrationError(`Migration ${migration.name} was edited after it was applied. Restore the file.`)
  }
  return true
}
