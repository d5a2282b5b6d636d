import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Log } from '../log.ts'
import { sqlStatements } from './sql-statements.ts'

export class MigrationError extends Error {
  override name = 'MigrationError'
}

export interface Migration {
  readonly name: string
  readonly sql: string
  /** Hex SHA-256 of the file, as Prisma records it. */
  readonly checksum: string
}

/**
 * The first line of a migration whose statements run one by one without a transaction, for CREATE INDEX CONCURRENTLY.
 */
const NO_TRANSACTION = '-- guddesk: no transaction'
const MARKER = /^-- guddesk:.*/

const MIGRATIONS_LOCK = 0x67644d47 // "gdMG"
/** The interval at which a node tries to get the lock while another one applies migrations. */
const POLL_MS = 200
/** The time that a statement waits for a table. All later statements on that table wait behind it. */
const LOCK_TIMEOUT_MS = 2000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

/** Prisma's ledger table: `prisma migrate deploy` and this module can be used in turn. */
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

/** The migrations in the repository, sorted by name. */
export function readMigrations(): Migration[] {
  const folder = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url))
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}/migration.sql`, 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

export interface MigrateOptions {
  /** Gets messages about waiting. */
  readonly log?: Pick<Log, 'info' | 'warn'>
  readonly lockTimeoutMs?: number
}

/**
 * Applies missing migrations. Each migration is one transaction, with its row in the ledger; marked ones run their
 * statements one by one, and continue where they were interrupted. One node at a time does this: the others poll
 * instead of waiting for the lock, because CREATE INDEX CONCURRENTLY waits for all waiting transactions. Requires no
 * network and no engine binary.
 * @returns the names of the applied migrations
 * @throws MigrationError when an applied migration was edited, or an earlier one failed half-way
 */
export async function migrate(
  pool: pg.Pool,
  migrations: readonly Migration[] = readMigrations(),
  { log, lockTimeoutMs = LOCK_TIMEOUT_MS }: MigrateOptions = {},
): Promise<string[]> {
  const client = await pool.connect()
  try {
    const run = new Run(client, log, lockTimeoutMs)
    return await run.apply(migrations)
  } finally {
    // The lock and the settings end with the session.
    client.release(true)
  }
}

class Run {
  readonly #client: pg.PoolClient
  readonly #log: MigrateOptions['log']
  readonly #lockTimeoutMs: number

  constructor(client: pg.PoolClient, log: MigrateOptions['log'], lockTimeoutMs: number) {
    this.#client = client
    this.#log = log
    this.#lockTimeoutMs = lockTimeoutMs
  }

  async apply(migrations: readonly Migration[]): Promise<string[]> {
    if ((await this.#missing(migrations)).length === 0) return []
    // A role can have a time limit that is too short to build an index of a large table.
    await this.#client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    await this.#takeTurn()
    await this.#client.query(CREATE_LEDGER)
    // Another node may have applied some meanwhile.
    const missing = await this.#missing(migrations)
    for (const migration of missing) {
      if (runsWithoutTransaction(migration)) await this.#runStatements(migration)
      else await this.#patiently(migration, () => this.#runAtOnce(migration))
    }
    await this.#client.query('SELECT pg_advisory_unlock($1)', [MIGRATIONS_LOCK])
    return missing.map(({ name }) => name)
  }

  async #missing(migrations: readonly Migration[]): Promise<Migration[]> {
    const { rows } = await this.#client.query<{ exists: boolean }>(
      `SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS exists`,
    )
    if (rows[0]?.exists !== true) return [...migrations]
    const ledger = await this.#ledger()
    return migrations.filter((migration) => !isApplied(migration, ledger.get(migration.name)))
  }

  async #ledger(): Promise<Map<string, LedgerRow>> {
    const { rows } = await this.#client.query<LedgerRow>(
      `SELECT id, migration_name AS name, checksum, finished_at, applied_steps_count
         FROM "_prisma_migrations" WHERE rolled_back_at IS NULL`,
    )
    return new Map(rows.map((row) => [row.name, row]))
  }

  async #takeTurn(): Promise<void> {
    for (let looks = 0; ; looks++) {
      const { rows } = await this.#client.query<{ isMine: boolean }>('SELECT pg_try_advisory_lock($1) AS "isMine"', [
        MIGRATIONS_LOCK,
      ])
      if (rows[0]?.isMine === true) return
      if (looks === 0) this.#log?.info('migrations in progress in another process; waiting')
      await pause(POLL_MS)
    }
  }

  /** Repeats the work, after a growing pause, while a transaction has locked a table that it needs. */
  async #patiently(migration: Migration, work: () => Promise<void>): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await work()
      } catch (error) {
        if (!isHeldUp(error)) throw error
        const facts = {
          migration: migration.name,
          openTransactions: await this.#openTransactions(),
          retryInMs: pauseMs,
        }
        this.#log?.warn(facts, 'migration blocked by a locked table; retrying')
        await pause(pauseMs)
      }
    }
  }

  /** The oldest open transactions of other sessions in this database, for the log. */
  async #openTransactions(): Promise<unknown[]> {
    const { rows } = await this.#client.query(
      `SELECT pid, application_name AS application, state, extract(epoch FROM now() - xact_start)::int AS seconds
         FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        ORDER BY xact_start LIMIT 3`,
    )
    return rows
  }

  async #runAtOnce({ name, sql, checksum }: Migration): Promise<void> {
    try {
      await this.#client.query(`BEGIN; SET LOCAL lock_timeout = ${this.#lockTimeoutMs}`)
      await this.#client.query(sql)
      await this.#client.query(
        `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, now(), 1)`,
        [randomUUID(), checksum, name],
      )
      await this.#client.query('COMMIT')
    } catch (error) {
      await this.#client.query('ROLLBACK').catch(() => undefined) // the first error is the one to report
      throw error
    }
  }

  /**
   * The ledger counts completed statements. After a crash, the interrupted statement runs again, so it must be
   * repeatable.
   */
  async #runStatements(migration: Migration): Promise<void> {
    const { name, sql, checksum } = migration
    const begun = (await this.#ledger()).get(name)
    const id = begun?.id ?? randomUUID()
    if (begun === undefined) {
      const begin = `INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)`
      await this.#client.query(begin, [id, checksum, name])
    }
    // A migration that was corrected since then starts again.
    const done = begun?.checksum === checksum ? begun.applied_steps_count : 0
    for (const [i, statement] of sqlStatements(sql).entries()) {
      if (i < done) continue
      this.#log?.info({ migration: name, statement }, 'migration statement started without a transaction')
      await this.#patiently(migration, () => this.#runAlone(statement))
      const count = 'UPDATE "_prisma_migrations" SET applied_steps_count = $2, checksum = $3 WHERE id = $1'
      await this.#client.query(count, [id, i + 1, checksum])
    }
    const finish = 'UPDATE "_prisma_migrations" SET finished_at = now(), checksum = $2 WHERE id = $1'
    await this.#client.query(finish, [id, checksum])
  }

  async #runAlone(statement: string): Promise<void> {
    const index = INDEX_BUILD.exec(statement)?.[1]
    if (index !== undefined) await this.#dropBrokenIndex(index)
    // While the build waits for transactions, no other statement waits for the build.
    const isPatient = /^\w+\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b/i.test(statement)
    await this.#client.query(`SET lock_timeout = ${isPatient ? 0 : this.#lockTimeoutMs}`)
    await this.#client.query(statement)
  }

  /** A failed or interrupted build leaves its index INVALID: unused, but maintained, and its name is taken. */
  async #dropBrokenIndex(name: string): Promise<void> {
    const { rows } = await this.#client.query<{ isValid: boolean }>(
      'SELECT indisvalid AS "isValid" FROM pg_index WHERE indexrelid = to_regclass($1)',
      [name],
    )
    if (rows[0]?.isValid !== false) return
    this.#log?.warn({ index: name }, 'incomplete index dropped; rebuilding')
    await this.#client.query('SET lock_timeout = 0')
    await this.#client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`)
  }
}

