import pg from 'pg'
import type { Database } from '../infra/db.ts'
import { SharedConnection } from './shared-connection.ts'

/** SQL under a name: prepared once per connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** One connection for one loop of the dispatcher, so that no loop waits for another or for the API's queries. */
export interface Session {
  /** @throws when the database does not answer within 10 seconds; the next call connects anew */
  run<Row extends object>(statement: Statement, params: readonly unknown[]): Promise<Row[]>
  /** Rows that one statement should read, and write. */
  readonly batch: { readonly read: number; readonly write: number }
  close(): Promise<void>
}

const ANSWER_MS = 10_000
const BATCH = { read: 500, write: 500 }
/** On the embedded database everybody waits while a statement runs. */
const SHARED_BATCH = { read: 200, write: 50 }

/**
 * A prepared statement's plan is made while tables may be small or not yet analysed, and is then kept: a sequential scan
 * or a hash of the whole table that was right at first makes every later call slower. Each of these statements walks an
 * index per row, so these connections get a planner that knows nothing else, and never plans again. On an empty table all
 * indexes cost the same; without sorting, an ORDER BY leaves only the one that is meant.
 */
const PLANNER = [
  'enable_seqscan',
  'enable_bitmapscan',
  'enable_hashjoin',
  'enable_mergejoin',
  'enable_material',
  'enable_memoize',
  'enable_sort',
  'enable_incremental_sort',
]
  .map((setting) => `-c ${setting}=off`)
  .concat('-c plan_cache_mode=force_generic_plan', '-c jit=off')
  .join(' ')

/**
 * The embedded database has one connection, which everybody shares, and keeps no plans.
 * @param isBehind whether there is so much to do that others should go first on that one connection
 */
export function openSession(db: Database, isBehind: () => boolean = () => false): Session {
  return db.isEmbedded ? sharedSession(db, isBehind) : ownSession(db.pool)
}

function sharedSession(db: Database, isBehind: () => boolean): Session {
  const connection = SharedConnection.of(db.pool)
  return {
    batch: SHARED_BATCH,
    run: (statement, params) => connection.whenFree(() => db.sql(statement.text, [...params]), isBehind),
    close: async () => undefined,
  }
}

function ownSession(pool: pg.Pool): Session {
  const { options: given } = pool
  const options = { ...given, options: `${given.options ?? ''} ${PLANNER}`, query_timeout: ANSWER_MS, keepAlive: true }
  let connected: Promise<pg.Client> | undefined

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(options)
    // A lost connection shows itself at the next query; without a listener it would end the process.
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  function drop(): void {
    connected?.then(
      (client) => client.end().catch(() => undefined), // it is broken already
      () => undefined, // it never was
    )
    connected = undefined
  }

  return {
    batch: BATCH,
    async run<Row extends object>({ name, text }: Statement, params: readonly unknown[]) {
      connected ??= connect()
      try {
        const client = await connected
        return (await client.query<Row>({ name, text, values: [...params] })).rows
      } catch (error) {
        // An error of the server's own leaves the connection whole; anything else may not.
        if (!(error instanceof pg.DatabaseError) || error.severity !== 'ERROR') drop()
        throw error
      }
    },
    async close() {
      await connected?.then(
        (client) => client.end(),
        () => undefined,
      )
      connected = undefined
    },
  }
}
