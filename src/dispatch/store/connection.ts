import pg from 'pg'
import type { Database } from '../../infra/database/db.ts'
import { handshakePid } from '../../infra/database/pg-session.ts'
import { EmbeddedConnection } from './embedded-connection.ts'

/** A named SQL statement: prepared once per connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** One connection for one loop of the dispatcher, so that no loop waits for another or for the API's queries. */
export interface DbConnection {
  /** @throws when the database does not respond within 10 seconds; the next call reconnects */
  run<Row extends object>(statement: Statement, params: readonly unknown[]): Promise<Row[]>
  /**
   * The number of rows that one statement should read and write, and the time for which writes are collected, in
   * milliseconds.
   */
  readonly batch: { readonly read: number; readonly write: number; readonly gatherMs: number }
  /**
   * The backend of the connection, which ends when this process is killed. Connects if necessary.
   * @returns its pid as the handshake named it, behind a pooler an invented number; null: there is none
   */
  backendPid(): Promise<number | null>
  /** Calls back at once when the connection is lost or cannot be opened. Never for the shared one. */
  onLost(listener: () => void): void
  close(): Promise<void>
}

const ANSWER_MS = 10_000
const BATCH = { read: 500, write: 500, gatherMs: 2 }
/** On the embedded database, all other statements wait for the current one. */
const SHARED_BATCH = { read: 200, write: 50, gatherMs: 5 }

/**
 * The plan of a prepared statement is made while tables may be small or not yet analysed, and is then kept: a
 * sequential scan or a hash of the whole table would make every later call slow. Each of these statements scans an
 * index per row, so the planner of these connections may use only index scans, and never plans again. On an empty
 * table, all indexes cost the same; without sorting, only the intended one satisfies an ORDER BY.
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
 * The one connection of the embedded database, which all parts share.
 * @param isBehind whether there is so much work that others should have priority on the connection
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

/** Sets the planner for this statement only, because the connection is shared. */
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
    // Without a listener, an error would end the process; a connection can also end without an error.
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
      // After an error of the server, the connection is usable; after others, it may not be.
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
