import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Backend } from '../demo/process.ts'
import { isListening, POSTGRES_URL, REDIS_URL, withDatabase } from '../test/support/servers.ts'

/** Something to run GudDesk on, made for one run and removed after it. */
export interface BenchBackend {
  readonly name: string
  create(cleanup: AsyncDisposableStack): Promise<Backend>
}

/** The embedded default, and PostgreSQL with Redis when both answer. */
export async function availableBackends(): Promise<BenchBackend[]> {
  const embedded: BenchBackend = { name: 'embedded', create: async () => ({}) }
  const servers = await Promise.all([POSTGRES_URL, REDIS_URL].map(isListening))
  if (!servers.every(Boolean)) {
    console.warn('NOT RUN on PostgreSQL and Redis: one of them does not answer. Set DATABASE_URL and REDIS_URL.')
    return [embedded]
  }
  return [embedded, { name: await serversName(), create: createPostgres }]
}

async function createPostgres(cleanup: AsyncDisposableStack): Promise<Backend> {
  const name = `guddesk_bench_${randomBytes(6).toString('hex')}`
  await onServer(`CREATE DATABASE ${name}`)
  cleanup.defer(async () => {
    await onServer(`DROP DATABASE ${name} WITH (FORCE)`)
  })
  return { databaseUrl: withDatabase(POSTGRES_URL, name), redisUrl: REDIS_URL }
}

/** "PostgreSQL 15.20 + Redis 7.0.15" */
async function serversName(): Promise<string> {
  const [row] = await onServer('SHOW server_version')
  const postgres = String(row?.['server_version']).split(' ')[0]
  const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: 1 })
  const info = await redis.info('server')
  redis.disconnect()
  return `PostgreSQL ${postgres} + Redis ${/redis_version:(\S+)/.exec(info)?.[1]}`
}

async function onServer(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: POSTGRES_URL })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
