import type pg from 'pg'

/** The maximum time for which the dispatcher waits for others. */
const PATIENCE_MS = 250
/** The pause after a statement, as a multiple of its duration, while others use the connection. */
const REST = 2
const MOMENT_MS = 50

/**
 * The dispatcher's use of the embedded database's one connection: one statement at a time. While the dispatcher is
 * behind with its work, others have priority: it takes the connection when no other statement waits, and a third of the
 * time while others use it. The API therefore responds while thousands of deliveries fail.
 */
export class EmbeddedConnection {
  static readonly #all = new WeakMap<pg.Pool, EmbeddedConnection>()
  readonly #pool: pg.Pool
  #last: Promise<unknown> = Promise.resolve()
  /** The number of uses of the connection, and that number at the last check. */
  #taken = 0
  #takenBefore = 0
  /** performance.now() when others last used it, and until which they have priority. */
  #othersAt = Number.NEGATIVE_INFINITY
  #restUntil = 0

  /** One instance per pool. */
  static of(pool: pg.Pool): EmbeddedConnection {
    const known = EmbeddedConnection.#all.get(pool) ?? new EmbeddedConnection(pool)
    EmbeddedConnection.#all.set(pool, known)
    return known
  }

  constructor(pool: pg.Pool) {
    this.#pool = pool
    pool.on('acquire', () => this.#taken++)
  }

  /** Runs a statement when it is the dispatcher's turn, in the order of the calls. */
  whenFree<T>(run: () => Promise<T>, isBehind: () => boolean): Promise<T> {
    const turn = this.#last.then(() => this.#run(run, isBehind))
    this.#last = turn.catch(() => undefined) // the caller gets the error
    return turn
  }

  async #run<T>(run: () => Promise<T>, isBehind: () => boolean): Promise<T> {
    if (isBehind()) await this.#othersFirst()
    const began = performance.now()
    try {
      return await run()
    } finally {
      const now = performance.now()
      this.#restUntil = now + REST * (now - began)
      this.#takenBefore = this.#taken
    }
  }

  async #othersFirst(): Promise<void> {
    const until = performance.now() + PATIENCE_MS
    for (let now = performance.now(); now < until; now = performance.now()) {
      const { waitingCount, idleCount, totalCount } = this.#pool
      const isInUse = waitingCount > 0 || idleCount < totalCount
      if (this.#taken > this.#takenBefore) this.#othersAt = now
      this.#takenBefore = this.#taken
      const isOthersTurn = now < this.#restUntil && now - this.#othersAt < MOMENT_MS
      if (isInUse) await this.#released(until - now)
      else if (isOthersTurn) await wait(Math.min(until, this.#restUntil) - now)
      else return
    }
  }

  /** Waits until the connection is released, and the next statement of its user may have arrived. */
  #released(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#pool.off('release', done)
        setImmediate(resolve)
      }
      const timer = setTimeout(done, ms)
      this.#pool.on('release', done)
    })
  }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
