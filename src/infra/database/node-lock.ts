import pg from 'pg'
import { ConfigError } from '../config.ts'
import type { Log } from '../log.ts'
import { repeat } from '../repeat.ts'
import { isDatabaseAway } from './db-away.ts'
import { postgresConnection } from './pg-session.ts'

/** A node's lock on a PostgreSQL database: exclusive without Redis, shared with Redis. */
export interface NodeLock {
  /** The reason why this node must not dispatch now, for people; null: it holds the lock. */
  readonly lost: string | null
  /** Called each time the lock is regained. */
  onRegained(listener: () => void): void
  close(): Promise<void>
}

const NODE_LOCK = 0x67644e44 // "gdND"
const START_TRIES = 30
const START_PAUSE_MS = 100
/** The interval of checks. A connection that ends silently is noticed after two checks. */
const CHECK_MS = 1000
const ANSWER_MS = 2000

const CONNECTION_LOST =
  'The node has lost its lock on the database. It sends nothing until it has the lock again, which happens automatically.'
const TAKEN_ALONE =
  'Another process took the lock on the database after this node had lost it. This node sends nothing until that process ' +
  'stops. To run several nodes, set the same REDIS_URL on each.'
const TAKEN_SHARED =
  'A process without REDIS_URL took the lock on the database after this node had lost it. This node sends nothing until ' +
  'that process stops. Set the same REDIS_URL on each node.'

/**
 * Without Redis, nodes cannot wake each other. Therefore, such a node locks the database for itself, with an advisory
 * lock of a session, which ends with its connection. Nodes with Redis share the lock. A node that loses the lock tries
 * to get it again.
 * @param isAlone without Redis
 * @throws ConfigError when another process has the lock
 */
export async function acquireNodeLock(url: string, isAlone: boolean, log: Log): Promise<NodeLock> {
  const lock = new AdvisoryNodeLock(url, isAlone, log)
  // The lock of a killed process ends with its connection, a moment later.
  for (let tries = 1; !(await lock.tryAcquire()); tries++) {
    if (tries < START_TRIES) await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS))
    else {
      await lock.close()
      throw new ConfigError(
        isAlone
          ? 'Another process is running on this database. Set REDIS_URL, the same on every node, to run more than one.'
          : 'Another process is running on this database without REDIS_URL. Stop it, or set REDIS_URL there too.',
      )
    }
  }
  lock.watch()
  return lock
}

/** The backend of a connection. Its number alone can be reused. */
interface Backend {
  pid: number
  startedAt: string
}

class AdvisoryNodeLock implements NodeLock {
  readonly #url: string
  readonly #isAlone: boolean
  readonly #log: Log
  readonly #listeners: (() => void)[] = []
  /** The connection, and whether it holds the lock. */
  #client: pg.Client | null = null
  /** The backend that held the lock last. */
  #holder: Backend | null = null
  #stopWatching: () => Promise<void> = async () => undefined
  lost: string | null = CONNECTION_LOST

  constructor(url: string, isAlone: boolean, log: Log) {
    this.#url = url
    this.#isAlone = isAlone
    this.#log = log
  }

  onRegained(listener: () => void): void {
    this.#listeners.push(listener)
  }

  watch(): void {
    const failed = 'node lock connection failed'
    this.#stopWatching = repeat(this.#log, CHECK_MS, failed, () => this.#check())
  }

  async close(): Promise<void> {
    await this.#stopWatching()
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  /**
   * @returns whether the lock is held now
   * @throws when the database does not respond; the next call reconnects
   */
  async tryAcquire(): Promise<boolean> {
    const client = this.#client ?? (await this.#connect())
    try {
      await this.#endPredecessor(client)
      const attempt = this.#isAlone ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared'
      const { rows } = await client.query<{ isHeld: boolean } & Backend>(
        `SELECT ${attempt}($1) AS "isHeld", pid, backend_start::text AS "startedAt"
           FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
        [NODE_LOCK],
      )
      const [row] = rows
      // The connection may have ended since the response.
      if (row?.isHeld !== true || client !== this.#client) return false
      this.#holder = { pid: row.pid, startedAt: row.startedAt }
      this.lost = null
      return true
    } catch (error) {
      this.#drop(client)
      throw error
    }
  }

  async #check(): Promise<void> {
    const client = this.#client
    if (client !== null && this.lost === null) {
      // A connection that does not respond counts as lost: the server may have ended it long ago.
      await client.query('SELECT 1').catch(() => this.#drop(client))
      if (this.lost === null) return
    }
    const isHeld = await this.tryAcquire().catch((error: unknown) => {
      // Logged only once.
      if (isDatabaseAway(error)) return null
      throw error
    })
    if (isHeld === true) {
      this.#log.info('node lock regained')
      for (const listener of this.#listeners) listener()
    } else if (isHeld === false && this.#client !== null) {
      const taken = this.#isAlone ? TAKEN_ALONE : TAKEN_SHARED
      if (this.lost !== taken) this.#log.error({ reason: taken }, 'node lock taken by another process')
      this.lost = taken
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...postgresConnection(this.#url),
      connectionTimeoutMillis: 10 * ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    })
    // Without a listener, an error would end the process; a connection can also end without an error.
    client.on('error', () => this.#drop(client))
    client.on('end', () => this.#drop(client))
    await client.connect()
    this.#client = client
    return client
  }

  /** Without the lock, nothing is sent: callers read the reason from `lost`. */
  #drop(client: pg.Client): void {
    if (client !== this.#client) return
    this.#client = null
    if (this.lost === null) this.#log.error({ reason: CONNECTION_LOST }, 'node lock lost')
    this.lost = CONNECTION_LOST
    client.end().catch(() => undefined) // it is broken already
  }

  /** A connection that broke on this side can live on at the server, with the lock. */
  async #endPredecessor(client: pg.Client): Promise<void> {
    if (this.#holder === null) return
    const { pid, startedAt } = this.#holder
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE (pid, backend_start::text) = ($1, $2)`,
      [pid, startedAt],
    )
  }
}
