import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { SET_SESSION } from './pg-session.ts'

/**
 * What `pg` takes for a socket, with PGlite in this process at its other end: PostgreSQL's own protocol, so that `pg`, the
 * official Prisma adapter, named statements and all types are the same on both databases.
 */
class PGliteSocket extends Duplex {
  readonly #pglite: PGlite

  constructor(pglite: PGlite) {
    super()
    this.#pglite = pglite
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
    await this.#pglite.waitReady
    await this.#pglite.exec('ROLLBACK')
    await this.#pglite.exec('DISCARD ALL')
    await this.#pglite.exec(SET_SESSION)
  }

  override _read(): void {}

  override _write(message: Buffer, _encoding: unknown, done: (error?: Error | null) => void): void {
    this.#exchange(message).then(
      (answer) => {
        this.push(answer)
        done()
      },
      (error: Error) => done(error),
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
    await this.#pglite.execProtocolRawStream(message, { onRawData: (bytes) => void answer.push(Buffer.from(bytes)) })
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

/** A pool of one connection, for PGlite has one session. PGlite outlives it: its owner closes it. */
export function pglitePool(pglite: PGlite): pg.Pool {
  return new pg.Pool({ max: 1, user: 'postgres', database: 'postgres', stream: () => new PGliteSocket(pglite) })
}
