import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpointId: string

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

async function mutate(name: string, input: object, fields: string, key = tenant.key) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    ... on ${type}Payload { ${fields} } error { code message } } }`
  const { body } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  return body.data[name]
}

const STATE = 'endpoint { isEnabled disabledReason failingSince consecutiveFailures lastFailureAt }'
const enable = (key?: string) => mutate('enableWebhookEndpoint', { endpointId }, STATE, key)
const disable = (key?: string) => mutate('disableWebhookEndpoint', { endpointId }, STATE, key)
const shown = async () => {
  const query = `query ($id: ID!) { node(id: $id) { ... on WebhookEndpoint { ${STATE.slice(11, -2)} } } }`
  return (await guddesk.graphql(query, { id: endpointId }, { key: tenant.key })).data.node
}

describe('enabling and disabling', () => {
  test('what waits stays and is sent after enabling; what happens meanwhile is skipped', async () => {
    receiver.behave(answer(500))
    await guddesk.newConversation(tenant)
    await until(async () => (await shown()).consecutiveFailures === 1)
    expect(await disable()).toMatchObject({ endpoint: { isEnabled: false, disabledReason: null } })
    await guddesk.newConversation(tenant)
    receiver.behave(answer(200))
    guddesk.advance(20_000)
    expect(await enable()).toMatchObject({ endpoint: { isEnabled: true, failingSince: null, consecutiveFailures: 0 } })
    const [first, again] = await receiver.waitFor(2)
    expect(again?.headers['x-guddesk-delivery']).toBe(first?.headers['x-guddesk-delivery'])
    const query = graphql(`{ deliveries(filter: { statuses: SKIPPED }) { totalCount } }`)
    expect((await guddesk.graphql(query, {}, { key: tenant.key })).data.deliveries.totalCount).toBe(1)
  })

  test('the reason of an automatic end is told, and cleared by enabling', async () => {
    receiver.behave(answer(410))
    await guddesk.newConversation(tenant)
    await until(async () => (await shown()).consecutiveFailures === 1)
    await until(async () => !(await shown()).isEnabled)
    expect(await shown()).toMatchObject({ disabledReason: 'GONE', consecutiveFailures: 1 })
    expect((await enable()).endpoint).toMatchObject({ isEnabled: true, disabledReason: null, consecutiveFailures: 0 })
    const data = { isEnabled: false, disabledReason: 'failing' }
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data })
    expect(await shown()).toMatchObject({ disabledReason: 'FAILING' })
  })

  test('twice is as good as once, and health is kept while it is enabled', async () => {
    receiver.behave(answer(500))
    await guddesk.newConversation(tenant)
    await until(async () => (await shown()).consecutiveFailures === 1)
    const before = await shown()
    expect((await enable()).endpoint).toEqual(before)
    for (let i = 0; i < 2; i++) expect((await disable()).endpoint).toMatchObject({ isEnabled: false })
    for (let i = 0; i < 2; i++) expect((await enable()).endpoint).toMatchObject({ isEnabled: true })
    const row = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
    const { updatedAt } = await row()
    await enable()
    expect((await row()).updatedAt).toEqual(updatedAt)
  })

  test("is not for other workspaces' or agents' endpoints", async () => {
    const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    for (const key of [(await guddesk.newTenant()).key, agent.credentials.apiKey]) {
      expect(await enable(key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
      expect(await disable(key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    }
    expect(await shown()).toMatchObject({ isEnabled: true })
  })
})

describe('the audit log', () => {
  const entries = async () => {
    const query = graphql(
      `{ auditEntries(first: 50) { edges { node { action actor { __typename } targetType targetId targetName data } } } }`,
    )
    const { data, body } = await guddesk.graphql(query, {}, { key: tenant.key })
    expect(body.errors).toBeUndefined()
    return data.auditEntries.edges.map(({ node }: { node: object }) => node).reverse()
  }
  const actions = async () => (await entries()).map(({ action }: { action: string }) => action)

  test('has everything that is done to an endpoint, and nothing that changes nothing', async () => {
    const url = `${receiver.url}/audited`
    const { endpoint } = await mutate('registerWebhookEndpoint', { url }, 'endpoint { id }')
    const who = { actor: { __typename: 'ApiKey' }, targetType: 'WEBHOOK_ENDPOINT', targetName: url }
    const its = async () => (await entries()).filter((entry: { targetId: string }) => entry.targetId === endpoint.id)
    const input = { endpointId: endpoint.id }
    const register = () =>
      guddesk.call('POST', '/api/agent/webhooks', { url, events: { onMessageCreated: false } }, { key: tenant.key })
    await register()
    await register()
    await mutate(
      'updateWebhookEndpoint',
      { ...input, maxInFlight: 5, ordering: 'RELAXED', isEnabled: true },
      '__typename',
    )
    await mutate('updateWebhookEndpoint', { ...input, maxInFlight: 5 }, '__typename')
    await mutate('disableWebhookEndpoint', input, '__typename')
    await mutate('disableWebhookEndpoint', input, '__typename')
    await register()
    await mutate('rotateWebhookSecret', { ...input, overlapHours: 2 }, '__typename')
    await mutate('endWebhookSecretOverlap', input, '__typename')
    await mutate('endWebhookSecretOverlap', input, '__typename')
    await mutate('sendTestEvent', { ...input, type: 'PING' }, '__typename')
    const since = '2026-01-01T00:00:00.000Z'
    await mutate('replayFailedDeliveries', { ...input, since }, '__typename')
    await mutate('deleteWebhookEndpoint', input, '__typename')
    const found = await its()
    expect(found.map(({ action, data }: { action: string; data: object }) => [action, data])).toEqual([
      ['WEBHOOK_ENDPOINT_CREATED', {}],
      ['WEBHOOK_ENDPOINT_UPDATED', { changed: ['onMessageCreated'] }],
      ['WEBHOOK_ENDPOINT_UPDATED', { changed: ['maxInFlight'] }],
      ['WEBHOOK_ENDPOINT_DISABLED', {}],
      ['WEBHOOK_ENDPOINT_ENABLED', {}],
      ['WEBHOOK_ENDPOINT_SECRET_ROTATED', { overlapHours: 2 }],
      ['WEBHOOK_ENDPOINT_ROTATION_CONFIRMED', {}],
      ['WEBHOOK_ENDPOINT_TEST_SENT', { type: 'ping', deliveryId: expect.stringMatching(/^dlv_/) }],
      ['DELIVERIES_REPLAYED', { since, includeSkipped: false }],
      ['WEBHOOK_ENDPOINT_DELETED', {}],
    ])
    for (const entry of found) expect(entry).toMatchObject(who)
  })

  test('has single replays, and rotated keys', async () => {
    receiver.behave(answer(410))
    await guddesk.newConversation(tenant)
    await until(async () => !(await shown()).isEnabled)
    await enable()
    const { id: deliveryId } = await guddesk.deps.db.prisma.delivery.findFirstOrThrow({ where: { endpointId } })
    await mutate('replayDelivery', { deliveryId }, '__typename')
    const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await mutate('rotateAgentApiKey', { agentId: agent.id, overlapHours: 0 }, '__typename')
    expect((await actions()).slice(-4)).toEqual([
      'WEBHOOK_ENDPOINT_ENABLED',
      'DELIVERY_REPLAYED',
      'AGENT_INSTALLED',
      'AGENT_KEY_ROTATED',
    ])
  })
})
