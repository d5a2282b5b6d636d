import type pg from 'pg'

/** How long the dispatcher lets others go first. */
const PATIENCE_MS = 250
/** When others have used the connection a moment ago, it rests after a statement for so many times as long as that took. */
const REST = 2
const MOMENT_MS = 50

/**
 * The embedded database's one connection, as the dispatcher uses it: one statement at a time. While the dispatcher is behind
 * with its work, others go first: it takes the connection when nothing else waits for it, and a third of the time while
 * others need it. So the API responds while thousands of deliveries fail.
 */
export class EmbeddedConnection {
  static readonly #all = new WeakMap<pg.Pool, EmbeddedConnection>()
  readonly #pool: pg.Pool
  #last: Promise<unknown> = Promise.resolve()
  /** How often anybody has taken the connection, and how often when that was looked at. */
  #taken = 0
  #takenBefore = 0
  /** performance.now() when others were seen to use it, and until which they go first. */
  #othersAt = Number.NEGATIVE_INFINITY
  #restUntil = 0

  /** The same one for everybody who has this pool. */
  static of(pool: pg.Pool): EmbeddedConnection {
    const known = EmbeddedConnection.#all.get(pool) ?? new EmbeddedConnection(pool)
    EmbeddedConnection.#all.set(pool, known)
    return known
  }

  constructor(pool: pg.Pool) {
    this.#pool = pool
    pool.on('acquire', () => this.#taken++)
  }

  /** Runs one statement when it is the dispatcher's turn, in the order of the calls. */
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

  /** Waits until the connection is given back, and who had it has had time to ask for the next statement. */
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
