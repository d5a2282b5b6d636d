import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { DeliveryStatus } from '../../../src/generated/prisma/enums.ts'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let endpointId: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  endpointId = await newEndpoint()
})

async function newEndpoint(key = tenant.key): Promise<string> {
  const url = `http://127.0.0.1:9/${Math.random()}`
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key })
  return data.endpoint.id
}

interface Given {
  readonly at: Date
  readonly status: DeliveryStatus
  /** Milliseconds each, the first one `late` milliseconds after the event. */
  readonly durations?: number[]
  readonly late?: number
  readonly endpoint?: string
  readonly statusCode?: number | null
  readonly conversationId?: string
  readonly type?: string
  readonly isTest?: boolean
}

let seq = 0n

/** A delivery as the dispatcher leaves it. */
async function deliver(given: Given): Promise<string> {
  const { at, status, durations = [], late = 0, endpoint = endpointId, statusCode = 200 } = given
  const { prisma } = guddesk.deps.db
  const { workspaceId } = tenant
  const { type = 'message.created', conversationId = null, isTest = false } = given
  const event = { id: newId('event'), workspaceId, type, conversationId, body: '{"data":{}}', isTest, createdAt: at }
  await prisma.event.create({ data: event })
  const state = { status, attempts: durations.length, due: status === 'PENDING' ? at : null, isTest, createdAt: at }
  const id = newId('delivery')
  const about = { workspaceId, eventId: event.id, endpointId: endpoint, conversationId, seq: seq++ }
  await prisma.delivery.create({ data: { id, ...about, ...state } })
  for (const [i, durationMs] of durations.entries()) {
    const startedAt = new Date(at.getTime() + late + i * 60_000)
    await prisma.deliveryAttempt.create({ data: { deliveryId: id, number: i + 1, startedAt, durationMs, statusCode } })
  }
  return id
}

async function ask(query: string, variables: object = {}, key = tenant.key) {
  const { body } = await guddesk.graphql(query, variables, { key })
  expect(body.errors).toBeUndefined()
  return body.data
}

