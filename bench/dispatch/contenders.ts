import { Redis } from 'ioredis'
import { Pool } from 'undici'
import { createHttpClient } from '../../src/dispatch/send/http-client.ts'
import { messageHeaders } from '../../src/dispatch/send/request-headers.ts'
import { type Contender, inChunks, POOL } from './contender.ts'
import { guddesk } from './guddesk.ts'
import { type Job, keysOf, urlOf } from './jobs.ts'

const CONCURRENCY = 64

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
      createdAt: new Date(0),
      version: '',
    }
    const signers = { current: keysOf(endpoint), previous: null }
    const headers = messageHeaders({ ...claimed, type: 'message.created', body }, null, signers, new Date(), 'bench')
    const exchange = await sender.post(urlOf(port, endpoint), headers, body)
    if (exchange.kind !== 'answered' || exchange.statusCode !== 200) throw new Error(JSON.stringify(exchange))
  }
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
