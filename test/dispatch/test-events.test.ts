import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { kindOfId } from '../../src/domain/shared/ids.ts'
import { quiet, START } from '../support/event-log.ts'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpoint: { id: string; secret: string }

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  endpoint = await register()
})
afterEach(() => receiver.close())

const TYPES = ['MESSAGE_CREATED', 'CONVERSATION_CREATED', 'CONVERSATION_CLOSED', 'CONVERSATION_ASSIGNED', 'PING']
const NONE = {
  onMessageCreated: false,
  onConversationCreated: false,
  onConversationClosed: false,
  onConversationAssigned: false,
}
const ALL = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: true,
  onConversationAssigned: true,
}

async function register(events: typeof ALL = NONE): Promise<typeof endpoint> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events }, { key: tenant.key })
  return data.endpoint
}

async function send(type: string, endpointId = endpoint.id, key = tenant.key) {
  const query = graphql(`mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) {
    delivery { id isTest status eventType conversationId endpoint { id } }
    error { code message } } }`)
  const { body } = await guddesk.graphql(query, { input: { endpointId, type } }, { key })
  expect(body.errors).toBeUndefined()
  return body.data.sendTestEvent
}

const rowOf = (id: string) =>
  guddesk.deps.db.prisma.delivery.findUniqueOrThrow({ where: { id }, include: { attemptLog: true } })
const finished = async (id: string) => {
  await until(async () => (await rowOf(id)).nextAttemptAt === null)
  return rowOf(id)
}
async function health() {
  const where = { id: endpoint.id }
  const { dispatcherId: _, ...rest } = await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where })
  return rest
}

/** Every id in a payload's data, `actor` included. */
const idsIn = (data: object) => JSON.stringify(data).match(/\b[a-z]{2,4}_[0-9a-z]{26}\b/g) ?? []

test.each(TYPES)('%s arrives signed, with sample data, whatever the endpoint subscribes to', async (type) => {
  const { delivery } = await send(type)
  expect(delivery).toEqual({
    id: expect.stringMatching(/^dlv_/),
    isTest: true,
    status: 'PENDING',
    eventType: type,
    conversationId: null,
    endpoint: { id: endpoint.id },
  })
  const [request] = await receiver.waitFor(1)
  if (request === undefined) throw new Error('nothing arrived')
  const event = type.toLowerCase().replace('_', '.')
  expect(request.headers).toMatchObject({
    'x-guddesk-event': event,
    'x-guddesk-delivery': delivery.id,
    'x-guddesk-attempt': '1',
    'webhook-id': delivery.id,
  })
  expect(JSON.stringify(JSON.parse(request.text))).toBe(request.text)
  const headers = request.headers as Record<string, string>
  expect(new Webhook(endpoint.secret).verify(request.text, headers)).toMatchObject({ event })
  for (const id of idsIn(request.data)) {
    expect(kindOfId(id)).toBeDefined()
    if (!id.startsWith('ws_') && !id.startsWith('key_')) expect(id).toMatch(/_0{22}test$/)
  }
  expect(await finished(delivery.id)).toMatchObject({ status: 'DELIVERED', attempts: 1, isTest: true })
})

test('sample data has the fields of real data, in the same order', async () => {
  await register(ALL)
  const { memberId } = await guddesk.newMember(tenant, 'Mia Member')
  const id = await guddesk.newConversation(tenant, 'Hello')
  const change = { assigneeId: memberId, status: 'CLOSED' }
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, change, { key: tenant.key })
  const real = new Map((await receiver.waitFor(4)).map(({ event, data }) => [event, data]))
  expect(real.size).toBe(4)
  receiver.received.length = 0
  for (const type of TYPES.slice(0, 4)) await send(type)
  for (const { event, data } of await receiver.waitFor(4)) {
    expect([event, Object.keys(data)]).toEqual([event, Object.keys(real.get(event) ?? {})])
    expect(data['workspaceId']).toBe(tenant.workspaceId)
  }
  receiver.received.length = 0
  await send('PING')
  const [ping] = await receiver.waitFor(1)
  const actor = { type: 'api_key', id: expect.stringMatching(/^key_/), name: 'FULL_ACCESS key' }
  expect(ping?.data).toEqual({ message: expect.any(String), actor })
})

describe('a disabled endpoint', () => {
  test('is tested before it is enabled; what waits for it goes on waiting', async () => {
    await register(ALL)
    receiver.behave(answer(500))
    await guddesk.newConversation(tenant)
    await receiver.waitFor(1)
    await until(async () => (await health()).consecutiveFailures === 1)
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpoint.id }, data: { isEnabled: false } })
    const before = await health()
    receiver.behave(answer(200))
    guddesk.advance(20_000)
    const { delivery } = await send('PING')
    expect(await finished(delivery.id)).toMatchObject({ status: 'DELIVERED' })
    await guddesk.dispatched()
    expect(receiver.received.map(({ event }) => event)).toEqual(['conversation.created', 'ping'])
    expect(await health()).toEqual(before)
  })

  test("is tested also when its agent is disabled, with the agent's header", async () => {
    const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { isEnabled: false }, { key: tenant.key })
    await send('MESSAGE_CREATED', agent.webhookEndpoint.id)
    const [request] = await receiver.waitFor(1)
    expect(request?.headers['x-guddesk-agent-id']).toBe(agent.id)
  })
})

