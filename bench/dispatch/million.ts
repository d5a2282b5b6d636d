import pg from 'pg'
import type { PendingDelivery } from '../../src/dispatch/delivery.ts'
import { openConnection } from '../../src/dispatch/store/connection.ts'
import { fetchDue } from '../../src/dispatch/store/fetch-due.ts'
import { assemble } from '../../src/infra/database/db.ts'
import { postgresConnection } from '../../src/infra/database/pg-session.ts'
import { makePlace, type Sink, startWorker, wait, written } from './arena.ts'
import type { Place } from './contender.ts'
import { guddesk } from './guddesk.ts'
import { ENDPOINTS, endpointId, job } from './jobs.ts'

export interface MillionResult {
  /** The 95th percentile of a fetch, in milliseconds, with so few and so many due. */
  readonly fetchFew: number
  readonly fetchMany: number
  /** MB of a process that sends them. */
  readonly memory: number
}

const FEW = 1000
const MANY = 1_000_000
const CHUNK = 50_000
const FETCHES = 1000
const ENDPOINTS_ASKED = 25
const FIRSTS = 20
const WORK_MS = 20_000

/** What a million due deliveries cost: the fetch, and memory. */
export async function million(sink: Sink): Promise<MillionResult> {
  await using cleanup = new AsyncDisposableStack()
  const place = await makePlace(sink.port, cleanup)
  await guddesk.prepare(place)
  const seed = async (from: number, to: number) => {
    for (let n = from; n < to; n += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, to - n) }, (_, i) => job(n + i, 'million'))
      await guddesk.seed(place, chunk)
    }
    await written(place)
  }
  await seed(0, FEW)
  const fetchFew = await fetchP95(place, Math.floor(FEW / ENDPOINTS))
  await seed(FEW, MANY)
  const fetchMany = await fetchP95(place, Math.floor(FEW / ENDPOINTS))
  await sink.reset()
  const worker = await startWorker('GudDesk', place)
  await wait(WORK_MS)
  const memory = await worker.memory()
  await worker.stop()
  return { fetchFew, fetchMany, memory }
}

/** Fetches as the dispatcher does, for a quarter of the endpoints at a time; nothing is prefetched. */
async function fetchP95({ databaseUrl }: Place, most: number): Promise<number> {
  const pool = new pg.Pool({ ...postgresConnection(databaseUrl), max: 1 })
  const connection = openConnection(assemble(pool, 'shared', async () => undefined))
  const firstAttempts = Math.min(FIRSTS, most)
  const times: number[] = []
  for (let i = 0; i < FETCHES; i++) {
    const wanted = Array.from({ length: ENDPOINTS_ASKED }, (_, n) => ({
      endpointId: endpointId((i * ENDPOINTS_ASKED + n) % ENDPOINTS),
      firstAttempts,
      retries: firstAttempts,
      replays: firstAttempts,
      prefetched: [],
      firstAttemptsAfter: '0',
      holdBack: 'due' as const,
      retriesFrom: new Date(0),
    }))
    const began = performance.now()
    const found: PendingDelivery[] = await fetchDue(connection, wanted, new Date())
    times.push(performance.now() - began)
    if (found.length !== ENDPOINTS_ASKED * firstAttempts) throw new Error(`a fetch found ${found.length}`)
  }
  await connection.close()
  await pool.end()
  const sorted = times.slice(FETCHES / 10).sort((a, b) => a - b)
  return sorted[Math.floor(0.95 * sorted.length)] ?? Number.NaN
}
