import { describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { ask, deliver, endpointId, guddesk, newEndpoint, tenant, useEndpoint } from './stats-steps.ts'

useEndpoint()

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
      where: { endpointId: own, nextAttemptAt: { not: null }, isTest: false },
    })
    const { webhookEndpoints, agents } = await ask(HEALTH)
    const nodes = webhookEndpoints.edges.map(({ node }: { node: { id: string } }) => node)
    const mine = { id: own, successRate24h: 0.75, pendingCount: waits, failedCount: 2, agent: { id: agent.id } }
    const idle = await guddesk.deps.db.prisma.delivery.count({ where: { endpointId, nextAttemptAt: { not: null } } })
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
      `{ agents { edges { node { id webhookEndpoints { totalCount edges { node { pendingCount failedCount successRate24h } } } } } } }`,
    )
    const { agents: all } = await ask(nested, {}, next.credentials.apiKey)
    const hidden = all.edges.find(({ node }: { node: { id: string } }) => node.id === agent.id)
    expect(hidden.node.webhookEndpoints).toEqual({ totalCount: 0, edges: [] })
  })
})
