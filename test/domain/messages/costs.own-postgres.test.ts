import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assemble } from '../../../src/infra/database/db.ts'
import { migrate } from '../../../src/infra/database/migrations.ts'
import { postgresConnection } from '../../../src/infra/database/pg-session.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { startPostgres } from '../../support/postgres/own-postgres.ts'
import { startWire, type Wire } from '../../support/postgres/wire.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

/**
 * The most that each may cost, on every machine: what it costs, and a small margin. The dispatcher reads and records many
 * deliveries at a time, and one when there is one. WAL is in bytes, without the images of whole pages, which depend on how
 * often the server writes checkpoints, and without what maintenance does later.
 */
const BOUNDS = {
  'the first message of a conversation in a minute': { statements: 2.1, roundTrips: 2.1, wal: 4_000 },
  'a message': { statements: 2.1, roundTrips: 2.1, wal: 2_750 },
  'a reply': { statements: 2.1, roundTrips: 2.1, wal: 3_100 },
  'a message with a delivery that waits': { statements: 2.1, roundTrips: 2.1, wal: 4_300 },
  'a delivery out of many, with its attempt': { statements: 0.4, roundTrips: 0.4, wal: 1_700 },
  'a message, delivered before the next': { statements: 4.6, roundTrips: 4.6, wal: 6_200 },
} satisfies Record<string, Costs>

/** Of one, on average. */
interface Costs {
  readonly statements: number
  readonly roundTrips: number
  readonly wal: number
}

const MINUTE_MS = 60_000
const COUNT = 200
const CONVERSATIONS = 50
/** Of all nodes: it opens the endpoint's secret. */
const ENCRYPTION_KEY = '01'.repeat(32)
const TEXT = 'My parcel has not arrived, although I ordered it weeks ago.'

let cleanup: AsyncDisposableStack
let admin: pg.Client
let wire: Wire
let guddesk: TestGudDesk
let receiver: Receiver
let conversationIds: string[]
let nodes: TestGudDesk[]

// A server of its own: what others write to one is no part of these costs.
beforeAll(async () => {
  cleanup = new AsyncDisposableStack()
  nodes = []
  const server = await startPostgres({ fsync: 'off', full_page_writes: 'off', autovacuum: 'off' })
  cleanup.defer(() => server.remove())
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  await migrate(pool)
  await pool.end()
  admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  cleanup.defer(() => admin.end())
  wire = await startWire(server.url)
  cleanup.defer(() => wire.close())
  guddesk = await startNode('api')
  receiver = await startReceiver()
  cleanup.defer(() => receiver.close())
  conversationIds = []
  for (let n = 0; n < CONVERSATIONS; n++) conversationIds.push(await guddesk.newConversation(undefined, TEXT))
})
afterAll(() => cleanup?.disposeAsync())

async function startNode(roles: string): Promise<TestGudDesk> {
  const pool = new pg.Pool({ ...postgresConnection(wire.url), max: 16 })
  const node = await startGudDesk({
    env: { GUDDESK_ROLES: roles, ENCRYPTION_KEY },
    db: assemble(pool, 'shared', async () => undefined),
  })
  cleanup.defer(() => node.stop())
  node.clock.set(guddesk === undefined ? 0 : guddesk.clock.now().getTime() - node.clock.now().getTime())
  nodes.push(node)
  return node
}

/** Lists of conversations are indexed by the minute: the first message of each has entries to make in the indexes. */
function startMinute(): void {
  const ms = MINUTE_MS - (guddesk.clock.now().getTime() % MINUTE_MS)
  for (const { clock } of nodes) clock.set(ms)
}

/** Does something so often, one after another, and then waits for `end`. */
async function costsOf(work: (n: number) => Promise<unknown>, end = async () => {}, count = COUNT): Promise<Costs> {
  const before = await read()
  for (let n = 0; n < count; n++) await work(n)
  await end()
  const after = await read()
  const one = (name: keyof Costs) => Number(((after[name] - before[name]) / count).toFixed(2))
  return { statements: one('statements'), roundTrips: one('roundTrips'), wal: one('wal') }
}

async function read(): Promise<Costs> {
  const { rows } = await admin.query<{ wal: string }>(`SELECT pg_current_wal_insert_lsn() - '0/0' AS wal`)
  return { statements: wire.statements(), roundTrips: wire.roundTrips(), wal: Number(rows[0]?.wal) }
}

function expectWithin(name: keyof typeof BOUNDS, costs: Costs): void {
  const bounds: Costs = BOUNDS[name]
  for (const key of ['statements', 'roundTrips', 'wal'] as const) {
    // Nothing at all would be a measurement that does not work.
    expect.soft(costs[key], `${key} of ${name}`).toBeGreaterThan(0)
    expect.soft(costs[key], `${key} of ${name}`).toBeLessThanOrEqual(bounds[key])
  }
}

async function send(n: number): Promise<void> {
  const path = `/api/v1/conversations/${conversationIds[n % CONVERSATIONS]}/messages`
  const { status } = await guddesk.call('POST', path, { type: 'VISITOR', body: TEXT })
  expect(status).toBe(201)
}

async function reply(n: number): Promise<void> {
  const body = { conversationId: conversationIds[n % CONVERSATIONS], body: TEXT }
  const { data } = await guddesk.call('POST', '/api/agent/reply', body)
  expect(data.messageId).toBeDefined()
}

/** Waits until no delivery waits any more. */
async function allDelivered(): Promise<void> {
  await until(async () => (await statuses()).every((status) => status === 'DELIVERED'), 60_000)
}

async function statuses(): Promise<string[]> {
  const { rows } = await admin.query<{ status: string }>('SELECT DISTINCT status FROM deliveries')
  return rows.map(({ status }) => status)
}

test('a message and a reply', async () => {
  startMinute()
  const first = await costsOf(send, undefined, CONVERSATIONS)
  expectWithin('the first message of a conversation in a minute', first)
  expectWithin('a message', await costsOf(send))
  expectWithin('a reply', await costsOf(reply))
})

test('a message and its delivery', async () => {
  startMinute()
  for (let n = 0; n < CONVERSATIONS; n++) await send(n)
  const agent = { name: 'Bot', webhookUrl: receiver.url, events: { onConversationCreated: false } }
  expect((await guddesk.call('POST', '/api/v1/agents', agent)).status).toBe(201)
  expectWithin('a message with a delivery that waits', await costsOf(send))
  expect(await statuses()).toEqual(['PENDING'])
  const none = async () => undefined
  const start = async () => {
    await startNode('dispatcher')
    await allDelivered()
  }
  expectWithin('a delivery out of many, with its attempt', await costsOf(none, start))
  expect(receiver.received).toHaveLength(COUNT)
  const deliver = async (n: number) => {
    await send(n)
    await allDelivered()
  }
  expectWithin('a message, delivered before the next', await costsOf(deliver))
  expect(receiver.received).toHaveLength(2 * COUNT)
})
