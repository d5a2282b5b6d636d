import { Redis } from 'ioredis'
import pg from 'pg'
import { Pool } from 'undici'
import { type DispatcherDeps, startDispatcher } from '../../src/dispatch/dispatcher.ts'
import { createHttpClient } from '../../src/dispatch/send/http-client.ts'
import { messageHeaders } from '../../src/dispatch/send/request-headers.ts'
import { systemClock } from '../../src/infra/clock.ts'
import { assemble } from '../../src/infra/database/db.ts'
import { migrate } from '../../src/infra/database/migrations.ts'
import { postgresConnection } from '../../src/infra/database/pg-session.ts'
import { createLog } from '../../src/infra/log.ts'
import { Metrics } from '../../src/infra/metrics.ts'
import { openBus } from '../../src/infra/redis/bus.ts'
import { createSigner } from '../../src/infra/redis/signed-messages.ts'
import { ENDPOINTS, endpointId, type Job, keysOf, secretOf, urlOf, vault } from './jobs.ts'

/** Where a contender keeps its jobs, and where they go. */
export interface Place {
  readonly databaseUrl: string
  readonly redisUrl: string
  /** The sink's. */
  readonly port: number
}

/** Something that takes jobs and sends each as a signed POST. */
export interface Contender {
  readonly settings: string
  /** Makes what it needs to store jobs. */
  prepare(place: Place): Promise<void>
  /** Stores many jobs; nobody works yet. */
  seed(place: Place, jobs: readonly Job[]): Promise<void>
  /** @returns stores one job and wakes whoever works, as its library does */
  producer(place: Place): Promise<{ send(job: Job): Promise<void>; close(): Promise<void> }>
  /** Works until it is stopped. */
  work(place: Place): Promise<() => Promise<void>>
}

const CONCURRENCY = 64
const POOL = 10
/** GudDesk's part of the Redis. */
const REDIS = { prefix: 'guddesk:bench:', signer: createSigner('the bench’s key', null) }

/** The same request by the same client for everybody: both signatures, all headers. */
function poster(port: number) {
  const sender = createHttpClient({ requireHttps: false, allowLoopback: true })
  return async ({ id, endpoint, body }: Job) => {
    const claimed = {
      id,
      endpointId: '',
      seq: '0',
      conversationId: null,
      attempts: 0,
      nextAttemptAt: null,
      priority: 'live' as const,
      isTest: false,
      version: '',
    }
    const signers = { current: keysOf(endpoint), previous: null }
    const headers = messageHeaders({ ...claimed, type: 'message.created', body }, null, signers, new Date(), 'bench')
    const exchange = await sender.post(urlOf(port, endpoint), headers, body)
    if (exchange.kind !== 'answered' || exchange.statusCode !== 200) throw new Error(JSON.stringify(exchange))
  }
}

async function inChunks<T>(all: readonly T[], size: number, store: (chunk: T[]) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < all.length; i += size) await store(all.slice(i, i + size))
}

const WORKSPACE = 'ws_00000000000000000000000000'
export const STORE = `WITH job AS (SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::text[]) AS j(id, endpoint, conversation, body)),
event AS (
  INSERT INTO events (id, workspace_id, type, conversation_id, body)
  SELECT 'evt_' || id, '${WORKSPACE}', 'message.created', 'conv_' || conversation, body FROM job RETURNING id, seq, created_at, conversation_id)
INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, due, created_at)
SELECT job.id, '${WORKSPACE}', event.id, 'whk_' || lpad(job.endpoint::text, 26, '0'), event.conversation_id, event.seq, event.created_at, event.created_at
  FROM event JOIN job ON event.id = 'evt_' || job.id`
export const rowsOf = (jobs: readonly Job[]) => [
  jobs.map(({ id }) => id),
  jobs.map(({ endpoint }) => endpoint),
  jobs.map(({ conversation }) => conversation),
  jobs.map(({ body }) => body),
]

/** A workspace with the endpoints of all jobs, in a database that is migrated. */
export async function addEndpoints(pool: pg.Pool, port: number): Promise<void> {
  await pool.query(`INSERT INTO workspaces (id, name, slug, updated_at) VALUES ($1, 'Bench', 'bench', now())`, [
    WORKSPACE,
  ])
  for (let n = 0; n < ENDPOINTS; n++) {
    const id = endpointId(n)
    await pool.query(
      `INSERT INTO webhook_endpoints (id, workspace_id, url, sealed_secret, updated_at) VALUES ($1, $2, $3, $4, now())`,
      [id, WORKSPACE, urlOf(port, n), vault.seal(secretOf(n), id)],
    )
  }
}

