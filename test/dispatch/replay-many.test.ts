import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { replayFailedDeliveries } from '../../src/domain/webhooks/replay-deliveries.ts'
import { backend } from '../support/database.ts'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpointId: string
const START = '2001-01-01T00:00:00.000Z'

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url }, { key: tenant.key })
  endpointId = data.endpoint.id
})
afterEach(() => receiver.close())

async function replay(input: object = {}, key = tenant.key) {
  const query = graphql(`mutation ($input: ReplayFailedDeliveriesInput!) { replayFailedDeliveries(input: $input) {
    replayedCount isComplete error { code message } } }`)
  const { body } = await guddesk.graphql(query, { input: { endpointId, since: START, ...input } }, { key })
  expect(body.errors).toBeUndefined()
  return body.data.replayFailedDeliveries
}

const deliveries = () =>
  guddesk.deps.db.prisma.delivery.findMany({
    where: { endpointId },
    orderBy: { seq: 'asc' },
    include: { attemptLog: true },
  })
const setEnabled = (isEnabled: boolean) =>
  guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled } })

/** Deliveries that have failed for good, as they are after their eighth attempt. */
async function failed(count: number): Promise<string[]> {
  await setEnabled(false)
  for (let i = 0; i < count; i++) await guddesk.newConversation(tenant)
  await setEnabled(true)
  const all = await deliveries()
  const ids = all.slice(-count).map(({ id }) => id)
  const at = guddesk.clock.now()
  await guddesk.deps.db.prisma.delivery.updateMany({
    where: { id: { in: ids } },
    data: { status: 'FAILED', attempts: 8, finishedAt: at },
  })
  guddesk.clock.advance(1000)
  return ids
}

