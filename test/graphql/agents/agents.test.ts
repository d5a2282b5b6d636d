import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let agent: { id: string; endpointId: string; apiKey: string }

const HOUR = 3_600_000

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  agent = await install()
})
afterEach(() => receiver.close())

async function install(body: object = {}): Promise<typeof agent> {
  const wanted = { name: 'Bot', webhookUrl: receiver.url, ...body }
  const { data } = await guddesk.call('POST', '/api/v1/agents', wanted, { key: tenant.key })
  return { id: data.id, endpointId: data.webhookEndpoint.id, apiKey: data.credentials.apiKey }
}

async function mutate(name: string, input: object, fields: string, key = tenant.key) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    ... on ${type}Payload { ${fields} } error { code message fields { path } } } }`
  const { body } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  return body.data[name]
}

const rotate = (input: object = {}, key?: string) =>
  mutate(
    'rotateAgentApiKey',
    { agentId: agent.id, ...input },
    'key agent { id } apiKey { id agentId permission expiresAt }',
    key,
  )

/** How a key fares: the HTTP status, and who it acts as. */
async function use(key: string): Promise<[number, string | undefined]> {
  const { status, body } = await guddesk.graphql(graphql(`{ viewer { actor { id } } }`), {}, { key })
  return [status, body.data?.viewer?.actor?.id]
}

const statusOf = async (key: string) => (await guddesk.call('GET', '/api/v1/agents', undefined, { key })).status

describe('rotateAgentApiKey', () => {
  test('gives a new key, and the old one works until the overlap ends', async () => {
    const { key, apiKey, agent: shown } = await rotate({ overlapHours: 1 })
    expect(key).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
    expect(apiKey).toMatchObject({ agentId: agent.id, permission: 'READ_WRITE', expiresAt: null })
    expect(shown).toEqual({ id: agent.id })
    for (const either of [key, agent.apiKey]) expect(await use(either)).toEqual([200, agent.id])
    guddesk.clock.advance(HOUR)
    expect(await use(key)).toEqual([200, agent.id])
    expect(await use(agent.apiKey)).toEqual([401, undefined])
  })

  test('without an overlap ends the old key at once', async () => {
    const { key } = await rotate({ overlapHours: 0 })
    expect(await use(key)).toEqual([200, agent.id])
    expect(await use(agent.apiKey)).toEqual([401, undefined])
  })

  test('again within the overlap is refused, unless it ends both older keys', async () => {
    const { key: second } = await rotate()
    expect(await rotate()).toMatchObject({ error: { code: 'CONFLICT' } })
    const { key: third } = await rotate({ overlapHours: 0 })
    expect(await use(third)).toEqual([200, agent.id])
    for (const ended of [agent.apiKey, second]) expect(await use(ended)).toEqual([401, undefined])
  })

  test('again after the overlap goes on from the latest key', async () => {
    const { key: second } = await rotate({ overlapHours: 1 })
    guddesk.clock.advance(HOUR)
    const { key: third } = await rotate({ overlapHours: 1 })
    for (const either of [second, third]) expect(await use(either)).toEqual([200, agent.id])
    expect(await use(agent.apiKey)).toEqual([401, undefined])
  })

  test('gives a key to an agent whose key was revoked', async () => {
    const where = { agentId: agent.id }
    const { id: apiKeyId } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({ where })
    await mutate('revokeApiKey', { apiKeyId }, 'apiKey { id }')
    const { key } = await rotate()
    expect(await use(key)).toEqual([200, agent.id])
    expect(await use(agent.apiKey)).toEqual([401, undefined])
  })

  test('at the same time: one wins, and no agent has three keys', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => rotate()))
    expect(results.filter(({ key }) => key !== null)).toHaveLength(1)
    expect(results.filter(({ error }) => error?.code === 'CONFLICT')).toHaveLength(5)
    expect(await guddesk.deps.db.prisma.apiKey.count({ where: { agentId: agent.id } })).toBe(2)
  })

  test('is not for the agent itself, for lower keys, or for other workspaces', async () => {
    expect(await rotate({}, agent.apiKey)).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await rotate({}, await guddesk.newKey(tenant, 'READ_WRITE'))).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await rotate({}, (await guddesk.newTenant()).key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await rotate({ overlapHours: 169 })).toMatchObject({ error: { fields: [{ path: ['overlapHours'] }] } })
    expect(await use(agent.apiKey)).toEqual([200, agent.id])
  })

  test('is refused for both keys while the agent is disabled, and gone with it', async () => {
    const { key } = await rotate()
    await guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { isEnabled: false }, { key: tenant.key })
    for (const either of [key, agent.apiKey]) expect(await statusOf(either)).toBe(403)
    await guddesk.call('DELETE', `/api/v1/agents/${agent.id}`, undefined, { key: tenant.key })
    for (const either of [key, agent.apiKey]) expect(await statusOf(either)).toBe(401)
  })
})

describe('what uninstalling removes', () => {
  const removal = async (key = tenant.key) => {
    const query = `{ agentRemoval(id: "${agent.id}") { webhookUrls pendingDeliveryCount apiKeyPrefixes } }`
    return (await guddesk.graphql(query, {}, { key })).body
  }

  test('is told before and after', async () => {
    receiver.behave(answer(500))
    await guddesk.call('POST', '/api/agent/webhooks', { url: `${receiver.url}/second` }, { key: agent.apiKey })
    await guddesk.newConversation(tenant)
    const { key } = await rotate()
    const expected = {
      webhookUrls: [receiver.url, `${receiver.url}/second`],
      pendingDeliveryCount: 2,
      apiKeyPrefixes: [agent.apiKey.slice(0, 8), key.slice(0, 8)],
    }
    expect((await removal()).data.agentRemoval).toEqual(expected)
    guddesk.clock.advance(24 * HOUR)
    const later = { ...expected, apiKeyPrefixes: [key.slice(0, 8)] }
    expect((await removal()).data.agentRemoval).toEqual(later)
    const fields = 'deletedId removal { webhookUrls pendingDeliveryCount apiKeyPrefixes }'
    const { error, ...gone } = await mutate('uninstallAgent', { agentId: agent.id }, fields)
    expect(gone).toEqual({ deletedId: agent.id, removal: later })
    expect((await removal()).errors[0].extensions.code).toBe('not_found')
  })

  test("is nobody else's business", async () => {
    expect((await removal((await guddesk.newTenant()).key)).errors[0].extensions.code).toBe('not_found')
    expect((await removal(agent.apiKey)).errors[0].extensions.code).toBe('forbidden')
  })
})

describe('ignoreOwnEvents', () => {
  const reply = (conversationId: string, key: string) =>
    guddesk.call('POST', '/api/agent/reply', { conversationId, body: 'Hi' }, { key })
  const eventsOf = (messages: { event: string; data: Record<string, unknown> }[]) =>
    messages.map(({ event, data }) => `${event} ${(data['actor'] as { type: string }).type}`)

  test('is off by itself: an agent hears itself', async () => {
    const id = await guddesk.newConversation(tenant)
    await reply(id, agent.apiKey)
    expect(eventsOf(await receiver.waitFor(2))).toEqual(['conversation.created api_key', 'message.created agent'])
  })

  test("spares an agent's endpoints what it did itself, not what others did", async () => {
    const other = await startReceiver()
    const second = await install({ name: 'Second', webhookUrl: `${other.url}` })
    const set = { agentId: agent.id, ignoreOwnEvents: true }
    expect(await mutate('updateAgent', set, 'agent { ignoreOwnEvents }')).toMatchObject({
      agent: { ignoreOwnEvents: true },
    })
    const id = await guddesk.newConversation(tenant)
    await reply(id, agent.apiKey)
    await reply(id, second.apiKey)
    const heard = ['conversation.created api_key', 'message.created agent']
    expect(eventsOf(await receiver.waitFor(2))).toEqual(heard)
    expect(eventsOf(await other.waitFor(3))).toEqual([...heard, 'message.created agent'])
    await guddesk.dispatched()
    expect(receiver.received.map(({ data }) => (data['actor'] as { id: string }).id)).not.toContain(agent.id)
    expect(receiver.received).toHaveLength(2)
    await until(
      async () => (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: agent.endpointId } })) === 2,
    )
    await other.close()
  })

  test('is set and read over REST too', async () => {
    const path = `/api/v1/agents/${agent.id}`
    expect((await guddesk.call('GET', path, undefined, { key: tenant.key })).data.ignoreOwnEvents).toBe(false)
    const { data } = await guddesk.call('PATCH', path, { ignoreOwnEvents: true }, { key: tenant.key })
    expect(data.ignoreOwnEvents).toBe(true)
    const { status } = await guddesk.call('PATCH', path, { ignoreOwnEvents: 'yes' }, { key: tenant.key })
    expect(status).toBe(400)
    const wanted = { name: 'Quiet', webhookUrl: `${receiver.url}/quiet`, ignoreOwnEvents: true }
    const made = await guddesk.call('POST', '/api/v1/agents', wanted, { key: tenant.key })
    expect(made.data.ignoreOwnEvents).toBe(true)
  })
})

test('a page of the profile: everything can be changed', async () => {
  const profile = { name: 'New', description: 'Does more', iconUrl: 'https://a.com/i.png' }
  const maker = { creatorName: 'Ann', creatorUrl: 'https://a.com/', config: { a: 1 }, priority: 3 }
  const events = ['CONVERSATION_CREATED', 'CONVERSATION_CLOSED']
  const fields = `agent { name description iconUrl creatorName creatorUrl config priority isEnabled
    webhookEndpoints { edges { node { url events } } } }`
  const webhookUrl = `${receiver.url}/moved`
  const input = { agentId: agent.id, ...profile, ...maker, webhookUrl, events, isEnabled: false }
  expect((await mutate('updateAgent', input, fields)).agent).toEqual({
    ...profile,
    ...maker,
    isEnabled: false,
    webhookEndpoints: { edges: [{ node: { url: webhookUrl, events } }] },
  })
})
