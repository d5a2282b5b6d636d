import pg from 'pg'
import type { Database } from '../../infra/database/db.ts'
import { handshakePid } from '../../infra/database/pg-session.ts'
import { EmbeddedConnection } from './embedded-connection.ts'

/** SQL under a name: prepared once per connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** One connection for one loop of the dispatcher, so that no loop waits for another or for the API's queries. */
export interface DbConnection {
  /** @throws when the database does not respond within 10 seconds; the next call reconnects */
  run<Row extends object>(statement: Statement, params: readonly unknown[]): Promise<Row[]>
  /** Rows that one statement should read, and write, and how long those to write are gathered, in milliseconds. */
  readonly batch: { readonly read: number; readonly write: number; readonly gatherMs: number }
  /**
   * The server's process at the other end, which ends when this process is killed. Connects if it must.
   * @returns its pid as the handshake named it, a pooler's invention when there is one between; null: there is none
   */
  backendPid(): Promise<number | null>
  /** Tells at once when the connection is lost or cannot be made. The shared one never is. */
  onLost(listener: () => void): void
  close(): Promise<void>
}

const ANSWER_MS = 10_000
const BATCH = { read: 500, write: 500, gatherMs: 2 }
/** On the embedded database everybody waits while a statement runs. */
const SHARED_BATCH = { read: 200, write: 50, gatherMs: 5 }

/**
 * A prepared statement's plan is made while tables may be small or not yet analysed, and is then kept: a sequential scan
 * or a hash of the whole table that was right at first makes every later call slower. Each of these statements walks an
 * index per row, so these connections get a planner that knows nothing else, and never plans again. On an empty table all
 * indexes cost the same; without sorting, an ORDER BY leaves only the one that is meant.
 */
const PLANNER: readonly (readonly [setting: string, value: string])[] = [
  ['enable_seqscan', 'off'],
  ['enable_bitmapscan', 'off'],
  ['enable_hashjoin', 'off'],
  ['enable_mergejoin', 'off'],
  ['enable_material', 'off'],
  ['enable_memoize', 'off'],
  ['enable_sort', 'off'],
  ['enable_incremental_sort', 'off'],
  ['plan_cache_mode', 'force_generic_plan'],
]
const PLANNER_OPTIONS = [...PLANNER, ['jit', 'off']].map(([setting, value]) => `-c ${setting}=${value}`).join(' ')
const PLANNER_ON = PLANNER.map(([setting, value]) => `SET ${setting} = ${value}`).join(';')
const PLANNER_OFF = PLANNER.map(([setting]) => `RESET ${setting}`).join(';')

/**
 * The embedded database has one connection, which everybody shares.
 * @param isBehind whether there is so much to do that others should go first on that one connection
 */
export function openConnection(db: Database, isBehind: () => boolean = () => false): DbConnection {
  return db.isEmbedded ? sharedSession(db, isBehind) : ownSession(db.direct)
}

function sharedSession(db: Database, isBehind: () => boolean): DbConnection {
  const connection = EmbeddedConnection.of(db.pool)
  return {
    batch: SHARED_BATCH,
    run: (statement, params) => connection.whenFree(() => runShared(db.pool, statement, params), isBehind),
    backendPid: async () => null,
    onLost: () => undefined,
    close: async () => undefined,
  }
}

/** With a planner of its own for this statement, though the connection is everybody's. */
async function runShared<Row extends object>(pool: pg.Pool, statement: Statement, params: readonly unknown[]) {
  const client = await pool.connect()
  try {
    await client.query(PLANNER_ON)
    const { rows } = await client.query<Row>({ ...statement, values: [...params] })
    await client.query(PLANNER_OFF)
    client.release()
    return rows
  } catch (error) {
    // The pool reconnects, with the usual settings.
    client.release(true)
    throw error
  }
}

function ownSession(pool: pg.Pool): DbConnection {
  const { options: given } = pool
  const options = {
    ...given,
    options: `${given.options ?? ''} ${PLANNER_OPTIONS}`,
    query_timeout: ANSWER_MS,
    keepAlive: true,
  }
  const listeners: (() => void)[] = []
  let connected: Promise<pg.Client> | undefined

  function connect(): Promise<pg.Client> {
    const client = new pg.Client(options)
    const connection = client.connect().then(() => client)
    const dropIt = () => drop(connection)
    // Without a listener, an error would end the process; an end may come without one.
    client.on('error', dropIt)
    client.on('end', dropIt)
    return connection
  }

  /** The next statement reconnects. */
  function drop(connection: Promise<pg.Client>): void {
    if (connection !== connected) return
    connected = undefined
    connection.then(
      (client) => client.end().catch(() => undefined), // it is broken already
      () => undefined, // it never was
    )
    for (const listener of listeners) listener()
  }

  async function use<T>(how: (client: pg.Client) => T | Promise<T>): Promise<T> {
    connected ??= connect()
    const connection = connected
    try {
      return await how(await connection)
    } catch (error) {
      // An error of the server's own leaves the connection whole; anything else may not.
      if (!(error instanceof pg.DatabaseError) || error.severity !== 'ERROR') drop(connection)
      throw error
    }
  }

  return {
    batch: BATCH,
    run: <Row extends object>({ name, text }: Statement, params: readonly unknown[]) =>
      use(async (client) => (await client.query<Row>({ name, text, values: [...params] })).rows),
    backendPid: () => use(handshakePid),
    onLost: (listener) => void listeners.push(listener),
    async close() {
      const connection = connected
      connected = undefined
      await connection?.then(
        (client) => client.end(),
        () => undefined,
      )
    },
  }
}