describe('deliveryStats', () => {
  const STATS = graphql(`query ($endpointId: ID, $from: DateTime!, $to: DateTime!, $bucket: StatsBucket!) {
    deliveryStats(endpointId: $endpointId, from: $from, to: $to, bucket: $bucket) {
      start sent delivered failed pending durationP50Ms durationP95Ms latencyP50Ms latencyP95Ms
    } }`)
  const noon = new Date('2026-03-01T12:00:00.000Z')
  const minutes = (count: number) => new Date(noon.getTime() + count * 60_000)
  const EMPTY = { sent: 0, delivered: 0, failed: 0, pending: 0 }
  const UNMEASURED = { durationP50Ms: null, durationP95Ms: null, latencyP50Ms: null, latencyP95Ms: null }

  async function stats(variables: object, key = tenant.key) {
    return (await ask(STATS, variables, key)).deliveryStats
  }

  test('tells what became of what happened in each bucket, the empty ones included', async () => {
    for (let i = 1; i <= 20; i++) {
      await deliver({ at: minutes(i), status: 'DELIVERED', durations: [i * 10], late: i })
    }
    await deliver({ at: minutes(130), status: 'FAILED', durations: [5, 7, 9], late: 40 })
    await deliver({ at: minutes(131), status: 'PENDING' })
    await deliver({ at: minutes(132), status: 'SKIPPED' })
    await deliver({ at: minutes(133), status: 'FAILED', durations: [1000], isTest: true })
    await deliver({ at: minutes(240), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(-1), status: 'DELIVERED', durations: [1] })
    // Both ends within a bucket: whole buckets are shown.
    const found = await stats({ from: minutes(30), to: minutes(200), bucket: 'HOUR' })
    expect(found).toEqual([
      {
        ...{ start: minutes(0).toISOString(), ...EMPTY, sent: 20, delivered: 20 },
        ...{ durationP50Ms: 100, durationP95Ms: 190, latencyP50Ms: 10, latencyP95Ms: 19 },
      },
      { start: minutes(60).toISOString(), ...EMPTY, ...UNMEASURED },
      {
        ...{ start: minutes(120).toISOString(), ...EMPTY, sent: 1, failed: 1, pending: 1 },
        ...{ durationP50Ms: 7, durationP95Ms: 9, latencyP50Ms: 40, latencyP95Ms: 40 },
      },
      { start: minutes(180).toISOString(), ...EMPTY, ...UNMEASURED },
    ])
  })

  test('has buckets of a minute and of a day in UTC', async () => {
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    const perMinute = await stats({ from: minutes(-1), to: minutes(2), bucket: 'MINUTE' })
    expect(perMinute.map(({ sent }: { sent: number }) => sent)).toEqual([0, 1, 0])
    const perDay = await stats({ from: minutes(0), to: minutes(1441), bucket: 'DAY' })
    const days = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']
    expect(perDay.map(({ start, sent }: { start: string; sent: number }) => [start, sent])).toEqual([
      [days[0], 1],
      [days[1], 0],
    ])
  })

  test('has room for years', async () => {
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(999 * 1440), status: 'DELIVERED', durations: [1] })
    // Its endpoint was disabled for a month.
    await deliver({ at: minutes(1440), status: 'DELIVERED', durations: [1], late: 30 * 86_400_000 })
    const days = await stats({ from: minutes(0), to: minutes(999 * 1440), bucket: 'DAY' })
    expect(days[1]).toMatchObject({ sent: 1, latencyP50Ms: 2 ** 31 - 1 })
    expect(days).toHaveLength(1000)
    expect([days[0], days[999]]).toMatchObject([{ sent: 1 }, { start: '2028-11-24T00:00:00.000Z', sent: 1 }])
  })

  test('of one endpoint, of one’s own workspace, and for an agent of its own', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/stats' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(0), status: 'FAILED', durations: [1], endpoint: agent.webhookEndpoint.id })
    const span = { from: minutes(0), to: minutes(1), bucket: 'HOUR' }
    const sent = async (variables: object, key?: string) => {
      const [only] = await stats({ ...span, ...variables }, key)
      return [only.sent, only.failed]
    }
    expect(await sent({})).toEqual([2, 1])
    expect(await sent({ endpointId })).toEqual([1, 0])
    expect(await sent({}, agent.credentials.apiKey)).toEqual([1, 1])
    expect(await sent({ endpointId }, agent.credentials.apiKey)).toEqual([0, 0])
    expect(await sent({ endpointId }, guddesk.tenant.key)).toEqual([0, 0])
    expect(await sent({ endpointId: 'x' })).toEqual([0, 0])
  })

  test('is bounded, and says so', async () => {
    const codes = async (variables: object) => {
      const { body } = await guddesk.graphql(STATS, variables, { key: tenant.key })
      return body.errors?.[0].extensions
    }
    const whole = { from: minutes(0), bucket: 'MINUTE' }
    expect(await stats({ ...whole, to: minutes(1000) })).toHaveLength(1000)
    expect(await codes({ ...whole, to: minutes(1001) })).toMatchObject({
      fields: [{ path: ['bucket'], message: expect.stringContaining('1001 buckets, more than the maximum of 1000') }],
    })
    const centuries = { from: '0001-01-01T00:00:00Z', to: '9999-01-01T00:00:00Z', bucket: 'MINUTE' }
    expect(await codes(centuries)).toMatchObject({ fields: [{ path: ['bucket'] }] })
    expect(await codes({ ...whole, to: minutes(0) })).toMatchObject({ fields: [{ path: ['to'] }] })
    expect(await codes({ ...whole, to: minutes(-1) })).toMatchObject({ fields: [{ path: ['to'] }] })
    expect(await codes({ ...whole, to: minutes(1), endpointId: '\u0000' })).toMatchObject({
      fields: [{ path: ['endpointId'] }],
    })
  })

  test('is one statement', async () => {
    const span = { from: minutes(0), to: minutes(600), bucket: 'MINUTE' }
    const statements = await statementsOf(guddesk, () => stats(span))
    expect(statements.filter((sql) => sql.includes('deliveries'))).toHaveLength(1)
  })
})

