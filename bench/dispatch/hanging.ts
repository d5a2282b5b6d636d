import pg from 'pg'
import type { Summary } from '../../demo/stats.ts'
import { makePlace, type Sink, startWorker, wait, written } from './arena.ts'
import { guddesk } from './guddesk.ts'
import { endpointId, job } from './jobs.ts'
import { atRate, latencies, WARM_UP_SECONDS } from './measures.ts'

export interface HangingResult {
  readonly alone: Summary
  readonly beside: Summary
}

const HANGING = 5
const DUE_EACH = 20_000
const PER_SECOND = 100
const GOOD = 50
const SETTLE_MS = 3000

/** One endpoint at 100 a second: alone, and beside five that never answer and have 20,000 due each. */
export async function hanging(sink: Sink, seconds: number): Promise<HangingResult> {
  await using cleanup = new AsyncDisposableStack()
  const place = await makePlace(sink.port, cleanup)
  await guddesk.prepare(place)
  const measure = async (prefix: string): Promise<Summary> => {
    await sink.reset()
    const worker = await startWorker('GudDesk', place)
    const producer = await guddesk.producer(place)
    await wait(SETTLE_MS)
    const jobs = Array.from({ length: (WARM_UP_SECONDS + seconds) * PER_SECOND }, (_, n) => ({
      ...job(n, prefix),
      endpoint: GOOD,
    }))
    const committed = await atRate(jobs, PER_SECOND, (next) => producer.send(next))
    const latency = await latencies(sink, committed, WARM_UP_SECONDS * PER_SECOND)
    await producer.close()
    await worker.stop()
    return latency
  }
  const alone = await measure('alone')
  const pool = new pg.Pool({ connectionString: place.databaseUrl, max: 1 })
  const ids = Array.from({ length: HANGING }, (_, n) => endpointId(n))
  await pool.query('UPDATE webhook_endpoints SET url = $1 || id WHERE id = ANY($2)', [
    `http://127.0.0.1:${sink.port}/hanging?`,
    ids,
  ])
  await pool.end()
  const due = Array.from({ length: HANGING * DUE_EACH }, (_, n) => ({ ...job(n, 'hanging'), endpoint: n % HANGING }))
  await guddesk.seed(place, due)
  await written(place)
  return { alone, beside: await measure('beside') }
}