test.each([500, 429, 410, 302])(
  'answered %s, a test has failed: no retry, and the endpoint is none the worse',
  async (status) => {
    const before = await health()
    receiver.behave(answer(status, { location: '/elsewhere', 'retry-after': '1' }))
    const { delivery } = await send('CONVERSATION_CLOSED')
    expect(await finished(delivery.id)).toMatchObject({
      status: 'FAILED',
      attempts: 1,
      attemptLog: [{ statusCode: status }],
    })
    guddesk.advance(3_600_000)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    expect(await health()).toEqual(before)
  },
)

test('a test can be replayed, also to a disabled endpoint, and is again tried once', async () => {
  receiver.behave(answer(500))
  const { delivery } = await send('PING')
  await finished(delivery.id)
  await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpoint.id }, data: { isEnabled: false } })
  const replay = `mutation { replayDelivery(input: { deliveryId: "${delivery.id}" }) { __typename } }`
  const { data } = await guddesk.graphql(replay, {}, { key: tenant.key })
  expect(data.replayDelivery.__typename).toBe('ReplayDeliveryPayload')
  const [, again] = await receiver.waitFor(2)
  expect(again?.headers).toMatchObject({ 'x-guddesk-delivery': delivery.id, 'x-guddesk-attempt': '2' })
  expect(await finished(delivery.id)).toMatchObject({ status: 'FAILED', attempts: 2 })
})

test('the log shows tests only when asked', async () => {
  await send('MESSAGE_CREATED')
  await guddesk.newConversation(tenant)
  await quiet(guddesk)
  const types = async (includeTests?: boolean) => {
    const query = graphql(
      `query ($filter: EventFilter) { events(filter: $filter) { totalCount edges { node { type isTest } } } }`,
    )
    const filter = { includeTests, types: ['MESSAGE_CREATED', 'CONVERSATION_CREATED'] }
    const { data } = await guddesk.graphql(query, { filter }, { key: tenant.key })
    const nodes = data.events.edges.map(({ node }: { node: object }) => node)
    expect(data.events.totalCount).toBe(nodes.length)
    return nodes
  }
  const created = { type: 'CONVERSATION_CREATED', isTest: false }
  expect(await types()).toEqual([created])
  expect(await types(false)).toEqual([created])
  expect(await types(true)).toEqual([{ type: 'MESSAGE_CREATED', isTest: true }, created])
})

test.each([false, true])('a subscription that replays and goes on, with includeTests %s', async (includeTests) => {
  await send('MESSAGE_CREATED')
  await guddesk.newConversation(tenant)
  const controller = new AbortController()
  const query = `subscription { events(after: "${START}", filter: { includeTests: ${includeTests} }) { event { type isTest } } }`
  const response = await fetch(`${guddesk.origin}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tenant.key}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({ query }),
    signal: controller.signal,
  })
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8')
  })().catch(() => undefined)
  const seen = () => [...text.matchAll(/"type":"(\w+)","isTest":(\w+)/g)].map(([, type, isTest]) => `${type} ${isTest}`)
  await until(() => seen().includes('CONVERSATION_CREATED false'))
  await send('PING')
  await guddesk.newConversation(tenant)
  await until(() => seen().filter((event) => event === 'CONVERSATION_CREATED false').length === 2)
  controller.abort()
  await reading
  const tests = seen().filter((event) => event.endsWith('true'))
  expect(tests).toEqual(includeTests ? ['MESSAGE_CREATED true', 'PING true'] : [])
})

test('deliveries are filtered by whether they are tests', async () => {
  await register(ALL)
  await send('PING')
  await guddesk.newConversation(tenant)
  await receiver.waitFor(2)
  const count = async (isTest?: boolean) => {
    const query = graphql(
      `query ($filter: DeliveryFilter) { deliveries(filter: $filter) { edges { node { isTest } } } }`,
    )
    const { data } = await guddesk.graphql(query, { filter: { isTest } }, { key: tenant.key })
    return data.deliveries.edges.map(({ node }: { node: { isTest: boolean } }) => node.isTest)
  }
  expect(await count()).toHaveLength(2)
  expect(await count(true)).toEqual([true])
  expect(await count(false)).toEqual([false])
})

test('ten tests may wait for one endpoint; calls that race are counted', async () => {
  receiver.behave(() => undefined) // hangs: all of them are under way
  const results = await Promise.all(Array.from({ length: 14 }, () => send('PING')))
  expect(results.filter(({ error }) => error?.code === 'CONFLICT')).toHaveLength(4)
  expect(results.filter(({ delivery }) => delivery !== null)).toHaveLength(10)
})

test("another workspace's endpoint is not found, and an agent tests its own only", async () => {
  const other = await guddesk.newTenant()
  expect(await send('PING', endpoint.id, other.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  expect(await send('PING', 'whk_x')).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  expect(await send('PING', endpoint.id, agent.credentials.apiKey)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  const own = await send('PING', agent.webhookEndpoint.id, agent.credentials.apiKey)
  expect(own.delivery.endpoint.id).toBe(agent.webhookEndpoint.id)
  expect((await receiver.waitFor(1))[0]?.path).toBe('/webhook/bot')
})
