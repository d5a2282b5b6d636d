import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import type { DeliveryProgress } from '../../../src/live/delivery-stream.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { backend } from '../../support/database.ts'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { quietPeriod, until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'

const DELIVERIES = graphql(`subscription ($endpointId: ID, $status: DeliveryStatus, $conversationId: ID) {
  deliveries(endpointId: $endpointId, status: $status, conversationId: $conversationId) {
    from to created skipped delivered retrying failed durationP50Ms durationP95Ms omitted
    newest { id status eventType conversationId endpoint { id } attempts { number statusCode } }
  }
}`)

const STEPS = ['created', 'skipped', 'delivered', 'retrying', 'failed'] as const

interface Update extends Record<(typeof STEPS)[number], number> {
  readonly from: string
  readonly to: string
  readonly durationP50Ms: number | null
  readonly durationP95Ms: number | null
  readonly newest: { id: string; status: string; endpoint: { id: string }; attempts: { statusCode: number }[] }[]
  readonly omitted: number
}

let guddesk: TestGudDesk
let receiver: Receiver
/** A workspace of its own for every test. */
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

beforeEach(async () => {
  await receiver?.close()
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  return () => receiver.close()
})

async function register(body: object = {}, key = tenant.key): Promise<string> {
  const events = { onMessageCreated: true, onConversationCreated: false }
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events, ...body }, { key })
  return data.endpoint.id
}

const say = (id: string, body: string) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key: tenant.key })

const sum = (updates: readonly Update[]) =>
  Object.fromEntries(STEPS.map((step) => [step, updates.reduce((total, update) => total + update[step], 0)]))

const NOTHING = { created: 0, skipped: 0, delivered: 0, retrying: 0, failed: 0 }

/** What is made is held back by any transaction on the server, and may come after what is delivered. */
const untilSumIs = (live: Live<Update>, expected: object) =>
  until(
    () => isDeepStrictEqual(sum(live.events), expected),
    10_000,
    () => `${JSON.stringify(sum(live.events))} came, not ${JSON.stringify(expected)}`,
  )

const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overSse],
]

