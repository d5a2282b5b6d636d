import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDispatcher } from '../../src/dispatch/dispatcher.ts'
import { openDatabase } from '../../src/infra/database/db.ts'
import { migrate } from '../../src/infra/database/migrations.ts'
import { createLog } from '../../src/infra/log.ts'
import { openBus } from '../../src/infra/redis/bus.ts'
import type { Sink } from './arena.ts'
import { addEndpoints, dispatcherDeps, rowsOf, STORE } from './guddesk.ts'
import { endpointId, job } from './jobs.ts'
import { atRate, latencies, type SteadyResult, WARM_UP_SECONDS } from './measures.ts'

/** A steady rate on the embedded database, stored and sent by this process, as the default installation does. */
export async function embedded(sink: Sink, perSecond: number, seconds: number): Promise<SteadyResult> {
  await using cleanup = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'guddesk-bench-'))
  cleanup.defer(() => rm(dataDir, { recursive: true, force: true }))
  const log = createLog('warn')
  const db = await openDatabase({ databaseUrl: undefined, redisUrl: undefined, dataDir }, log)
  cleanup.defer(() => db.close())
  await migrate(db.pool)
  await addEndpoints(db.pool, sink.port)
  const bus = openBus(undefined, log)
  cleanup.defer(() => bus.close())
  const dispatcher = await startDispatcher(dispatcherDeps({ db, bus, log, sharesProcess: true }))
  cleanup.defer(() => dispatcher.stop())
  await sink.reset()
  const jobs = Array.from({ length: (WARM_UP_SECONDS + seconds) * perSecond }, (_, n) => job(n, 'embedded'))
  const committed = await atRate(jobs, perSecond, async (next) => {
    await db.sql(STORE, rowsOf([next]))
    bus.notify('dispatch', [endpointId(next.endpoint)])
  })
  return {
    name: 'GudDesk, embedded',
    perSecond,
    latency: await latencies(sink, committed, WARM_UP_SECONDS * perSecond),
  }
}
