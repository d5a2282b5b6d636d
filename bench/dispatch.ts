/**
 * `npm run bench:dispatch`: GudDesk's dispatcher beside well-known job libraries that make the same requests, and beside
 * undici alone, in one run. Writes its sections of BENCHMARKS.md. `npm run bench:dispatch -- drain million` measures these
 * parts only; `JOBS=10000 SECONDS=5` makes them short.
 */
import { loadavg } from 'node:os'
import { type Sink, startSink } from './dispatch/arena.ts'
import { CONTENDERS } from './dispatch/contenders.ts'
import { embedded } from './dispatch/embedded.ts'
import { hanging } from './dispatch/hanging.ts'
import { type DrainResult, drain, type SteadyResult, steady } from './dispatch/measures.ts'
import { million } from './dispatch/million.ts'
import { drainSection, hangingSection, millionSection, steadySection } from './dispatch/section.ts'
import { writeSections } from './sections.ts'

const jobs = Number(process.env['JOBS'] ?? 100_000)
const seconds = Number(process.env['SECONDS'] ?? 15)

async function drains(sink: Sink): Promise<string> {
  const [load = 0] = loadavg()
  const results: DrainResult[] = []
  for (const name of Object.keys(CONTENDERS)) results.push(told(await drain(name, sink, jobs)))
  const four = { ...told(await drain('GudDesk', sink, jobs, 4)), name: 'GudDesk, four processes' }
  return drainSection({ jobs, results: [...results, four], load, now: new Date() })
}

async function rates(sink: Sink): Promise<string> {
  const results: SteadyResult[] = [told(await embedded(sink, 200, seconds))]
  for (const rate of [200, 1000]) {
    for (const name of Object.keys(CONTENDERS).filter((each) => each !== 'raw undici')) {
      results.push(told(await steady(name, sink, rate, seconds)))
    }
  }
  return steadySection(results, new Date())
}

const PARTS: Record<string, (sink: Sink) => Promise<string>> = {
  drain: drains,
  steady: rates,
  hanging: async (sink) => hangingSection(told(await hanging(sink, seconds)), new Date()),
  million: async (sink) => millionSection(told(await million(sink)), new Date()),
}

function told<T>(result: T): T {
  console.log(result)
  return result
}

await using cleanup = new AsyncDisposableStack()
const sink = await startSink(cleanup)
const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : Object.keys(PARTS)) {
  const part = PARTS[name]
  if (part === undefined) throw new Error(`There is no part ${name}: ${Object.keys(PARTS).join(', ')}`)
  await writeSections(await part(sink))
}
console.log('\nBENCHMARKS.md is written.')
