import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
})
afterEach(() => receiver.close())

const ask = (query: string, variables: object = {}, key = tenant.key) => guddesk.graphql(query, variables, { key })

async function register(): Promise<string> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url }, { key: tenant.key })
  return data.endpoint.id
}

interface DeliveryNode {
  id: string
  status: string
  eventType: string
  body: string
  conversationId: string
  attemptCount: number
  attempts: { number: number; statusCode: number | null; response: string | null }[]
  endpoint: { id: string }
  nextAttemptAt: string | null
  finishedAt: string | null
}

const LIST = graphql(`query($filter: DeliveryFilter, $first: Int, $after: String) {
  deliveries(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node {
      id status eventType body conversationId attemptCount nextAttemptAt finishedAt
      endpoint { id } attempts { number statusCode response }
    } }
  }
}`)

async function deliveries(variables: object = {}, key = tenant.key): Promise<DeliveryNode[]> {
  const { data, body } = await ask(LIST, variables, key)
  expect(body.errors).toBeUndefined()
  return data.deliveries.edges.map(({ node }: { node: DeliveryNode }) => node)
}

const settled = (count: number) =>
  until(async () => (await deliveries()).filter(({ attemptCount }) => attemptCount > 0).length === count)

const REPLAY = graphql(`mutation($input: ReplayDeliveryInput!) { replayDelivery(input: $input) {
  delivery { id status } error { code message } } }`)

test('a delivery tells its event, its attempts and what comes next', async () => {
  const endpointId = await register()
  receiver.behave(answer(500, {}, 'try later'))
  const conversationId = await guddesk.newConversation(tenant)
  await settled(1)
  const [delivery] = await deliveries()
  expect(delivery).toMatchObject({
    status: 'PENDING',
    eventType: 'CONVERSATION_CREATED',
    conversationId,
    endpoint: { id: endpointId },
    attempts: [{ number: 1, statusCode: 500, response: 'try later' }],
    finishedAt: null,
  })
  expect(delivery?.body).toBe(receiver.received[0]?.text)
  expect(Date.parse(delivery?.nextAttemptAt ?? '')).toBeGreaterThan(Date.now() + 5000)
})

test('filters narrow, pages walk, and another workspace sees nothing', async () => {
  const endpointId = await register()
  const first = await guddesk.newConversation(tenant, 'Hello')
  await guddesk.newConversation(tenant)
  await settled(3)
  const count = async (filter: object) => (await deliveries({ filter })).length
  expect(await count({})).toBe(3)
  expect(await count({ eventTypes: 'MESSAGE_CREATED' })).toBe(1)
  expect(await count({ conversationId: first })).toBe(2)
  expect(await count({ endpointId })).toBe(3)
  expect(await count({ statuses: 'FAILED' })).toBe(0)
  expect(await count({ statuses: 'DELIVERED', createdAt: { from: '2001-01-01T00:00:00Z' } })).toBe(3)
  expect(await count({ createdAt: { to: '2001-01-01T00:00:00Z' } })).toBe(0)
  const { data } = await ask(LIST, { first: 2 })
  expect(data.deliveries).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } })
  const rest = await deliveries({ first: 2, after: data.deliveries.pageInfo.endCursor })
  expect(rest).toHaveLength(1)
  const other = await guddesk.newTenant()
  expect(await deliveries({}, other.key)).toEqual([])
  const seen = `{ node(id: "${rest[0]?.id}") { id } }`
  expect((await ask(seen)).data.node).toEqual({ id: rest[0]?.id })
  expect((await ask(seen, {}, other.key)).data.node).toBeNull()
})

test('an agent sees what is sent to itself', async () => {
  await register()
  const own = await startReceiver()
  const { data: agent } = await guddesk.call(
    'POST',
    '/api/v1/agents',
    { name: 'Bot', webhookUrl: own.url },
    { key: tenant.key },
  )
  await guddesk.newConversation(tenant)
  await settled(2)
  const mine = await deliveries({}, agent.credentials.apiKey)
  expect(mine.map(({ endpoint }) => endpoint.id)).toEqual([agent.webhookEndpoint.id])
  await own.close()
})

test('a finished delivery is replayed under its own id, and its attempts count on', async () => {
  await register()
  receiver.behave((response, _request, count) => response.writeHead(count === 1 ? 410 : 200).end())
  await guddesk.newConversation(tenant)
  await settled(1)
  const [failed] = await deliveries({ filter: { statuses: 'FAILED' } })
  const input = { deliveryId: failed?.id }
  // 410 has disabled the endpoint.
  expect((await ask(REPLAY, { input })).data.replayDelivery).toMatchObject({ error: { code: 'CONFLICT' } })
  await register()
  expect((await ask(REPLAY, { input })).data.replayDelivery).toEqual({
    delivery: { id: failed?.id, status: 'PENDING' },
    error: null,
  })
  const [, again] = await receiver.waitFor(2)
  expect(again?.headers).toMatchObject({ 'x-guddesk-delivery': failed?.id, 'x-guddesk-attempt': '2' })
  await until(async () => (await deliveries())[0]?.status === 'DELIVERED')
  expect((await deliveries())[0]?.attempts.map(({ statusCode }) => statusCode)).toEqual([410, 200])
})

test('what waits for its next attempt can be replayed, and what another workspace has is not there', async () => {
  await register()
  receiver.behave(answer(500))
  await guddesk.newConversation(tenant)
  await settled(1)
  const [pending] = await deliveries()
  const input = { deliveryId: pending?.id }
  const replayed = { delivery: { id: pending?.id, status: 'PENDING' }, error: null }
  for (let i = 0; i < 2; i++) expect((await ask(REPLAY, { input })).data.replayDelivery).toEqual(replayed)
  const other = await guddesk.newTenant()
  expect((await ask(REPLAY, { input }, other.key)).data.replayDelivery).toMatchObject({ error: { code: 'NOT_FOUND' } })
})

test('the log lists what happened, oldest first', async () => {
  const id = await guddesk.newConversation(tenant, 'Hello')
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' }, { key: tenant.key })
  const query = graphql(`query($filter: EventFilter, $first: Int, $after: String) {
    events(filter: $filter, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } edges { cursor node { type } }
    } }`)
  const events = async (variables: object): Promise<{ types: string[]; end: string; total: number }> => {
    const { data } = await ask(query, variables)
    const { edges, totalCount: total, pageInfo } = data.events
    return { types: edges.map(({ node }: { node: { type: string } }) => node.type), end: pageInfo.endCursor, total }
  }
  await quiet(guddesk)
  expect((await events({})).types).toEqual([
    'CONVERSATION_CREATED',
    'MESSAGE_CREATED',
    'CONVERSATION_UPDATED',
    'CONVERSATION_CLOSED',
  ])
  const start = await events({ first: 3 })
  expect(start).toMatchObject({ total: 4, types: expect.arrayContaining(['CONVERSATION_CREATED']) })
  expect((await events({ after: start.end })).types).toEqual(['CONVERSATION_CLOSED'])
  expect((await events({ filter: { types: ['MESSAGE_CREATED'] } })).types).toEqual(['MESSAGE_CREATED'])
  expect((await events({ filter: { conversationId: 'conv_00000000000000000000000000' } })).types).toEqual([])
})
