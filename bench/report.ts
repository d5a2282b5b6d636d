import { arch, cpus, platform, totalmem } from 'node:os'
import type { Drain, Latency } from './measure.ts'

export interface Result {
  readonly backend: string
  readonly startMs: number
  /** MB; null where they cannot be measured. */
  readonly idleMemory: number | null
  readonly memoryAfter: number | null
  readonly latency: Latency
  readonly drain: Drain
}

/**
 * BENCHMARKS.md.
 * @param load the machine's load average before the run: what else it was doing
 */
export function report(results: readonly Result[], now: Date, load: number): string {
  return `# Benchmarks

\`npm run bench\` measured this on ${now.toISOString().slice(0, 10)} and wrote this file. GudDesk ran as one process, as \`npm start\` runs it, on a
database of its own; the client and the receiver shared another process on the same machine. Absolute figures are the
machine's; the ratio compares with a baseline of the same run.

${machine(load)}

## Latency

From the POST of a visitor's message (GraphQL \`sendMessage\`) to the arrival of its signed webhook at the receiver:
${results[0]?.latency.webhook.count} messages, one after another. The baseline is the client POSTing an equal body straight to the receiver with fetch.

${table(
  ['Backend', 'p50', 'p99', 'Baseline p50', 'Baseline p99', 'Ratio p50', 'Ratio p99'],
  results.map(({ backend, latency: { webhook, baseline } }) => [
    backend,
    ms(webhook.p50),
    ms(webhook.p99),
    ms(baseline.p50),
    ms(baseline.p99),
    ratio(webhook.p50, baseline.p50),
    ratio(webhook.p99, baseline.p99),
  ]),
)}

## Throughput

${results[0]?.drain.messages.toLocaleString('en')} messages of visitors in 200 conversations, posted 32 at a time, to one endpoint. Every message was found at the receiver,
with a valid signature; deliveries are told apart by \`X-GudDesk-Delivery\`.

${table(
  ['Backend', 'Accepted', 'Delivered', 'Arrived twice', 'Accepted per second', 'Delivered per second'],
  results.map(({ backend, drain }) => [
    backend,
    drain.messages.toLocaleString('en'),
    drain.delivered.toLocaleString('en'),
    drain.repeated.toLocaleString('en'),
    drain.acceptedPerSecond.toFixed(0),
    drain.deliveredPerSecond.toFixed(0),
  ]),
)}

## Start and memory

${table(
  ['Backend', 'First start', 'Resident memory after 10 s idle', 'After both measurements'],
  results.map(({ backend, startMs, idleMemory, memoryAfter }) => [
    backend,
    `${(startMs / 1000).toFixed(1)} s`,
    megabytes(idleMemory),
    megabytes(memoryAfter),
  ]),
)}
`
}

function machine(load: number): string {
  const processors = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  const model = processors[0]?.model.trim() || 'unknown processor'
  return `Machine: ${model}, ${processors.length} cores, ${memory} GB of memory, ${platform()} ${arch()}, Node ${process.versions.node};
load average before the run ${load.toFixed(1)}.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('\n')
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ms`
const ratio = (value: number, baseline: number) => `${(value / baseline).toFixed(1)} ×`
const megabytes = (value: number | null) => (value === null ? '–' : `${Math.round(value)} MB`)
