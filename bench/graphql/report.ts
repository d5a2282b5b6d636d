import type { Load } from './load.ts'
import type { Shares } from './profile.ts'
import { CONNECTIONS, QUERIES, type QueryName } from './queries.ts'

export interface Measured {
  readonly backend: string
  readonly query: QueryName
  readonly guddesk: Load
  readonly byHand: Load
}

/** Of BENCHMARKS.md. */
export function graphqlSection(rows: readonly Measured[], shares: Shares | null, load: number): string {
  return `## GraphQL

Queries through the whole server (HTTP, API key, limits, executor), against the same results by one hand-written SQL statement behind
a bare Koa route without authentication. Two server processes on databases of the same contents, ${CONNECTIONS} keep-alive connections
from a third process, in turns; the middle one of three rounds. Processor time is the server process's own, per request. Load average
before the run ${load.toFixed(1)}.

| Backend | Query | Requests per second | By hand | Ratio | p50 | By hand | p99 | By hand | Processor time | By hand |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map(rowOf).join('\n')}

${(Object.keys(QUERIES) as QueryName[]).map((name) => `- ${name}: \`${QUERIES[name].replace(/\s+/g, ' ')}\``).join('\n')}
${shares === null ? '' : profileOf(shares)}`
}

function rowOf({ backend, query, guddesk, byHand }: Measured): string {
  const cells = [
    backend,
    query,
    guddesk.perSecond.toFixed(0),
    byHand.perSecond.toFixed(0),
    (guddesk.perSecond / byHand.perSecond).toFixed(2),
    ...[guddesk.latency.p50, byHand.latency.p50, guddesk.latency.p99, byHand.latency.p99].map(
      (ms) => `${ms.toFixed(1)} ms`,
    ),
    ...[guddesk.processor, byHand.processor].map((ms) => (ms === null ? '–' : `${ms.toFixed(2)} ms`)),
  ]
  return `| ${cells.join(' | ')} |`
}

const MIN_SHARE = 0.02

/** Sampled in a run of its own: profiling costs time itself. */
function profileOf({ parts }: Shares): string {
  const lines = parts.filter(([, share]) => share >= MIN_SHARE)
  return `
Where the server's time goes in \`list\` (sampled; what Node itself does counts for whoever called it):

| Part | Share |
| --- | ---: |
${lines.map(([name, share]) => `| ${name} | ${(share * 100).toFixed(0)} % |`).join('\n')}
`
}
