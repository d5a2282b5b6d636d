import { cpus } from 'node:os'
import { CONTENDERS } from './contenders.ts'
import type { HangingResult } from './hanging.ts'
import { ENDPOINTS } from './jobs.ts'
import type { DrainResult, SteadyResult } from './measures.ts'
import type { MillionResult } from './million.ts'

export interface Drains {
  readonly jobs: number
  readonly results: readonly DrainResult[]
  /** The machine's load average before. */
  readonly load: number
  readonly now: Date
}

/** The sections of BENCHMARKS.md that tell of dispatching. */
export function drainSection({ jobs, results, load, now }: Drains): string {
  const raw = results.find(({ name }) => name === 'raw undici')?.perSecond ?? Number.NaN
  return `## Dispatching: a backlog

${measured('drain', now)}, load average before the run ${load.toFixed(1)}.
One worker process each, one receiver process (node:http) on the same machine, ${ENDPOINTS} endpoints, bodies of 400 bytes. Everybody but raw undici signs twice, with the same
client code. The ratio to raw undici of the same run tells; absolute figures are the machine's. Processor time and WAL of PostgreSQL are the whole
server’s, which nobody else should use meanwhile.

${jobs.toLocaleString('en')} jobs waiting, from the first arrival to the last; every id was found at the receiver.

${table(
  ['', 'A second', 'Of raw undici', 'Arrived twice', 'Memory', 'Processor time a job', 'PostgreSQL’s', 'WAL a job'],
  results.map(({ name, perSecond, repeated, memory, processorUs, postgresUs, wal }) => [
    name,
    Math.round(perSecond).toLocaleString('en'),
    (perSecond / raw).toFixed(2),
    String(repeated),
    `${memory.toFixed(0)} MB`,
    `${processorUs.toFixed(0)} µs`,
    postgresUs === null ? '–' : `${postgresUs.toFixed(0)} µs`,
    wal === null ? '–' : `${wal.toFixed(0)} B`,
  ]),
)}

Settings:

${Object.entries(CONTENDERS)
  .map(([name, { settings }]) => `- ${name}: ${settings}.`)
  .join('\n')}
`
}

export function steadySection(results: readonly SteadyResult[], now: Date): string {
  return `## Dispatching: a steady rate

${measured('steady', now)}. From a job's commit to its arrival; settings as above.

${table(
  ['', 'Jobs a second', 'p50', 'p99', 'Longest'],
  results.map(({ name, perSecond, latency }) => [
    name,
    String(perSecond),
    `${latency.p50.toFixed(1)} ms`,
    `${latency.p99.toFixed(1)} ms`,
    `${latency.max.toFixed(0)} ms`,
  ]),
)}
`
}

export function hangingSection({ alone, beside }: HangingResult, now: Date): string {
  const row = (name: string, { p50, p99, max }: HangingResult['alone']) => [
    name,
    `${p50.toFixed(1)} ms`,
    `${p99.toFixed(1)} ms`,
    `${max.toFixed(0)} ms`,
  ]
  return `## Dispatching: beside receivers that hang

${measured('hanging', now)}. One endpoint gets 100 a second; five others never answer, and have 20,000 due each.

${table(['', 'p50', 'p99', 'Longest'], [row('alone', alone), row('beside them', beside)])}

p99 beside them is ${(beside.p99 / alone.p99).toFixed(2)} times that alone.
`
}

export function millionSection({ fetchFew, fetchMany, memory }: MillionResult, now: Date): string {
  return `## Dispatching: a million due

${measured('million', now)}. The 95th percentile of a fetch is ${fetchFew.toFixed(1)} ms with 1,000 due and ${fetchMany.toFixed(1)} ms with 1,000,000
(${(fetchMany / fetchFew).toFixed(2)} times). A process that sends them takes ${memory.toFixed(0)} MB.
`
}

function measured(part: string, now: Date): string {
  const date = now.toISOString().slice(0, 10)
  return `\`npm run bench:dispatch -- ${part}\` measured this on ${date}: ${cpus().length} cores, Node ${process.versions.node}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}
