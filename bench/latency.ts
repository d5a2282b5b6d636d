import { loadavg } from 'node:os'
import { connect } from '../demo/client.ts'
import { startGudDesk } from '../demo/process.ts'
import { availableBackends, type BenchBackend } from './backends.ts'
import { measureDrain, measureLatency, residentMemory } from './measure.ts'
import { type Result, report } from './report.ts'
import { writeSections } from './sections.ts'

const IDLE_MS = 10_000

async function measure({ name, create }: BenchBackend): Promise<Result> {
  await using cleanup = new AsyncDisposableStack()
  const backend = await create(cleanup)
  console.log(`\n${name}`)
  const began = performance.now()
  const guddesk = await startGudDesk(backend, cleanup)
  const startMs = performance.now() - began
  console.log(`  ready after ${startMs.toFixed(0)} ms; idle for ${IDLE_MS / 1000} s`)
  const admin = connect(guddesk.origin, guddesk.key)
  const work = async (): Promise<Result> => {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    const idleMemory = await residentMemory(guddesk)
    console.log(`  resident memory ${idleMemory?.toFixed(0) ?? '?'} MB`)
    const latency = await measureLatency(admin)
    console.log(`  latency p50 ${latency.webhook.p50.toFixed(2)} ms, baseline ${latency.baseline.p50.toFixed(2)} ms`)
    const drain = await measureDrain(admin)
    console.log(`  ${drain.delivered} deliveries, ${drain.deliveredPerSecond.toFixed(0)} a second`)
    return { backend: name, startMs, idleMemory, memoryAfter: await residentMemory(guddesk), latency, drain }
  }
  // Awaited here: what cleanup removes must outlive the work.
  return await Promise.race([work(), guddesk.died])
}

const [load = 0] = loadavg()
const results: Result[] = []
for (const backend of await availableBackends()) results.push(await measure(backend))
await writeSections(report(results, new Date(), load))
console.log('\nBENCHMARKS.md is written.')
process.exit(0)
