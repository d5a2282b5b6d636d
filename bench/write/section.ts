import { cpus, totalmem } from 'node:os'
import type { Round, Transport } from './round.ts'
import type { Turns } from './turns.ts'

export interface Row {
  readonly backend: string
  /** By hand: the hand-written server. */
  readonly server: Transport | 'by hand'
  readonly connections: number
  readonly isDelivered: boolean
  readonly round: Round
  /** Of the hand-written server's messages a second, which are not delivered; null on the embedded database. */
  readonly ratio: number | null
}

/**
 * The section of BENCHMARKS.md.
 * @param load the machine's load average before the run and after it
 */
export function writeSection(
  rows: readonly Row[],
  turns: readonly { readonly backend: string; readonly turns: Turns }[],
  load: { readonly before: number; readonly after: number },
): string {
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB of memory`
  return `## Writing

\`npm run bench:write\` measured this on ${new Date().toISOString().slice(0, 10)}: ${machine}, Node ${process.versions.node}, load average before the run ${load.before.toFixed(1)}, after it ${load.after.toFixed(1)}.
Visitors' messages in 100 conversations over keep-alive connections, each of which waits for its answer. Delivered: to one endpoint that answers at once; every message was
found there. By hand: a bare Koa route on the same tables, which looks up the key, and has one prepared statement for lock, message, event and deliveries; it
delivers nothing. The middle one of three rounds, in turns with the hand-written server; the ratio is to its messages a second. Client and receiver
are one process on the same machine, as is PostgreSQL. What a message costs includes its delivery and attempt.
PostgreSQL's CPU and WAL are the whole server's, with what others do there meanwhile.

| Backend | Server | Connections | Delivered | Accepted a second | Delivered a second | Ratio | p50 | p99 | Node CPU | PostgreSQL CPU | WAL | Transactions | HOT |
| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map(rowOf).join('\n')}

A turn is a visitor's message, its webhook, and the agent's reply, stored. At most: 32 turns at a time. Times at half of that rate.

| Backend | Turns a second | p50 | p99 |
| --- | ---: | ---: | ---: |
${turns.map(({ backend, turns: { perSecond, latency } }) => `| ${backend} | ${perSecond.toFixed(0)} | ${latency.p50.toFixed(1)} ms | ${latency.p99.toFixed(1)} ms |`).join('\n')}
`
}

function rowOf({ backend, server, connections, isDelivered, round, ratio }: Row): string {
  const { acceptedPerSecond, deliveredPerSecond, latency, perMessage } = round
  const { nodeMs, postgresMs, wal, transactions, updates, hotUpdates } = perMessage
  const hot = updates === null || hotUpdates === null ? null : (100 * hotUpdates) / updates
  const shown = (value: number | null, digits: number, unit = '') =>
    value === null ? '–' : `${value.toFixed(digits)}${unit}`
  const cells = [
    ...[backend, server, connections, isDelivered ? 'yes' : 'no'],
    ...[acceptedPerSecond.toFixed(0), shown(deliveredPerSecond, 0), shown(ratio, 2)],
    ...[`${latency.p50.toFixed(1)} ms`, `${latency.p99.toFixed(1)} ms`],
    ...[shown(nodeMs, 2, ' ms'), shown(postgresMs, 2, ' ms'), shown(wal === null ? null : wal / 1000, 1, ' kB')],
    ...[shown(transactions, 2), shown(hot, 0, ' %')],
  ]
  return `| ${cells.join(' | ')} |`
}
