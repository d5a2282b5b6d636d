import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { NODE_OPTIONS } from '../../demo/start.ts'
import { POSTGRES_URL, REDIS_URL, withDatabase } from '../../test/support/servers.ts'
import { processorTime } from '../usage.ts'
import type { Place } from './contender.ts'
import type { SinkQuestion, SinkReport } from './sink.ts'
import type { WorkerOrder } from './worker.ts'

/** The receiver's process. */
export interface Sink {
  readonly port: number
  count(): Promise<number>
  report(): Promise<SinkReport>
  reset(): Promise<void>
}

export async function startSink(cleanup: AsyncDisposableStack): Promise<Sink> {
  const child = fork(new URL('./sink.ts', import.meta.url))
  cleanup.defer(() => void child.disconnect())
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const ask = async <T>(question: SinkQuestion): Promise<T> => {
    const answer = once(child, 'message')
    child.send(question)
    return (await answer)[0] as T
  }
  return {
    port,
    count: async () => (await ask<{ count: number }>({ ask: 'count' })).count,
    report: () => ask<SinkReport>({ ask: 'report' }),
    reset: async () => void (await ask({ ask: 'reset' })),
  }
}

/** Redis' database for benchmarks, which is emptied. */
const REDIS_DATABASE = 13

/** A database of its own, dropped afterwards. */
export async function makePlace(port: number, cleanup: AsyncDisposableStack): Promise<Place> {
  const name = `guddesk_bench_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: POSTGRES_URL })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name}`)
  cleanup.defer(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
  })
  return { databaseUrl: withDatabase(POSTGRES_URL, name), redisUrl: `${REDIS_URL}/${REDIS_DATABASE}`, port }
}

export interface WorkerProcess {
  readonly child: ChildProcess
  /** Resident memory in MB. */
  memory(): Promise<number>
  /** Processor time that it has used so far, in milliseconds. */
  processorMs(): Promise<number>
  stop(): Promise<void>
}

export async function startWorker(name: string, place: Place, inMemory = 0): Promise<WorkerProcess> {
  const execArgv = name === 'GudDesk' ? [...NODE_OPTIONS] : []
  const child = fork(new URL('./worker.ts', import.meta.url), { execArgv })
  const order: WorkerOrder = { name, place, inMemory }
  child.send(order)
  const began = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (began[0] !== 'working') throw new Error(`the worker of ${name} ended with ${began[0]}`)
  return {
    child,
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024
    },
    processorMs: async () => (await processorTime(child.pid)) ?? Number.NaN,
    async stop() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}

/** Waits until what was stored is on the disk, and looked over: or that would be measured. */
export async function written({ databaseUrl }: Place): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query('VACUUM ANALYZE')
  await client.query('CHECKPOINT')
  await client.end()
}

/** Waits until the sink has seen so many, and a moment longer for what comes twice. */
export async function arrived(sink: Sink, count: number, patienceMs: number): Promise<SinkReport> {
  const until = performance.now() + patienceMs
  while ((await sink.count()) < count && performance.now() < until) await wait(100)
  await wait(300)
  const report = await sink.report()
  if (report.distinct !== count) throw new Error(`${report.distinct} of ${count} arrived`)
  return report
}

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