/** What a dispatcher works with, here. */
export function dispatcherDeps(own: Pick<DispatcherDeps, 'db' | 'bus' | 'log' | 'sharesProcess'>): DispatcherDeps {
  const targets = { requireHttps: false, allowLoopback: true }
  return {
    ...own,
    vault,
    targets,
    clock: systemClock,
    counts: { rowsSetAside: 0 },
    metrics: new Metrics(),
    version: 'bench',
  }
}

export const guddesk: Contender = {
  settings: 'as it runs: order per conversation, 10 in flight per endpoint, breaker, attempt log, endpoint health',
  async prepare({ databaseUrl, port }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    await migrate(pool)
    await addEndpoints(pool, port)
    await pool.end()
  },
  async seed({ databaseUrl }, jobs) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    await inChunks(jobs, 5000, (chunk) => pool.query(STORE, rowsOf(chunk)))
    await pool.query('ANALYZE')
    await pool.end()
  },
  async producer({ databaseUrl, redisUrl }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL })
    const bus = openBus({ ...REDIS, url: redisUrl }, createLog('silent'))
    return {
      async send(job) {
        await pool.query({ name: 'store', text: STORE, values: rowsOf([job]) })
        bus.notify('dispatch', [endpointId(job.endpoint)])
      },
      async close() {
        await bus.close()
        await pool.end()
      },
    }
  },
  async work({ databaseUrl, redisUrl }) {
    const log = createLog('warn')
    const db = assemble(new pg.Pool({ ...postgresConnection(databaseUrl), max: POOL }), 'shared', async () => undefined)
    const bus = openBus({ ...REDIS, url: redisUrl }, log)
    const dispatcher = await startDispatcher(dispatcherDeps({ db, bus, log, sharesProcess: false }))
    return async () => {
      await dispatcher.stop()
      await bus.close()
      await db.close()
    }
  },
}

const QUEUE = 'webhooks'

/** Loaded by those that need it: the others' memory is measured, too. */
const pgBossLibrary = () => import('pg-boss')

const pgBoss: Contender = {
  settings: `batchSize 500, burstWhenBatchFull, perJobResults, notify, polling 0.5 s, ${CONCURRENCY} requests at a time`,
  async prepare({ databaseUrl }) {
    const { PgBoss } = await pgBossLibrary()
    const boss = new PgBoss({ connectionString: databaseUrl, max: POOL })
    await boss.start()
    await boss.createQueue(QUEUE, { notify: true })
    await boss.stop()
  },
  async seed({ databaseUrl }, jobs) {
    const { PgBoss } = await pgBossLibrary()
    const boss = new PgBoss({ connectionString: databaseUrl, max: 2 })
    await boss.start()
    await inChunks(jobs, 2000, (chunk) =>
      boss.insert(
        QUEUE,
        chunk.map((data) => ({ data })),
      ),
    )
    await boss.stop()
  },
  async producer({ databaseUrl }) {
    const { PgBoss } = await pgBossLibrary()
    const boss = new PgBoss({ connectionString: databaseUrl, max: POOL, useListenNotify: true })
    // Its listener's connection outlives stop() for a moment, and the database is dropped then.
    boss.on('error', () => undefined)
    await boss.start()
    return {
      send: async (job) => void (await boss.send(QUEUE, job)),
      close: () => boss.stop(),
    }
  },
  async work({ databaseUrl, port }) {
    const { PgBoss } = await pgBossLibrary()
    const boss = new PgBoss({ connectionString: databaseUrl, max: POOL, useListenNotify: true })
    boss.on('error', () => undefined)
    await boss.start()
    const post = poster(port)
    const options = {
      batchSize: 500,
      burstWhenBatchFull: true,
      perJobResults: true,
      pollingIntervalSeconds: 0.5,
    } as const
    await boss.work<Job, unknown>(QUEUE, { ...options, localConcurrency: 2 }, async (jobs) => {
      const waiting = [...jobs]
      const one = async () => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await post(next.data)
      }
      await Promise.all(Array.from({ length: CONCURRENCY / 2 }, one))
      return jobs.map(({ id }) => ({ id, status: 'completed' as const }))
    })
    return () => boss.stop()
  },
}

const graphileLibrary = () => import('graphile-worker')

