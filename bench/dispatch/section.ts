import { cpus } from 'node:os'
import { CONTENDERS } from './contenders.ts'
import { ENDPOINTS } from './jobs.ts'
import type { DrainResult, SteadyResult } from './measures.ts'

export interface Figures {
  readonly jobs: number
  readonly drains: readonly DrainResult[]
  /** GudDesk with four processes. */
  readonly four: DrainResult
  readonly rates: readonly SteadyResult[]
  /** The machine's load average before. */
  readonly load: number
  readonly now: Date
}

/** Its section of BENCHMARKS.md. */
export function dispatchSection({ jobs, drains, four, rates, load, now }: Figures): string {
  const raw = drains.find(({ name }) => name === 'raw undici')?.perSecond ?? Number.NaN
  const count = jobs.toLocaleString('en')
  return `## Dispatching

\`npm run bench:dispatch\` measured this on ${now.toISOString().slice(0, 10)}: ${cpus().length} cores, Node ${process.versions.node}, load average before the run ${load.toFixed(1)}.
One worker process each, one receiver process (node:http) on the same machine, ${ENDPOINTS} endpoints, bodies of 400 bytes. Everybody but raw undici signs twice, with the same
client code. The ratio to raw undici of the same run tells; absolute figures are the machine's.

${count} jobs waiting, from the first arrival to the last; every id was found at the receiver.

${table(
  ['', 'A second', 'Of raw undici', 'Arrived twice', 'Memory'],
  [...drains, { ...four, name: 'GudDesk, four processes' }].map(({ name, perSecond, repeated, memory }) => [
    name,
    Math.round(perSecond).toLocaleString('en'),
    (perSecond / raw).toFixed(2),
    String(repeated),
    `${memory.toFixed(0)} MB`,
  ]),
)}

From a job's commit to its arrival:

${table(
  ['', 'Jobs a second', 'p50', 'p99', 'Longest'],
  rates.map(({ name, perSecond, latency }) => [
    name,
    String(perSecond),
    `${latency.p50.toFixed(1)} ms`,
    `${latency.p99.toFixed(1)} ms`,
    `${latency.max.toFixed(0)} ms`,
  ]),
)}

Settings:

${Object.entries(CONTENDERS)
  .map(([name, { settings }]) => `- ${name}: ${settings}.`)
  .join('\n')}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}
