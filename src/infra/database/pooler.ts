import pg from 'pg'
import { ConfigError } from '../config.ts'
import { handshakePid, postgresConnection, SETTINGS } from './pg-session.ts'

/** The URLs of PostgreSQL. With directDatabaseUrl, databaseUrl can lead to a pooler in transaction mode. */
export interface DatabaseUrls {
  readonly databaseUrl: string
  readonly directDatabaseUrl?: string | undefined
}

/**
 * Checks at start what would make requests fail later: connections that share sessions behind a pooler, missing session
 * settings, another schema, different databases.
 * @throws ConfigError with the remedy
 */
export async function checkConnections({ databaseUrl, directDatabaseUrl }: DatabaseUrls): Promise<void> {
  if (directDatabaseUrl === undefined) {
    await look('DATABASE_URL', postgresConnection(databaseUrl), NEEDS_DIRECT, expectOwnSessions)
    return
  }
  const direct = await look(
    'DIRECT_DATABASE_URL',
    postgresConnection(directDatabaseUrl),
    MUST_BE_DIRECT,
    expectOwnSessions,
  )
  const pooled = await look('DATABASE_URL', pooledConnection(databaseUrl), NEEDS_TRANSACTIONS, expectTransactions)
  if (direct !== pooled) {
    throw new ConfigError(
      'DATABASE_URL and DIRECT_DATABASE_URL lead to different databases. Set both to the same database of the same server.',
    )
  }
}

/** The connection settings for a pooler in transaction mode: it accepts no `options`, and settings would not stay. */
export function pooledConnection(url: string): pg.ClientConfig {
  return { connectionString: url }
}

const NEEDS_DIRECT =
  'GudDesk needs sessions of its own for locks and for sending webhooks. Set DIRECT_DATABASE_URL to the same database ' +
  'without the pooler, and leave DATABASE_URL as it is.'
const MUST_BE_DIRECT = 'Set DIRECT_DATABASE_URL to PostgreSQL itself, or to a pooler in session mode.'
const NEEDS_TRANSACTIONS = 'Let the pooler work by transaction or by session, and take the startup parameters away.'

const TIMEOUT_MS = 10_000

type Connect = () => Promise<pg.Client>

/** Runs a check on its own connections. @param remedy the sentence for a pooler that refuses them */
async function look<T>(
  variable: string,
  connection: pg.ClientConfig,
  remedy: string,
  check: (connect: Connect, variable: string) => Promise<T>,
): Promise<T> {
  const clients: pg.Client[] = []
  const connect = async () => {
    const client = new pg.Client({ ...connection, connectionTimeoutMillis: TIMEOUT_MS, query_timeout: TIMEOUT_MS })
    clients.push(client)
    client.on('error', () => undefined) // what waits for an answer fails with it
    await client.connect()
    return client
  }
  try {
    return await check(connect, variable)
  } catch (error) {
    if (!isPoolersRefusal(error)) throw error
    throw new ConfigError(`${variable} connects through a connection pooler that reports "${error.message}". ${remedy}`)
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

/** PgBouncer's messages for a connection's `options`, and for transactions in statement mode. */
function isPoolersRefusal(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && /unsupported startup parameter|pooling mode/.test(error.message)
}

/** @returns the identity of the database */
async function expectOwnSessions(connect: Connect, variable: string): Promise<string> {
  if (await shareSessions(connect)) {
    const remedy = variable === 'DATABASE_URL' ? NEEDS_DIRECT : MUST_BE_DIRECT
    throw new ConfigError(`${variable} connects through a connection pooler in transaction mode. ${remedy}`)
  }
  return expectSettings(await connect(), variable)
}

/** @returns the identity of the database */
async function expectTransactions(connect: Connect, variable: string): Promise<string> {
  const client = await connect()
  await client.query('BEGIN')
  const identity = await expectSettings(client, variable)
  await client.query('COMMIT')
  return identity
}

/** The number of connections of which at least two meet in one process of a pooler, each with its own sessions. */
const MOST_CONNECTIONS = 8

/** Whether several connections share a session, or one connection has several. */
async function shareSessions(connect: Connect): Promise<boolean> {
  const clients = [await connect()]
  for (const count of [2, MOST_CONNECTIONS]) {
    while (clients.length < count) clients.push(await connect())
    const first = await backendsOf(clients)
    const then = await backendsOf(clients)
    if (new Set(first).size < count || first.some((pid, i) => pid !== then[i])) return true
    // PostgreSQL itself reports its own number; a pooler invents one.
    if (clients.every((client, i) => handshakePid(client) === first[i])) return false
  }
  return false
}

async function backendsOf(clients: readonly pg.Client[]): Promise<(number | undefined)[]> {
  const pids: (number | undefined)[] = []
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    pids.push(rows[0]?.pid)
  }
  return pids
}

interface Facts {
  readonly role: string
  readonly database: string
  /** The schema in which tables are created and found. */
  readonly schema: string | null
  readonly identity: string
  /** In the order of the requests. */
  readonly settings: readonly string[]
}

const FACTS = `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database, current_schema() AS schema,
  concat_ws('/', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
    (SELECT oid FROM pg_database WHERE datname = current_database())) AS identity,
  (SELECT array_agg(current_setting(name) ORDER BY place) FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place)) AS settings`

/** @returns the identity of the database: the start time of the server, and the database's number there */
async function expectSettings(client: pg.Client, variable: string): Promise<string> {
  const { rows } = await client.query<Facts>(FACTS, [SETTINGS.map(([name]) => name)])
  const [facts] = rows
  if (facts === undefined) throw new Error('PostgreSQL did not say what its settings are')
  const wrong = SETTINGS.filter(([, value], i) => value !== facts.settings[i]?.replace(/^Etc\/UTC$/, 'UTC'))
  const statements = wrong.map(([name, value]) => alterRole(facts, `${name} = '${value}'`))
  if (facts.schema !== 'public') statements.push(alterRole(facts, 'search_path = public'))
  if (statements.length > 0) {
    throw new ConfigError(
      `${variable} leads to sessions with other settings than GudDesk relies on. Remove them from the URL's options, or run ` +
        `these statements there, and let a pooler connect anew:\n${statements.join('\n')}`,
    )
  }
  return facts.identity
}

function alterRole({ role, database }: Facts, setting: string): string {
  return `  ALTER ROLE ${role} IN DATABASE ${database} SET ${setting};`
}
