/**
 * GraphQL queries through the real server, against the same results by hand-written SQL behind a bare Koa route. Two
 * server processes, and this one, which sends the requests. `npm run bench:graphql` writes the section of BENCHMARKS.md.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { request } from 'undici'
import { type GudDeskProcess, startGudDesk } from '../demo/process.ts'
import { availableBackends, type BenchBackend } from './backends.ts'
import { type Load, load, type Server, type Shot } from './graphql/load.ts'
import { startPeer } from './graphql/peer-process.ts'
import { type Prepared, prepare } from './graphql/prepare.ts'
import { type Shares, sharesOf } from './graphql/profile.ts'
import { CONNECTIONS, QUERIES, type QueryName } from './graphql/queries.ts'
import { graphqlSection, type Measured } from './graphql/report.ts'
import { writeSections } from './sections.ts'

const WARM_UP_MS = 4000
const ROUND_MS = 3000
const ROUNDS = 3
const NAMES: readonly QueryName[] = ['list', 'one', 'visitor']

/** One thing twice: GudDesk's, and the hand-written server's. */
interface Pair<T> {
  readonly guddesk: T
  readonly byHand: T
}

async function measure({ name: backend, create }: BenchBackend): Promise<Measured[]> {
  await using cleanup = new AsyncDisposableStack()
  const prepared = await prepare(await create(cleanup), cleanup)
  const guddesk = await startGudDesk(prepared.guddesk, cleanup)
  const servers = {
    guddesk: serverOf(guddesk),
    byHand: await startPeer('bench/graphql/peer.ts', prepared.peer, cleanup),
  }
  const work = async () => {
    const rows: Measured[] = []
    for (const query of NAMES) {
      const pair = pairOf(query, prepared, servers)
      await checkSame(pair)
      rows.push({ backend, query, ...(await compare(pair)) })
      const { guddesk, byHand } = rows.at(-1) ?? {}
      console.log(
        `${backend}: ${query}: ${guddesk?.perSecond.toFixed(0)} a second, by hand ${byHand?.perSecond.toFixed(0)}`,
      )
    }
    return rows
  }
  // Awaited here: what cleanup removes must outlive the work.
  return await Promise.race([work(), guddesk.died])
}

const serverOf = ({ origin, pid }: GudDeskProcess): Server => ({ origin, pid })

function pairOf(name: QueryName, { guddesk, seeded }: Prepared, servers: Pair<Server>): Pair<Shot> {
  const { workspaceId, conversationId, visitorId } = seeded
  const id = { list: undefined, one: conversationId, visitor: visitorId }[name]
  const headers = { authorization: `Bearer ${guddesk.key}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ query: QUERIES[name], ...(id !== undefined && { variables: { id } }) })
  return {
    guddesk: { ...servers.guddesk, path: '/graphql', method: 'POST', headers, body },
    byHand: { ...servers.byHand, path: `/${name}/${workspaceId}/${id ?? ''}`, method: 'GET' },
  }
}

/** @throws Error unless both answer with the same data: otherwise there is nothing to compare */
async function checkSame({ guddesk, byHand }: Pair<Shot>): Promise<void> {
  const ask = async ({ origin, path, method, headers = {}, body = '' }: Shot) => {
    const answer = await request(origin + path, { method, headers, ...(method === 'POST' && { body }) })
    return ((await answer.body.json()) as { data: unknown }).data
  }
  const [ours, theirs] = [await ask(guddesk), await ask(byHand)]
  if (!isDeepStrictEqual(ours, theirs)) throw new Error(`Not the same: ${JSON.stringify([ours, theirs])}`)
}

/** In turns, so that what else the machine does falls on both. */
async function compare({ guddesk, byHand }: Pair<Shot>): Promise<Pair<Load>> {
  await load(guddesk, { connections: CONNECTIONS, ms: WARM_UP_MS })
  await load(byHand, { connections: CONNECTIONS, ms: WARM_UP_MS })
  const rounds: Pair<Load>[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const round = { connections: CONNECTIONS, ms: ROUND_MS }
    rounds.push({ guddesk: await load(guddesk, round), byHand: await load(byHand, round) })
  }
  const ratio = (round: Pair<Load>) => round.guddesk.perSecond / round.byHand.perSecond
  const middle = rounds.toSorted((a, b) => ratio(a) - ratio(b))[Math.floor(ROUNDS / 2)]
  if (middle === undefined) throw new Error('There was no round')
  return middle
}

/** Where the server's time goes while it answers lists. */
async function profile({ create }: BenchBackend): Promise<Shares | null> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-profile-'))
  try {
    await using cleanup = new AsyncDisposableStack()
    const prepared = await prepare(await create(cleanup), cleanup)
    // For the server alone, which writes its profile when it ends.
    process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${folder}`
    const starting = startGudDesk(prepared.guddesk, cleanup)
    delete process.env['NODE_OPTIONS']
    const server = serverOf(await starting)
    const shots = pairOf('list', prepared, { guddesk: server, byHand: server })
    await load(shots.guddesk, { connections: CONNECTIONS, ms: WARM_UP_MS + ROUND_MS })
    await cleanup.disposeAsync()
    const [file] = await readdir(folder)
    return file === undefined ? null : await sharesOf(join(folder, file))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const [busy = 0] = loadavg()
const backends = await availableBackends()
const rows: Measured[] = []
for (const backend of backends) rows.push(...(await measure(backend)))
const shares = await profile(backends.at(-1) ?? { name: 'embedded', create: async () => ({}) })
await writeSections(graphqlSection(rows, shares, busy))
console.log('BENCHMARKS.md is written.')
process.exit(0)