describe('slowestEndpoints', () => {
  const SLOWEST = graphql(`query ($from: DateTime!, $to: DateTime!, $first: Int) {
    slowestEndpoints(from: $from, to: $to, first: $first) {
      endpoint { id } delivered failed pending durationP50Ms durationP95Ms
    } }`)
  const from = new Date('2026-03-01T12:00:00.000Z')
  const to = new Date('2026-03-01T13:00:00.000Z')
  const inside = new Date('2026-03-01T12:30:00.000Z')

  async function slowest(variables: object = {}, key = tenant.key) {
    return (await ask(SLOWEST, { from, to, ...variables }, key)).slowestEndpoints
  }

  test('tells of each endpoint that was sent something, the slowest first', async () => {
    const slow = await newEndpoint()
    const silent = await newEndpoint()
    for (let i = 1; i <= 20; i++) await deliver({ at: inside, status: 'DELIVERED', durations: [i] })
    await deliver({ at: inside, status: 'FAILED', durations: [300, 400], endpoint: slow })
    await deliver({ at: inside, status: 'PENDING', endpoint: slow })
    await deliver({ at: inside, status: 'PENDING', endpoint: silent })
    await deliver({ at: inside, status: 'DELIVERED', durations: [9000], isTest: true })
    await deliver({ at: to, status: 'DELIVERED', durations: [9000] })
    await deliver({ at: new Date(from.getTime() - 1), status: 'DELIVERED', durations: [9000] })
    const first = {
      endpoint: { id: slow },
      delivered: 0,
      failed: 1,
      pending: 1,
      durationP50Ms: 300,
      durationP95Ms: 400,
    }
    const second = { delivered: 20, failed: 0, pending: 0, durationP50Ms: 10, durationP95Ms: 19 }
    expect(await slowest()).toEqual([first, { endpoint: { id: endpointId }, ...second }])
    expect(await slowest({ first: 1 })).toEqual([first])
  })

  test('of one’s own workspace, and for an agent of its own', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/slow' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await deliver({ at: inside, status: 'DELIVERED', durations: [1] })
    await deliver({ at: inside, status: 'DELIVERED', durations: [2], endpoint: agent.webhookEndpoint.id })
    const ids = async (key: string) =>
      (await slowest({}, key)).map(({ endpoint }: { endpoint: { id: string } }) => endpoint.id)
    expect(await ids(tenant.key)).toEqual([agent.webhookEndpoint.id, endpointId])
    expect(await ids(agent.credentials.apiKey)).toEqual([agent.webhookEndpoint.id])
    expect(await ids(guddesk.tenant.key)).toEqual([])
  })

  test('is bounded, and says so', async () => {
    const paths = async (variables: object) => {
      const { body } = await guddesk.graphql(SLOWEST, { from, to, ...variables }, { key: tenant.key })
      return body.errors?.[0].extensions.fields.map(({ path }: { path: string[] }) => path.join('.'))
    }
    expect(await paths({ to: from })).toEqual(['to'])
    expect(await paths({ first: 0 })).toEqual(['first'])
    expect(await paths({ first: 51 })).toEqual(['first'])
  })
})