describe.each(TRANSPORTS)('deliveries over %s', (_name, transport) => {
  /** Live from the moment that it returns: its first update has come. */
  async function open(variables: object = {}, key = tenant.key): Promise<Live<Update>> {
    const live = transport<Update>(guddesk, variables, { query: DELIVERIES, key })
    await until(() => live.events.length > 0 || live.isEnded())
    return live
  }

  test('begins empty, then counts what is made and what is delivered, and shows it', async () => {
    const endpointId = await register()
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    expect(live.events).toMatchObject([{ ...NOTHING, newest: [], omitted: 0, durationP50Ms: null }])
    for (const body of ['one', 'two', 'three']) await say(id, body)
    await untilSumIs(live, { ...NOTHING, created: 3, delivered: 3 })
    await quietPeriod()
    await live.stop()
    expect(live.errors).toEqual([])
    expect(sum(live.events)).toEqual({ ...NOTHING, created: 3, delivered: 3 })
    const last = live.events.findLast(({ delivered }) => delivered > 0)
    expect(last?.durationP50Ms).toBeGreaterThanOrEqual(0)
    expect(last?.durationP95Ms).toBeGreaterThanOrEqual(last?.durationP50Ms ?? 0)
    const shown = {
      status: 'DELIVERED',
      eventType: 'MESSAGE_CREATED',
      conversationId: id,
      endpoint: { id: endpointId },
    }
    expect(last?.newest[0]).toMatchObject({ ...shown, attempts: [{ number: 1, statusCode: 200 }] })
    expect(Date.parse(last?.to ?? '')).toBeGreaterThanOrEqual(Date.parse(last?.from ?? ''))
  })

  test('tells retries, failures and what a disabled endpoint skips apart', async () => {
    const endpointId = await register()
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    receiver.behave(answer(500))
    await say(id, 'fails')
    await until(() => sum(live.events)['retrying'] === 1)
    receiver.behave(answer(410))
    await say(id, 'is gone')
    await until(() => sum(live.events)['failed'] === 1)
    await until(async () => {
      const found = await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
      return !found.isEnabled
    })
    await say(id, 'is skipped')
    await untilSumIs(live, { created: 2, skipped: 1, delivered: 0, retrying: 1, failed: 1 })
    await live.stop()
  })

  test('endpointId, conversationId and status narrow it', async () => {
    const other = await startReceiver()
    const [first, second] = [await register(), await register({ url: other.url })]
    const [a, b] = [await guddesk.newConversation(tenant), await guddesk.newConversation(tenant)]
    const all = await open()
    const ofEndpoint = await open({ endpointId: second })
    const ofConversation = await open({ conversationId: b, endpointId: first })
    const failed = await open({ status: 'FAILED' })
    for (const id of [a, a, b]) await say(id, 'hello')
    await untilSumIs(all, { ...NOTHING, created: 6, delivered: 6 })
    await untilSumIs(ofEndpoint, { ...NOTHING, created: 3, delivered: 3 })
    await untilSumIs(ofConversation, { ...NOTHING, created: 1, delivered: 1 })
    await quietPeriod(600)
    for (const live of [all, ofEndpoint, ofConversation, failed]) await live.stop()
    await other.close()
    expect(sum(all.events)).toEqual({ ...NOTHING, created: 6, delivered: 6 })
    expect(sum(ofEndpoint.events)).toEqual({ ...NOTHING, created: 3, delivered: 3 })
    expect(sum(ofConversation.events)).toEqual({ ...NOTHING, created: 1, delivered: 1 })
    expect(sum(failed.events)).toEqual(NOTHING)
    expect(new Set(ofEndpoint.events.flatMap(({ newest }) => newest.map(({ endpoint }) => endpoint.id)))).toEqual(
      new Set([second]),
    )
  })

  test('another workspace’s never arrive, and an agent sees its own endpoints’ alone', async () => {
    await register()
    const agentReceiver = await startReceiver()
    const install = { name: 'Bot', webhookUrl: agentReceiver.url, events: { onConversationCreated: false } }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const stranger = await guddesk.newTenant()
    const id = await guddesk.newConversation(tenant)
    const all = await open()
    const own = await open({}, agent.credentials.apiKey)
    const theirs = await open({}, stranger.key)
    await say(id, 'hello')
    await until(() => sum(all.events)['delivered'] === 2)
    await untilSumIs(own, { ...NOTHING, created: 1, delivered: 1 })
    await quietPeriod(600)
    for (const live of [all, own, theirs]) await live.stop()
    await agentReceiver.close()
    expect(sum(all.events)).toMatchObject({ delivered: 2 })
    expect(sum(own.events)).toEqual({ ...NOTHING, created: 1, delivered: 1 })
    expect(sum(theirs.events)).toEqual(NOTHING)
  })

  test('what cannot be seen is not found, at once', async () => {
    const stranger = await guddesk.newTenant()
    const theirs = await register({}, stranger.key)
    const conversation = await guddesk.newConversation(stranger)
    for (const variables of [
      { endpointId: theirs },
      { endpointId: 'whk_00000000000000000000000000' },
      { endpointId: 'nonsense\u0001' },
      { conversationId: conversation },
    ]) {
      const live = await open(variables)
      await live.stop()
      expect(live.events).toEqual([])
      expect(live.errors).toMatchObject([{ extensions: { code: 'not_found' } }])
    }
  })

  test('is closed within a second when its key is revoked, and says why', async () => {
    const key = await guddesk.newKey(tenant, 'READ_ONLY')
    const live = await open({}, key)
    const where = { prefix: key.slice(0, 8) }
    await guddesk.deps.db.prisma.apiKey.updateMany({ where, data: { revokedAt: new Date() } })
    await until(() => live.isEnded(), 3000)
    await live.stop()
    expect(live.errors).toMatchObject([{ extensions: { code: 'unauthorized' } }])
  })
})

/** So many deliveries of the tenant, recorded by somebody as delivered: what a dispatcher elsewhere does. */
/** With the lock that whoever records events holds: a reader waits for what is not committed. */
async function flood(endpointId: string, name: string, count: number): Promise<void> {
  const { workspaceId } = tenant
  await inEventTransaction(guddesk.deps, { workspaceId }, (tx) =>
    tx.db.$executeRawUnsafe(
      `WITH event AS (
       INSERT INTO events (id, workspace_id, type, body)
       SELECT 'evt_' || $3 || n || $1, $1, 'message.created', '{"event":"x","data":{},"timestamp":""}'
         FROM generate_series(1, $4::int) n RETURNING id, seq
     ), delivery AS (
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, status, attempts, finished_at)
       SELECT 'dlv_' || id, $1, id, $2, seq, 'DELIVERED', 1, now() FROM event RETURNING id
     )
     INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code)
     SELECT id, 1, now(), row_number() OVER (), 200 FROM delivery`,
      ...[workspaceId, endpointId, name, count],
    ),
  )
}