test('what failed is sent again, under its own ids, and attempts count on', async () => {
  const ids = await failed(3)
  expect(await replay()).toEqual({ replayedCount: 3, isComplete: true, error: null })
  const requests = await receiver.waitFor(3)
  expect(requests.map(({ headers }) => headers['x-guddesk-delivery']).sort()).toEqual([...ids].sort())
  expect(requests.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual(['9', '9', '9'])
  await until(async () => (await deliveries()).every(({ status }) => status === 'DELIVERED'))
  expect(await replay()).toEqual({ replayedCount: 0, isComplete: true, error: null })
})

test('skipped ones come too when asked for, with all their attempts', async () => {
  await setEnabled(false)
  await guddesk.newConversation(tenant)
  await setEnabled(true)
  guddesk.clock.advance(1000)
  expect(await replay()).toMatchObject({ replayedCount: 0 })
  expect(await replay({ includeSkipped: true })).toMatchObject({ replayedCount: 1 })
  expect((await receiver.waitFor(1))[0]?.headers['x-guddesk-attempt']).toBe('1')
})

test('only those since the time, of this endpoint, and no tests', async () => {
  const ids = await failed(4)
  const day = (n: number) => new Date(guddesk.clock.now().getTime() - n * 86_400_000)
  const { delivery } = guddesk.deps.db.prisma
  for (const [n, id] of ids.entries()) await delivery.update({ where: { id }, data: { createdAt: day(3 - n) } })
  await delivery.update({ where: { id: ids[3] ?? '' }, data: { isTest: true } })
  const [, second] = await deliveries()
  expect(await replay({ since: second?.createdAt.toISOString() })).toMatchObject({ replayedCount: 2 })
  const again = (await receiver.waitFor(2)).map(({ headers }) => headers['x-guddesk-delivery'])
  expect(again.sort()).toEqual([ids[1], ids[2]].sort())
})

test('those that wait for their next attempt count, and the first of them is sent at once', async () => {
  await failed(1)
  const due = new Date(guddesk.clock.now().getTime() + 3_600_000)
  const [row] = await deliveries()
  const pending = { status: 'PENDING', nextAttemptAt: due, finishedAt: null, attempts: 3 } as const
  await guddesk.deps.db.prisma.delivery.update({ where: { id: row?.id ?? '' }, data: pending })
  const later = new Date(guddesk.clock.now().getTime() + 1).toISOString()
  expect(await replay({ since: later })).toEqual({ replayedCount: 0, isComplete: true, error: null })
  expect(await replay({ includeSkipped: true })).toEqual({ replayedCount: 1, isComplete: true, error: null })
  expect((await receiver.waitFor(1))[0]?.headers['x-guddesk-attempt']).toBe('4')
})

test('many clicks at once replay each delivery once', async () => {
  await failed(20)
  const results = await Promise.all(Array.from({ length: 5 }, () => replay()))
  expect(results.reduce((sum, { replayedCount }) => sum + replayedCount, 0)).toBe(20)
  await receiver.waitFor(20)
  await until(async () => (await deliveries()).every(({ status }) => status === 'DELIVERED'))
  expect(receiver.received).toHaveLength(20)
  expect((await deliveries()).map(({ attemptLog }) => attemptLog.length)).toEqual(Array(20).fill(1))
})

test.runIf(backend === 'postgres')('a row that somebody else holds is left to them, and nobody waits', async () => {
  const [held] = await failed(3)
  const client = await guddesk.deps.db.pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT id FROM deliveries WHERE id = $1 FOR UPDATE', [held])
    expect(await replay()).toEqual({ replayedCount: 2, isComplete: true, error: null })
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
  expect(await replay()).toEqual({ replayedCount: 1, isComplete: true, error: null })
  await receiver.waitFor(3)
})

test('it goes in batches, up to a limit, and another call goes on', async () => {
  const actor = await guddesk.actorOf(tenant.key)
  await failed(12)
  const call = () => replayFailedDeliveries(guddesk.deps, actor, { endpointId, since: START }, { batch: 3, most: 8 })
  expect(await call()).toEqual({ count: 8, isComplete: false })
  expect(await call()).toEqual({ count: 4, isComplete: true })
  await receiver.waitFor(12)
})

test('others are served meanwhile', async () => {
  const { sql } = guddesk.deps.db
  const day = "now() - interval '1 day'"
  await sql(
    `INSERT INTO events (id, workspace_id, type, body, created_at)
     SELECT 'evt_' || lpad(i::text, 26, '0'), $1, 'ping', '{"event":"ping","data":{}}', ${day} FROM generate_series(1, 2000) i`,
    [tenant.workspaceId],
  )
  await sql(
    `INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, status, finished_at, created_at)
     SELECT 'dlv_' || substr(id, 5), workspace_id, id, $2, seq, 'FAILED', ${day}, created_at
       FROM events WHERE workspace_id = $1`,
    [tenant.workspaceId, endpointId],
  )
  const actor = await guddesk.actorOf(tenant.key)
  const order: string[] = []
  const many = replayFailedDeliveries(
    guddesk.deps,
    actor,
    { endpointId, since: START },
    { batch: 20, most: 2000 },
  ).then(({ count }) => order.push(`replayed ${count}`))
  await guddesk.call('GET', '/api/v1/workspaces', undefined, { key: tenant.key })
  order.push('answered')
  await many
  expect(order).toEqual(['answered', 'replayed 2000'])
})

describe('what is live goes first', () => {
  test('bulk replays have the lower priority; a single replay is live', async () => {
    receiver.behave(() => undefined)
    const [first, second] = await failed(2)
    await replay()
    const priorities = async () => (await deliveries()).map(({ priority }) => priority)
    expect(await priorities()).toEqual([1, 1])
    const data = { status: 'FAILED', nextAttemptAt: null, finishedAt: guddesk.clock.now() } as const
    await guddesk.deps.db.prisma.delivery.updateMany({ where: { id: { in: [first ?? '', second ?? ''] } }, data })
    await guddesk.graphql(
      `mutation { replayDelivery(input: { deliveryId: "${first}" }) { __typename } }`,
      {},
      {
        key: tenant.key,
      },
    )
    expect(await priorities()).toEqual([0, 1])
  })
})

test('a disabled endpoint or agent must be enabled first; others find nothing; bad times are named', async () => {
  await failed(1)
  await setEnabled(false)
  expect(await replay()).toMatchObject({ error: { code: 'CONFLICT' } })
  const other = await guddesk.newTenant()
  expect(await replay({}, other.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  expect(await replay({}, agent.credentials.apiKey)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const own = { endpointId: agent.webhookEndpoint.id }
  expect(await replay(own, agent.credentials.apiKey)).toMatchObject({ replayedCount: 0 })
  await guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { isEnabled: false }, { key: tenant.key })
  expect(await replay(own)).toMatchObject({ error: { code: 'CONFLICT' } })
})
