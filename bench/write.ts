/**
 * Adding messages: how many a second are accepted and delivered, and what each costs. `npm run bench:write` measures all and
 * writes the section of BENCHMARKS.md; `npm run bench:write -- postgres REST 32` measures one part and prints it.
 */
import { loadavg } from 'node:os'
import { availableBackends, type BenchBackend } from './backends.ts'
import { writeSections } from './sections.ts'
import { installAgent, type Place, startByHand, startPlace } from './write/place.ts'
import { startReceiver } from './write/receiver.ts'
import { addMessages, type Round, type Transport } from './write/round.ts'
import { type Row, writeSection } from './write/section.ts'
import { measureTurns, type Turns } from './write/turns.ts'

const ROUND_MS = 2500
const WARM_UP_MS = 3000
const ROUNDS = 3

const [onlyBackend, onlyTransport, onlyConnections] = process.argv.slice(2)
const isWanted = (wanted: string | undefined, name: string) =>
  wanted === undefined || name.toLowerCase().startsWith(wanted.toLowerCase())
const transports = (['REST', 'GraphQL'] as const).filter((name) => isWanted(onlyTransport, name))
const connectionCounts = onlyConnections === undefined ? [1, 8, 32] : [Number(onlyConnections)]

interface Measured {
  readonly rows: readonly Row[]
  readonly turns: Turns
}

async function measure({ name: backend, create }: BenchBackend): Promise<Measured> {
  await using cleanup = new AsyncDisposableStack()
  const receiver = await startReceiver(cleanup)
  const place = await startPlace(await create(cleanup), cleanup)
  const byHand =
    place.databaseUrl === undefined ? null : await startByHand(await create(cleanup), receiver.url, cleanup)
  const rows: Row[] = []
  let agentKey = ''
  for (const isDelivered of [false, true]) {
    if (isDelivered) agentKey = await installAgent(place.client, receiver.url)
    for (const transport of transports) {
      await addMessages(place, transport, { connections: 32, ms: WARM_UP_MS }, isDelivered ? receiver : null)
      for (const connections of connectionCounts) {
        const ours = () => addMessages(place, transport, { connections, ms: ROUND_MS }, isDelivered ? receiver : null)
        const { round, theirs } = await inTurns(ours, byHand, connections)
        const ratio = theirs === null ? null : round.acceptedPerSecond / theirs.acceptedPerSecond
        const row: Row = { backend, server: transport, connections, isDelivered, round, ratio }
        report(row)
        if (theirs !== null && !isDelivered && transport === transports[0]) {
          rows.push({ ...row, server: 'by hand', round: theirs, ratio: 1 })
        }
        rows.push(row)
      }
    }
  }
  return { rows, turns: await measureTurns(place, agentKey, receiver, 2 * ROUND_MS) }
}

/** The middle one of the rounds by its ratio, or by its rate where there is nothing to compare with. */
async function inTurns(ours: () => Promise<Round>, byHand: Place | null, connections: number) {
  const rounds: { round: Round; theirs: Round | null }[] = []
  const transport: Transport = 'REST'
  for (let i = 0; i < ROUNDS; i++) {
    const round = await ours()
    const theirs = byHand && (await addMessages(byHand, transport, { connections, ms: ROUND_MS }, null))
    rounds.push({ round, theirs })
  }
  const rank = ({ round, theirs }: (typeof rounds)[number]) =>
    round.acceptedPerSecond / (theirs?.acceptedPerSecond ?? 1)
  const middle = rounds.toSorted((a, b) => rank(a) - rank(b))[Math.floor(ROUNDS / 2)]
  if (middle === undefined) throw new Error('There was no round')
  return middle
}

function report({ backend, server, connections, isDelivered, round, ratio }: Row): void {
  const { nodeMs, postgresMs, wal } = round.perMessage
  console.log(
    `${backend}: ${server}, ${connections} connections, ${isDelivered ? 'delivered' : 'not delivered'}: ` +
      `${round.acceptedPerSecond.toFixed(0)} a second (${ratio?.toFixed(2) ?? '–'} of by hand), p50 ${round.latency.p50.toFixed(1)} ms, ` +
      `node ${nodeMs?.toFixed(2)} ms, PostgreSQL ${postgresMs?.toFixed(2) ?? '–'} ms, WAL ${wal?.toFixed(0) ?? '–'} bytes`,
  )
}

const [busy = 0] = loadavg()
const all: Row[] = []
const turns: { backend: string; turns: Turns }[] = []
for (const backend of (await availableBackends()).filter(({ name }) => isWanted(onlyBackend, name))) {
  const measured = await measure(backend)
  all.push(...measured.rows)
  turns.push({ backend: backend.name, turns: measured.turns })
}
const [after = 0] = loadavg()
const section = writeSection(all, turns, { before: busy, after })
if (process.argv.length > 2) console.log(`\n${section}`)
else {
  await writeSections(section)
  console.log('BENCHMARKS.md is written.')
}
process.exit(0)