test('1,000 deliveries a second make at most four updates a second, each of bounded size, and none is missed', async () => {
  const endpointId = await register()
  const live = overWebSocket<Update>(guddesk, {}, { query: DELIVERIES, key: tenant.key })
  await until(() => live.events.length > 0)
  const began = performance.now()
  for (let i = 0; i < 40; i++) {
    await flood(endpointId, `${i}_`, 50)
    await quietPeriod(25)
  }
  const took = performance.now() - began
  await untilSumIs(live, { ...NOTHING, created: 2000, delivered: 2000 })
  await quietPeriod(600)
  await live.stop()
  expect(sum(live.events)).toEqual({ ...NOTHING, created: 2000, delivered: 2000 })
  const updates = live.events.slice(1)
  expect(updates.length).toBeLessThanOrEqual(Math.ceil(took / 250) + 2)
  for (const { newest, omitted, delivered } of updates) {
    expect(newest.length).toBeLessThanOrEqual(50)
    expect(newest.length + omitted).toBeGreaterThanOrEqual(delivered)
  }
})

async function follow(): Promise<{ batches: AsyncGenerator<DeliveryProgress>; close: () => void }> {
  const actor = await guddesk.actorOf(tenant.key)
  const streams = openStreams(guddesk.deps)
  const controller = new AbortController()
  const batches = await streams.deliveries.follow(actor, {}, controller.signal)
  const close = () => {
    controller.abort()
    streams.close()
  }
  return { batches, close }
}

test('a slow reader gets one bounded batch with everything in it', async () => {
  const endpointId = await register()
  const { batches, close } = await follow()
  await batches.next()
  await flood(endpointId, 'first', 1)
  // This one is ready before the others come.
  await quiet(guddesk)
  await quietPeriod(600)
  for (let i = 0; i < 12; i++) await flood(endpointId, `${i}_`, 1000)
  await quiet(guddesk)
  await quietPeriod(1200)
  const [first, second] = [await batches.next(), await batches.next()]
  expect(first.value?.counts).toEqual({ ...NOTHING, created: 1, delivered: 1 })
  expect(second.value?.counts).toEqual({ ...NOTHING, created: 12_000, delivered: 12_000 })
  expect(await second.value?.newest()).toHaveLength(50)
  expect(second.value?.omitted).toBeGreaterThanOrEqual(11_950)
  close()
})

test('percentiles are those of the attempts', async () => {
  const endpointId = await register()
  const { batches, close } = await follow()
  await batches.next()
  await flood(endpointId, 'flood', 100)
  const { value } = await batches.next()
  expect(value?.durationMs).toEqual({ p50: 50, p95: 95 })
  close()
})

test.runIf(backend === 'postgres')('what a transaction records late is counted once all the same', async () => {
  const endpointId = await register()
  const { batches, close } = await follow()
  await batches.next()
  const counts: DeliveryProgress['counts'][] = []
  const reading = (async () => {
    for await (const { counts: each } of batches) counts.push(each)
  })()
  const total = (step: keyof DeliveryProgress['counts']) => counts.reduce((sum, each) => sum + each[step], 0)
  await flood(endpointId, 'a', 10)
  const client = await guddesk.deps.db.pool.connect()
  try {
    // Its attempt's id is given out before those of the others, which are read first.
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code)
       SELECT id, 2, now(), 1, 200 FROM deliveries WHERE workspace_id = $1 LIMIT 1`,
      [tenant.workspaceId],
    )
    for (const name of ['b', 'c', 'd']) {
      await flood(endpointId, name, 10)
      await quietPeriod(400)
    }
    await client.query('COMMIT')
  } finally {
    client.release(true)
  }
  await until(() => total('delivered') >= 41 && total('created') >= 40)
  await quietPeriod(800)
  close()
  await reading
  expect([total('created'), total('delivered')]).toEqual([40, 41])
})

test('nobody who follows costs nothing: it looks only while somebody does', async () => {
  const { db } = guddesk.deps
  const sql = db.sql.bind(db)
  let looks = 0
  Object.assign(db, {
    sql: (text: string, params?: unknown[]) => {
      if (text.includes('delivery_attempts')) looks++
      return sql(text, params)
    },
  })
  try {
    await quietPeriod(600)
    expect(looks).toBe(0)
    const { batches, close } = await follow()
    await batches.next()
    await quietPeriod(600)
    expect(looks).toBeGreaterThan(1)
    close()
    await quietPeriod(400)
    looks = 0
    await quietPeriod(600)
    expect(looks).toBe(0)
  } finally {
    Object.assign(db, { sql })
  }
})