describe('how endpoints and agents are doing', () => {
  const HEALTH = graphql(`{
    webhookEndpoints { edges { node { id successRate24h pendingCount failedCount agent { id } } } }
    agents { edges { node { id lastSeenAt replyCount24h successRate24h } } }
  }`)

  test('counts the last 24 hours of what ended, and everything that is pending or failed', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/health' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const own = agent.webhookEndpoint.id
    const now = guddesk.clock.now().getTime()
    const ago = (hours: number) => new Date(now - hours * 3_600_000)
    for (const hours of [1, 2, 23])
      await deliver({ at: ago(hours), status: 'DELIVERED', durations: [1], endpoint: own })
    await deliver({ at: ago(3), status: 'FAILED', durations: [1], endpoint: own })
    await deliver({ at: ago(25), status: 'FAILED', durations: [1], endpoint: own })
    await deliver({ at: ago(1), status: 'PENDING', endpoint: own })
    await deliver({ at: ago(1), status: 'SKIPPED', endpoint: own })
    await deliver({ at: ago(1), status: 'FAILED', durations: [1], endpoint: own, isTest: true })
    await deliver({ at: ago(1), status: 'PENDING', endpoint: own, isTest: true })
    const conversationId = await guddesk.newConversation(tenant, 'Hi')
    const { apiKey } = agent.credentials
    await guddesk.call('POST', '/api/agent/reply', { conversationId, body: 'Hello' }, { key: apiKey })
    const waits = await guddesk.deps.db.prisma.delivery.count({
      where: { endpointId: own, due: { not: null }, isTest: false },
    })
    const { webhookEndpoints, agents } = await ask(HEALTH)
    const nodes = webhookEndpoints.edges.map(({ node }: { node: { id: string } }) => node)
    const mine = { id: own, successRate24h: 0.75, pendingCount: waits, failedCount: 2, agent: { id: agent.id } }
    const idle = await guddesk.deps.db.prisma.delivery.count({ where: { endpointId, due: { not: null } } })
    const other = { id: endpointId, successRate24h: null, pendingCount: idle, failedCount: 0, agent: null }
    expect(nodes).toEqual(expect.arrayContaining([mine, other]))
    const lastSeenAt = expect.stringMatching(/^\d{4}-/)
    expect(agents.edges[0].node).toEqual({ id: agent.id, lastSeenAt, replyCount24h: 1, successRate24h: 0.75 })

    // An agent is told nothing of its neighbours.
    const neighbour = { name: 'Neighbour', webhookUrl: 'http://127.0.0.1:9/neighbour' }
    const { data: next } = await guddesk.call('POST', '/api/v1/agents', neighbour, { key: tenant.key })
    const seen = await ask(HEALTH, {}, next.credentials.apiKey)
    const byId = new Map(seen.agents.edges.map(({ node }: { node: { id: string } }) => [node.id, node]))
    expect(byId.get(agent.id)).toMatchObject({ lastSeenAt: null, replyCount24h: null, successRate24h: null })
    expect(byId.get(next.id)).toMatchObject({ replyCount24h: 0, successRate24h: null })
    const nested = graphql(
      `{ agents { edges { node { id webhookEndpoints { pendingCount failedCount successRate24h } } } } }`,
    )
    const { agents: all } = await ask(nested, {}, next.credentials.apiKey)
    const hidden = all.edges.find(({ node }: { node: { id: string } }) => node.id === agent.id)
    expect(hidden.node.webhookEndpoints).toEqual([])
  })
})