const graphileWorker: Contender = {
  settings: `concurrentJobs ${CONCURRENCY}, localQueue 500, completeJobBatchDelay 5 ms, LISTEN/NOTIFY, polling 1 s`,
  async prepare({ databaseUrl }) {
    const { runMigrations } = await graphileLibrary()
    await runMigrations({ connectionString: databaseUrl })
  },
  async seed({ databaseUrl }, jobs) {
    const { makeWorkerUtils } = await graphileLibrary()
    const utils = await makeWorkerUtils({ connectionString: databaseUrl })
    await inChunks(jobs, 2000, (chunk) => utils.addJobs(chunk.map((payload) => ({ identifier: QUEUE, payload }))))
    await utils.release()
  },
  async producer({ databaseUrl }) {
    const { makeWorkerUtils } = await graphileLibrary()
    const utils = await makeWorkerUtils({ connectionString: databaseUrl, maxPoolSize: POOL })
    return {
      send: async (job) => void (await utils.addJob(QUEUE, job)),
      close: async () => void (await utils.release()),
    }
  },
  async work({ databaseUrl, port }) {
    const post = poster(port)
    const worker = { connectionString: databaseUrl, maxPoolSize: POOL, concurrentJobs: CONCURRENCY, pollInterval: 1000 }
    const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 5, failJobBatchDelay: 5 }
    const { Logger, run } = await graphileLibrary()
    const runner = await run({
      preset: { worker: { ...worker, ...batching } },
      taskList: { [QUEUE]: (payload) => post(payload as Job) },
      noHandleSignals: true,
      logger: new Logger(() => () => undefined),
    })
    return () => runner.stop()
  },
}

const bullmqLibrary = () => import('bullmq')

const bullmq: Contender = {
  settings: `concurrency ${CONCURRENCY}, removeOnComplete, Redis without persistence of its own`,
  async prepare({ redisUrl }) {
    const redis = new Redis(redisUrl)
    await redis.flushdb()
    redis.disconnect()
  },
  async seed({ redisUrl }, jobs) {
    const { Queue } = await bullmqLibrary()
    const queue = new Queue(QUEUE, { connection: connectionTo(redisUrl) })
    await inChunks(jobs, 1000, (chunk) =>
      queue.addBulk(chunk.map((data) => ({ name: 'send', data, opts: KEEP_NOTHING }))),
    )
    await queue.close()
  },
  async producer({ redisUrl }) {
    const { Queue } = await bullmqLibrary()
    const queue = new Queue(QUEUE, { connection: connectionTo(redisUrl) })
    return {
      send: async (job) => void (await queue.add('send', job, KEEP_NOTHING)),
      close: () => queue.close(),
    }
  },
  async work({ redisUrl, port }) {
    const post = poster(port)
    const options = { connection: connectionTo(redisUrl), concurrency: CONCURRENCY }
    const { Worker } = await bullmqLibrary()
    const worker = new Worker<Job>(QUEUE, ({ data }) => post(data), options)
    return () => worker.close()
  },
}

const KEEP_NOTHING = { removeOnComplete: true, removeOnFail: true }

function connectionTo(url: string) {
  const { hostname, port, pathname } = new URL(url)
  return { host: hostname, port: Number(port), db: Number(pathname.slice(1) || 0), maxRetriesPerRequest: null }
}

/** No queue: the same bodies by undici as fast as it goes. The ceiling of the machine with this sink. */
const undici: Contender = {
  settings: `Pool.dispatch, ${CONCURRENCY} connections; no database, no signatures`,
  prepare: async () => undefined,
  async seed(_place, jobs) {
    inMemory = jobs
  },
  producer: async () => ({ send: async () => undefined, close: async () => undefined }),
  async work({ port }) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONCURRENCY, pipelining: 1 })
    let next = 0
    const one = () => {
      const job = inMemory[next++]
      if (job === undefined) return
      const headers = ['content-type', 'application/json', 'webhook-id', job.id]
      pool.dispatch(
        { path: `/${job.endpoint}`, method: 'POST', headers, body: job.body },
        {
          onRequestStart: () => undefined,
          onResponseStart: () => undefined,
          onResponseData: () => undefined,
          onResponseEnd: one,
          onResponseError: (_controller, error) => {
            throw error
          },
        },
      )
    }
    for (let i = 0; i < CONCURRENCY; i++) one()
    return () => pool.destroy()
  },
}
let inMemory: readonly Job[] = []

export const CONTENDERS: Record<string, Contender> = {
  'raw undici': undici,
  GudDesk: guddesk,
  'pg-boss': pgBoss,
  'graphile-worker': graphileWorker,
  BullMQ: bullmq,
}
