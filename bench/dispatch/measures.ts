import { type Summary, summarize } from '../../demo/stats.ts'
import { arrived, makePlace, type Sink, startWorker, wait } from './arena.ts'
import { CONTENDERS } from './contenders.ts'
import { job } from './jobs.ts'

export interface DrainResult {
  readonly name: string
  readonly perSecond: number
  readonly repeated: number
  /** MB at the end. */
  readonly memory: number
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
  const start = () => startWorker(name, place, isInMemory ? jobs : 0)
  const workers = await Promise.all(Array.from({ length: processes }, start))
  const report = await arrived(sink, jobs, PATIENCE_MS)
  const memory = Math.max(...(await Promise.all(workers.map((worker) => worker.memory()))))
  await Promise.all(workers.map((worker) => worker.stop()))
  const arrivals = new Map(report.arrivals)
  const missing = all.filter(({ id }) => !arrivals.has(id))
  if (missing.length > 0) throw new Error(`${name}: ${missing.length} ids did not arrive`)
  return { name, perSecond: (1000 * jobs) / report.spanMs, repeated: report.repeated, memory }
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
  const committed = new Map<string, number>()
  const pending = new Set<Promise<void>>()
  // The first seconds are for connections, plans and compilers.
  const warmUp = 2 * perSecond
  const total = warmUp + seconds * perSecond
  const began = performance.now()
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1000))
    for (; sent < due; sent++) {
      const next = job(sent, 'steady')
      const one = producer.send(next).then(() => {
        committed.set(next.id, performance.timeOrigin + performance.now())
        pending.delete(one)
      })
      pending.add(one)
    }
    await wait(TICK_MS)
  }
  await Promise.all(pending)
  const report = await arrived(sink, total, PATIENCE_MS)
  await producer.close()
  await worker.stop()
  const latencies = report.arrivals.flatMap(([id, at]) => {
    const commit = committed.get(id)
    if (commit === undefined) throw new Error(`${id} was never sent`)
    return Number(id.slice('steady'.length)) < warmUp ? [] : [Math.max(0, at - commit)]
  })
  return { name, perSecond, latency: summarize(latencies) }
}

function contenderCalled(name: string) {
  const contender = CONTENDERS[name]
  if (contender === undefined) throw new Error(`nobody is called ${name}`)
  return contender
}