/** The name of the index, as written in the statement. */
const INDEX_BUILD = /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+("(?:[^"]|"")+"|\w+)\s+ON\b/i

/** @throws MigrationError for a misplaced marker, and for statements that cannot be repeated */
function runsWithoutTransaction({ name, sql }: Migration): boolean {
  const marker = MARKER.exec(sql)?.[0].trimEnd()
  if (marker === undefined) return false
  if (marker !== NO_TRANSACTION) {
    throw new MigrationError(`Migration ${name} begins with "${marker}". The only such line is "${NO_TRANSACTION}".`)
  }
  for (const statement of sqlStatements(sql)) {
    if (/^CREATE\s+(?:UNIQUE\s+)?INDEX\b/i.test(statement) && !INDEX_BUILD.test(statement)) {
      throw new MigrationError(
        `Migration ${name} must be able to go on after a crash: write CREATE INDEX CONCURRENTLY IF NOT EXISTS "name" ON …`,
      )
    }
  }
  return true
}

/** Whether a table lock timed out or ended in a deadlock. */
function isHeldUp(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '55P03' || error.code === '40P01')
}

interface LedgerRow {
  id: string
  name: string
  checksum: string
  finished_at: Date | null
  applied_steps_count: number
}

function isApplied(migration: Migration, row: LedgerRow | undefined): boolean {
  if (row === undefined) return false
  if (row.finished_at === null) {
    if (runsWithoutTransaction(migration)) return false
    throw new MigrationError(
      `Migration ${migration.name} failed before it finished. Repair it with "prisma migrate resolve".`,
    )
  }
  if (row.checksum !== migration.checksum) {
    throw new MigrationError(`Migration ${migration.name} was edited after it was applied. Restore the file.`)
  }
  return true
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
