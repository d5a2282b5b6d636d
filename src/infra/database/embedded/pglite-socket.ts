import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { SET_SESSION } from '../pg-session.ts'

/**
 * What `pg` takes for a socket, with PGlite in this process at its other end: PostgreSQL's own protocol, so that `pg`, the
 * official Prisma adapter, named statements and all types are the same on both databases.
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

  /** PGlite has one session for all connections: each begins with what another server would give a new one. */
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
      // An error of a statement's own is in the answer.
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
    // A socket answers later, never while somebody is still writing: PGlite would.
    await undefined
    const answer: Buffer[] = []
    // The bytes are PGlite's own memory, which it writes over.
    await this.#opened().execProtocolRawStream(message, { onRawData: (bytes) => void answer.push(Buffer.from(bytes)) })
    return Buffer.concat(answer)
  }

  // Of no meaning here, and called by pg.
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

/** PGlite has aborted, and is not open again. */
export class EmbeddedStoppedError extends Error {
  override name = 'EmbeddedStoppedError'
  /** PostgreSQL's code for a server that has crashed. */
  readonly code = '57P02'

  constructor(cause?: unknown) {
    super('The embedded database has stopped', { cause })
  }
}

/**
 * A pool of one connection, for PGlite has one session. PGlite outlives it: its owner closes it.
 * @param opened the instance that is open now. @throws when there is none
 * @param settings statements that a new session begins with
 */
export function pglitePool(opened: () => PGlite, settings: () => string = () => SET_SESSION): pg.Pool {
  const stream = () => new PGliteSocket(opened, settings)
  const pool = new pg.Pool({ max: 1, user: 'postgres', database: 'postgres', stream })
  // Whoever waits for an answer is told; without a listener the error would also end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', () => undefined)
  return pool
}
