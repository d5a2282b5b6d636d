import { type Summary, summarize } from '../../demo/stats.ts'
import { type PostgresUse, postgresUse } from '../usage.ts'
import { arrived, makePlace, type Sink, startWorker, wait } from './arena.ts'
import { CONTENDERS } from './contenders.ts'
import { type Job, job } from './jobs.ts'

export interface DrainResult {
  readonly name: string
  readonly perSecond: number
  readonly repeated: number
  /** MB at the end. */
  readonly memory: number
  /** Of the worker processes together, for each job, in microseconds; with their start. */
  readonly processorUs: number
  /** Of PostgreSQL's processes, for each job; null: unknown, or it is not used. */
  readonly postgresUs: number | null
  /** Bytes for each job; null: it is not used. */
  readonly wal: number | null
}

const PATIENCE_MS = 300_000

/** How fast a backlog goes out, from the first arrival to the last; every id is looked for at the sink. */
export async function drain(name: string, sink: Sink, jobs: number, processes = 1): Promise<DrainResult> {
  await using cleanup = new AsyncDisposableStack()
  const place = await makePlace(sink.port, cleanup)
  const contender = contenderCalled(name)
  const isInMemory = name === 'raw undici'
  await contender.prepare(place)
  const all = Array.from({ length: jobs }, (_, n) => job(n, 'drain'))
  if (!isInMemory) await contender.seed(place, all)
  await sink.reset()
  const before = await postgresUse(place.databaseUrl)
  const start = () => startWorker(name, place, isInMemory ? jobs : 0)
  const workers = await Promise.all(Array.from({ length: processes }, start))
  const report = await arrived(sink, jobs, PATIENCE_MS)
  const memory = Math.max(...(await Promise.all(workers.map((worker) => worker.memory()))))
  const processorMs = (await Promise.all(workers.map((worker) => worker.processorMs()))).reduce(
    (sum, ms) => sum + ms,
    0,
  )
  await Promise.all(workers.map((worker) => worker.stop()))
  const after = await postgresUse(place.databaseUrl)
  const arrivals = new Map(report.arrivals)
  const missing = all.filter(({ id }) => !arrivals.has(id))
  if (missing.length > 0) throw new Error(`${name}: ${missing.length} ids did not arrive`)
  return {
    name,
    perSecond: (1000 * jobs) / report.spanMs,
    repeated: report.repeated,
    memory,
    processorUs: (1000 * processorMs) / jobs,
    ...(WITHOUT_POSTGRES.has(name) ? { postgresUs: null, wal: null } : ofEach(before, after, jobs)),
  }
}

const WITHOUT_POSTGRES = new Set(['raw undici', 'BullMQ'])

function ofEach(before: PostgresUse, after: PostgresUse, jobs: number): Pick<DrainResult, 'postgresUs' | 'wal'> {
  const [from, to] = [before.processor, after.processor]
  const postgresUs = from === null || to === null ? null : (1000 * (to - from)) / jobs
  return { postgresUs, wal: (after.wal - before.wal) / jobs }
}

export interface SteadyResult {
  readonly name: string
  readonly perSecond: number
  readonly latency: Summary
}

const TICK_MS = 5

/** From a job's commit to its arrival, at a steady rate. */
export async function steady(name: string, sink: Sink, perSecond: number, seconds: number): Promise<SteadyResult> {
  await using cleanup = new AsyncDisposableStack()
  const place = await makePlace(sink.port, cleanup)
  const contender = contenderCalled(name)
  await contender.prepare(place)
  await sink.reset()
  const worker = await startWorker(name, place)
  const producer = await contender.producer(place)
  const jobs = Array.from({ length: (WARM_UP_SECONDS + seconds) * perSecond }, (_, n) => job(n, 'steady'))
  const committed = await atRate(jobs, perSecond, (next) => producer.send(next))
  const latency = await latencies(sink, committed, WARM_UP_SECONDS * perSecond)
  await producer.close()
  await worker.stop()
  return { name, perSecond, latency }
}

/** The first seconds are for connections, plans and compilers. */
export const WARM_UP_SECONDS = 2

/** Sends jobs at a steady rate. @returns when each was committed, in Unix milliseconds, in the order of the jobs */
export async function atRate(
  jobs: readonly Job[],
  perSecond: number,
  send: (job: Job) => Promise<unknown>,
): Promise<Map<string, number>> {
  const committed = new Map<string, number>()
  const pending = new Set<Promise<void>>()
  const began = performance.now()
  for (let sent = 0; sent < jobs.length; ) {
    const due = Math.min(jobs.length, Math.floor(((performance.now() - began) * perSecond) / 1000))
    for (const next of jobs.slice(sent, due)) {
      const one = send(next).then(() => {
        committed.set(next.id, performance.timeOrigin + performance.now())
        pending.delete(one)
      })
      pending.add(one)
    }
    sent = due
    await wait(TICK_MS)
  }
  await Promise.all(pending)
  return committed
}

/** From commit to arrival, of all but the first so many jobs. @throws Error unless every one arrives */
export async function latencies(sink: Sink, committed: ReadonlyMap<string, number>, warmUp: number): Promise<Summary> {
  const { arrivals } = await arrived(sink, committed.size, PATIENCE_MS)
  const at = new Map(arrivals)
  const all = [...committed].map(([id, commit]) => {
    const arrival = at.get(id)
    if (arrival === undefined) throw new Error(`${id} did not arrive`)
    return { id, ms: Math.max(0, arrival - commit) }
  })
  const byId = all.sort((a, b) => (a.id < b.id ? -1 : 1))
  return summarize(byId.slice(warmUp).map(({ ms }) => ms))
}

function contenderCalled(name: string) {
  const contender = CONTENDERS[name]
  if (contender === undefined) throw new Error(`nobody is called ${name}`)
  return contender
}
