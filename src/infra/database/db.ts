import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { Embedded } from './embedded/embedded.ts'
import { acquireNodeLock, type NodeLock } from './node-lock.ts'
import { postgresConnection } from './pg-session.ts'
import { checkConnections, type DatabaseUrls, pooledConnection } from './pooler.ts'
import { StatementNames } from './statement-names.ts'

/** The database, whichever it is: models through Prisma, hand-written SQL through the same pool. */
export interface Database {
  readonly prisma: PrismaClient
  readonly pool: pg.Pool
  /** Connections that are sessions of their own; the same pool, unless that leads through a pooler that works by transaction. */
  readonly direct: pg.Pool
  /** True: no other process can be using this database. */
  readonly exclusive: boolean
  /** True: PGlite, in this process, with one connection for everybody. */
  readonly isEmbedded: boolean
  /** Of the embedded database; null: another machine's affair. */
  readonly disk: Disk | null
  /** Of a node on PostgreSQL; null: the folder's lock is the operating system's, which no connection can lose. */
  readonly nodeLock: NodeLock | null
  /** Runs one statement outside any transaction; rows are plain objects by column name. */
  sql<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>
  /** The same for a statement that many requests wait for: kept under its name where connections are sessions. */
  prepared<Row extends object>(statement: Prepared, params: unknown[]): Promise<Row[]>
  /**
   * Runs one statement; rows are lists of values in the order of the columns, which need distinct names: within a held
   * transaction (`holdTransaction`), rows are read by them. A text gets a name when it comes again and again, unless `isNamed`
   * is false: for texts of which each comes for a while only.
   */
  values(statement: string | Prepared, params: unknown[], options?: { readonly isNamed: boolean }): Promise<unknown[][]>
  close(): Promise<void>
}

/** The disk that the embedded database is on. */
export interface Disk {
  /** True: nothing can be written until there is space again. */
  readonly isFull: boolean
  /** Looks after its free space, and opens the database again when it has aborted. @returns ends it */
  watch(log: Log): () => Promise<void>
}

/** A statement that each connection parses and describes once, unless a pooler keeps it from that. */
export interface Prepared {
  /** Of this text and no other. */
  readonly name: string
  readonly text: string
}

const POOL_SIZE = 16

/**
 * Connects to PostgreSQL, or opens the embedded database when no DATABASE_URL is set.
 * @throws ConfigError when another process has the embedded folder, or has PostgreSQL to itself for want of REDIS_URL, or
 * when the connections are not what the code relies on.
 */
export async function openDatabase(config: DatabaseLocation & Pick<Config, 'redisUrl'>, log: Log): Promise<Database> {
  const { databaseUrl, directDatabaseUrl } = config
  return databaseUrl === undefined
    ? openEmbedded(config.dataDir)
    : openPostgres({ databaseUrl, directDatabaseUrl }, config.redisUrl, log)
}

/** Where the database is. */
type DatabaseLocation = Pick<Config, 'databaseUrl' | 'dataDir'> & Partial<Pick<Config, 'directDatabaseUrl'>>

/**
 * Opens the database for a short task: on PostgreSQL beside nodes that are running, whatever they need to be alone for.
 * @throws ConfigError when another process has the embedded folder, or the connections are not what the code relies on
 */
export async function openDatabaseBriefly({
  databaseUrl,
  directDatabaseUrl,
  dataDir,
}: DatabaseLocation): Promise<Database> {
  if (databaseUrl === undefined) return openEmbedded(dataDir)
  const urls = { databaseUrl, directDatabaseUrl }
  await checkConnections(urls)
  const { pool, direct } = openPools(urls, { max: 2 })
  return assemble(pool, 'shared', async () => undefined, { direct })
}

async function openPostgres(urls: DatabaseUrls, redisUrl: string | undefined, log: Log): Promise<Database> {
  await checkConnections(urls)
  const { pool, direct } = openPools(urls, { max: POOL_SIZE, connectionTimeoutMillis: 10_000 })
  for (const each of new Set([pool, direct])) {
    each.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'))
  }
  const alone = redisUrl === undefined
  const nodeLock = await acquireNodeLock(urls.directDatabaseUrl ?? urls.databaseUrl, alone, log)
  return assemble(pool, alone ? 'alone' : 'shared', () => nodeLock.close(), { direct, nodeLock })
}

function openPools({ databaseUrl, directDatabaseUrl }: DatabaseUrls, options: pg.PoolConfig) {
  if (directDatabaseUrl === undefined) {
    const pool = new pg.Pool({ ...options, ...postgresConnection(databaseUrl) })
    return { pool, direct: pool }
  }
  const pool = new pg.Pool({ ...options, ...pooledConnection(databaseUrl) })
  return { pool, direct: new pg.Pool({ ...options, ...postgresConnection(directDatabaseUrl), max: 1 }) }
}

async function openEmbedded(dataDir: string): Promise<Database> {
  const embedded = await Embedded.open(dataDir)
  return assemble(embedded.pool, 'embedded', () => embedded.close(), { disk: embedded })
}

/** Who else can be using a database: nobody, for it is in this process; nobody, for this node holds it; other nodes. */
export type DatabaseUse = 'embedded' | 'alone' | 'shared'

interface AssembleOptions {
  /** Another pool, when the first leads through a pooler that works by transaction. */
  readonly direct?: pg.Pool
  readonly disk?: Disk | null
  readonly nodeLock?: NodeLock | null
}

/** A Database over any pool; tests hand in their own. */
export function assemble(
  pool: pg.Pool,
  use: DatabaseUse,
  afterClose: () => Promise<void>,
  { direct = pool, disk = null, nodeLock = null }: AssembleOptions = {},
): Database {
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: 10_000, timeout: 15_000 },
  })
  const names = new StatementNames()
  // A named statement stays in its session, where the next transaction may be another's.
  const nameOf = (name: string | undefined) => (direct === pool && name !== undefined ? { name } : {})
  return {
    prisma,
    pool,
    direct,
    exclusive: use !== 'shared',
    isEmbedded: use === 'embedded',
    disk,
    nodeLock,
    async sql<Row extends object>(text: string, params: unknown[] = []) {
      const result = await pool.query<Row>(text, params)
      return result.rows
    },
    async prepared<Row extends object>({ name, text }: Prepared, values: unknown[]) {
      const result = await pool.query<Row>({ ...nameOf(name), text, values })
      return result.rows
    },
    async values(statement: string | Prepared, values: unknown[], { isNamed } = { isNamed: true }) {
      const { text, name } =
        typeof statement === 'string' ? { text: statement, name: isNamed ? names.of(statement) : undefined } : statement
      const result = await pool.query<unknown[]>({ ...nameOf(name), text, values, rowMode: 'array' })
      return result.rows
    },
    async close() {
      await prisma.$disconnect()
      await pool.end()
      if (direct !== pool) await direct.end()
      await afterClose()
    },
  }
}

export { Prisma, type PrismaClient }

/** Whether a query failed because a row that it refers to does not exist. */
export function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2003'
}

/** Whether a query failed because a row with the same unique value exists. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
}
