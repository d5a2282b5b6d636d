/**
 * `npm run bench:dispatch`: GudDesk's dispatcher beside well-known job libraries that make the same requests, and beside
 * undici alone, in one run. Writes its section of BENCHMARKS.md. `JOBS=10000 npm run bench:dispatch` makes it short.
 */
import { loadavg } from 'node:os'
import { startSink } from './dispatch/arena.ts'
import { CONTENDERS } from './dispatch/contenders.ts'
import { type DrainResult, drain, type SteadyResult, steady } from './dispatch/measures.ts'
import { dispatchSection } from './dispatch/section.ts'
import { writeSections } from './sections.ts'

const jobs = Number(process.env['JOBS'] ?? 100_000)
const seconds = Number(process.env['SECONDS'] ?? 15)
const [load = 0] = loadavg()

await using cleanup = new AsyncDisposableStack()
const sink = await startSink(cleanup)
const drains: DrainResult[] = []
for (const name of Object.keys(CONTENDERS)) {
  const result = await drain(name, sink, jobs)
  drains.push(result)
  console.log(
    `${name}: ${result.perSecond.toFixed(0)} a second, ${result.repeated} twice, ${result.memory.toFixed(0)} MB`,
  )
}
const four = await drain('GudDesk', sink, jobs, 4)
console.log(`four processes: ${four.perSecond.toFixed(0)} a second, ${four.repeated} twice`)
const rates: SteadyResult[] = []
for (const rate of [200, 1000]) {
  for (const name of Object.keys(CONTENDERS).filter((each) => each !== 'raw undici')) {
    const result = await steady(name, sink, rate, seconds)
    rates.push(result)
    console.log(
      `${name} at ${rate}/s: p50 ${result.latency.p50.toFixed(1)} ms, p99 ${result.latency.p99.toFixed(1)} ms`,
    )
  }
}
await writeSections(dispatchSection({ jobs, drains, four, rates, load, now: new Date() }))
console.log('\nBENCHMARKS.md is written.')
