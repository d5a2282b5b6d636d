import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { PGlite } from '@electric-sql/pglite'
import type pg from 'pg'
import { ConfigError } from '../../config.ts'
import type { Log } from '../../log.ts'
import { repeat } from '../../repeat.ts'
import { SET_SESSION } from '../pg-session.ts'
import { DiskSpace } from './disk-space.ts'
import { haltOnAbort } from './pglite-abort.ts'
import { EmbeddedStoppedError, pglitePool } from './pglite-socket.ts'
import { keepPrivate } from './private-folder.ts'

const MEASURE_EVERY_MS = 250
/** Opening blocks the process for a second, so there is a pause after a failure. */
const OPEN_AGAIN_MS = 5000

/** The embedded database: PGlite in this process, which is reopened after it has aborted. */
export class Embedded {
  readonly pool: pg.Pool
  readonly #dataDir: string
  readonly #disk: DiskSpace
  readonly #unlock: () => void
  #pglite: PGlite | null = null
  #isReadOnly = false
  #openAt = 0
  /** The error that aborted the last instance, until it is logged. */
  #abort: { readonly error: unknown } | null = null

  /** @throws ConfigError when another process uses the folder, or its disk is full */
  static async open(dataDir: string): Promise<Embedded> {
    keepPrivate(dataDir)
    const embedded = new Embedded(dataDir, lockFolder(dataDir))
    await embedded.#start()
    return embedded
  }

  private constructor(dataDir: string, unlock: () => void) {
    this.#dataDir = dataDir
    this.#disk = new DiskSpace(dataDir)
    this.#unlock = unlock
    this.pool = pglitePool(
      () => this.#opened(),
      () => (this.#isReadOnly ? `${SET_SESSION};${readOnly(true)}` : SET_SESSION),
    )
  }

  /** True: the disk is nearly full, and every transaction is read-only. */
  get isFull(): boolean {
    return this.#isReadOnly
  }

  /** Makes the database read-only while the disk is nearly full, and reopens it after an abort. */
  watch(log: Log): () => Promise<void> {
    return repeat(log, MEASURE_EVERY_MS, 'embedded database not checked', () => this.#check(log))
  }

  async close(): Promise<void> {
    await this.#pglite?.close()
    this.#pglite = null
    this.#unlock()
  }

  async #start(): Promise<void> {
    await this.#disk.measure()
    if (!this.#disk.hasRoomToOpen) await this.#disk.letGo()
    if (!this.#disk.hasRoomToOpen) {
      this.#unlock()
      throw new ConfigError(`The disk of ${this.#dataDir} is full. Free some space, then start again.`)
    }
    await this.#openPGlite()
  }

  async #openPGlite(): Promise<void> {
    // Loaded on demand: processes on PostgreSQL do not need the WebAssembly module.
    const { PGlite } = await import('@electric-sql/pglite')
    const pglite = await PGlite.create(join(this.#dataDir, 'pglite'))
    // Unpacking a new database sets other modes.
    keepPrivate(this.#dataDir)
    haltOnAbort(pglite, (error) => {
      this.#abort = { error }
      this.#pglite = null
    })
    this.#pglite = pglite
  }

  #opened(): PGlite {
    if (this.#pglite === null) throw new EmbeddedStoppedError()
    return this.#pglite
  }

  async #check(log: Log): Promise<void> {
    await this.#disk.measure()
    const { isFull, free } = this.#disk
    if (isFull !== this.#isReadOnly) {
      this.#isReadOnly = isFull
      if (isFull) log.error({ freeBytes: free }, 'disk nearly full; database read-only')
      else log.info({ freeBytes: free }, 'disk space freed; database writable')
      // New connections get the setting when they are opened.
      if (this.#pglite !== null) await this.pool.query(readOnly(isFull))
    }
    if (this.#pglite === null) await this.#openAgain(log)
  }

  async #openAgain(log: Log): Promise<void> {
    if (this.#abort !== null) log.error({ err: this.#abort.error }, 'embedded database aborted')
    this.#abort = null
    if (performance.now() < this.#openAt) return
    if (this.#disk.isFull) await this.#disk.letGo()
    if (!this.#disk.hasRoomToOpen) return
    this.#openAt = performance.now() + OPEN_AGAIN_MS
    await this.#openPGlite()
    log.info('embedded database reopened')
  }
}

const readOnly = (isOn: boolean) => `SET default_transaction_read_only = ${isOn ? 'on' : 'off'}`

/**
 * PGlite must not be opened twice: a lock of the operating system protects its folder (SQLite's, on an empty database).
 * The lock ends with the process, even after a crash.
 */
function lockFolder(dataDir: string): () => void {
  const lock = new DatabaseSync(join(dataDir, 'process.lock'))
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error
    throw new ConfigError(
      `Another process is using ${dataDir}. Stop it, set another DATA_DIR, or set DATABASE_URL and REDIS_URL to run several.`,
    )
  }
  return () => lock.close()
}

const SQLITE_BUSY = 5