describe('deliveries', () => {
  const LIST = graphql(`query ($filter: DeliveryFilter) { deliveries(filter: $filter) { totalCount edges { node {
    id durationMs lastStatusCode conversation { id } event { id type conversation { id } } } } } }`)

  async function found(filter: object, key?: string): Promise<string[]> {
    const { deliveries } = await ask(LIST, { filter }, key)
    const ids = deliveries.edges.map(({ node }: { node: { id: string } }) => node.id)
    expect(ids).toHaveLength(deliveries.totalCount)
    return ids
  }

  test('are found by several states and kinds, and by agent', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/list' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const own = agent.webhookEndpoint.id
    const at = guddesk.clock.now()
    const a = await deliver({ at, status: 'FAILED', durations: [1], type: 'conversation.closed' })
    const b = await deliver({ at, status: 'DELIVERED', durations: [1], endpoint: own })
    const c = await deliver({ at, status: 'PENDING', endpoint: own, type: 'conversation.closed' })
    const is = async (filter: object, ids: string[], key?: string) =>
      expect((await found(filter, key)).sort()).toEqual([...ids].sort())
    await is({}, [a, b, c])
    await is({ statuses: ['FAILED', 'PENDING'] }, [a, c])
    await is({ statuses: 'DELIVERED' }, [b])
    await is({ agentId: agent.id }, [b, c])
    await is({ agentId: agent.id, statuses: ['FAILED', 'PENDING'] }, [c])
    await is({ eventTypes: ['CONVERSATION_CLOSED'] }, [a, c])
    await is({ eventTypes: ['CONVERSATION_CLOSED', 'MESSAGE_CREATED'], endpointId: own }, [b, c])
    await is({ agentId: 'agt_00000000000000000000000000' }, [])
    // An agent's key sees its own, whatever it asks for.
    const { apiKey } = agent.credentials
    await is({}, [b, c], apiKey)
    const { data: next } = await guddesk.call(
      'POST',
      '/api/v1/agents',
      { ...install, webhookUrl: `${install.webhookUrl}/2` },
      { key: tenant.key },
    )
    await is({ agentId: agent.id }, [], next.credentials.apiKey)
  })

  test('say what came of the last attempt, and lead to event and conversation', async () => {
    const at = guddesk.clock.now()
    const conversationId = await guddesk.newConversation(tenant)
    await guddesk.deps.db.prisma.delivery.deleteMany({ where: { workspaceId: tenant.workspaceId } })
    await deliver({ at, status: 'DELIVERED', durations: [30, 20], statusCode: 204, conversationId })
    await deliver({ at, status: 'FAILED', durations: [5], statusCode: null, conversationId: 'conv_gone' })
    await deliver({ at, status: 'PENDING' })
    const { deliveries } = await ask(LIST)
    const nodes = deliveries.edges.map(({ node: { id: _, ...rest } }: { node: { id: string } }) => rest)
    const event = { id: expect.stringMatching(/^evt_/), type: 'MESSAGE_CREATED' }
    const conversation = { id: conversationId }
    expect(nodes).toEqual(
      expect.arrayContaining([
        { durationMs: 20, lastStatusCode: 204, conversation, event: { ...event, conversation } },
        { durationMs: 5, lastStatusCode: null, conversation: null, event: { ...event, conversation: null } },
        { durationMs: null, lastStatusCode: null, conversation: null, event: { ...event, conversation: null } },
      ]),
    )
  })
})

describe('Conversation.events', () => {
  test('are the conversation’s own, oldest first, in pages both ways', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.newConversation(tenant, 'another')
    await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' }, { key: tenant.key })
    await quiet(guddesk)
    const query =
      graphql(`query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
      events(first: $first, after: $after, last: $last, before: $before) { totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { type conversation { id } } } } } }`)
    const types = async (page: object) => {
      const { conversation } = await ask(query, { id, ...page })
      const { edges, totalCount, pageInfo } = conversation.events
      expect(totalCount).toBe(4)
      for (const { node } of edges) expect(node.conversation).toEqual({ id })
      return { pageInfo, types: edges.map(({ node }: { node: { type: string } }) => node.type) }
    }
    const whole = ['CONVERSATION_CREATED', 'MESSAGE_CREATED', 'CONVERSATION_UPDATED', 'CONVERSATION_CLOSED']
    expect((await types({})).types).toEqual(whole)
    const first = await types({ first: 3 })
    expect(first).toMatchObject({ types: whole.slice(0, 3), pageInfo: { hasNextPage: true, hasPreviousPage: false } })
    const rest = await types({ first: 3, after: first.pageInfo.endCursor })
    expect(rest).toMatchObject({ types: whole.slice(3), pageInfo: { hasNextPage: false, hasPreviousPage: true } })
    const back = await types({ last: 2, before: rest.pageInfo.startCursor })
    expect(back).toMatchObject({ types: whole.slice(1, 3), pageInfo: { hasNextPage: true, hasPreviousPage: true } })
  })
})
