import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { SET_SESSION } from '../pg-session.ts'

/**
 * A socket for `pg` that is connected to PGlite in this process. It transports PostgreSQL's protocol, so that `pg`,
 * Prisma's adapter, named statements and all types are the same on both databases.
 */
class PGliteSocket extends Duplex {
  readonly #opened: () => PGlite
  readonly #settings: () => string

  constructor(opened: () => PGlite, settings: () => string) {
    super()
    this.#opened = opened
    this.#settings = settings
  }

  connect(): this {
    this.#reset().then(
      () => this.emit('connect'),
      (error: Error) => this.destroy(error),
    )
    return this
  }

  /** All connections share PGlite's one session: each first resets it. */
  async #reset(): Promise<void> {
    const pglite = this.#opened()
    await pglite.waitReady
    await pglite.exec('ROLLBACK')
    await pglite.exec('DISCARD ALL')
    await pglite.exec(this.#settings())
  }

  override _read(): void {}

  override _write(message: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#exchange(message).then(
      (answer) => {
        this.push(answer)
        done()
      },
      // Errors of a statement are in the response.
      (error: unknown) => done(new EmbeddedStoppedError(error)),
    )
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), undefined, done)
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  async #exchange(message: Buffer): Promise<Buffer> {
    // Asynchronous, like a real socket: PGlite would respond during the write.
    await undefined
    const answer: Buffer[] = []
    // The bytes are in PGlite's own memory, which it reuses.
    await this.#opened().execProtocolRawStream(message, { onRawData: (bytes) => void answer.push(Buffer.from(bytes)) })
    return Buffer.concat(answer)
  }

  // No-ops that pg calls.
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}

/** PGlite has aborted, and is not reopened yet. */
export class EmbeddedStoppedError extends Error {
  override name = 'EmbeddedStoppedError'
  /** PostgreSQL's code for a crashed server. */
  readonly code = '57P02'

  constructor(cause?: unknown) {
    super('The embedded database has stopped', { cause })
  }
}

/**
 * A pool of one connection, because PGlite has one session. The owner of PGlite closes it, not the pool.
 * @param opened the open instance. @throws when there is none
 * @param settings statements at the start of a new session
 */
export function pglitePool(opened: () => PGlite, settings: () => string = () => SET_SESSION): pg.Pool {
  const stream = () => new PGliteSocket(opened, settings)
  const pool = new pg.Pool({ max: 1, user: 'postgres', database: 'postgres', stream })
  // Pending callers get the error; without a listener, it would also end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', () => undefined)
  return pool
}
