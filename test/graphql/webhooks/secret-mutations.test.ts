import { describe, expect, test } from 'vitest'
import { graphql, payload } from '../../support/graphql.ts'
import { ACTOR, guddesk, type InputOf, useServer } from '../schema/mutation-steps.ts'

useServer()

const INSTALL_AGENT = graphql(`mutation ($input: InstallAgentInput!) { installAgent(input: $input) {
  secret key endpoint { id } apiKey { id }
  agent {
    id name description type config priority iconUrl creatorName creatorUrl isEnabled
    webhookEndpoints { edges { node { id url events } } }
  }
  error { code message }
} }`)

const CREATE_ENDPOINT =
  graphql(`mutation ($input: RegisterWebhookEndpointInput!) { registerWebhookEndpoint(input: $input) {
  isNew secret
  endpoint {
    id url description isEnabled events agentId
    maxInFlight ordering consecutiveFailures failingSince
  }
  error { code message fields { path message } }
} }`)

const UPDATE_ENDPOINT = graphql(`mutation ($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) {
  endpoint { id maxInFlight ordering }
  error { code message fields { path message } }
} }`)

const CREATE_KEY = graphql(`mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  key apiKey { id name prefix permission expiresAt revokedAt lastUsedAt agentId }
  error { code message }
} }`)

const createEndpoint = async (input: InputOf<typeof CREATE_ENDPOINT>) =>
  (await guddesk.query(CREATE_ENDPOINT, { input })).registerWebhookEndpoint

const updateEndpoint = async (input: InputOf<typeof UPDATE_ENDPOINT>) =>
  (await guddesk.query(UPDATE_ENDPOINT, { input })).updateWebhookEndpoint

describe('what makes a secret shows it once', () => {
  /** Every text that GraphQL and REST show of the workspace's agents, endpoints and keys. */
  async function everythingShown(ids: string[]): Promise<string> {
    const document = graphql(`query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on Agent { name config webhookEndpoints { edges { node { id url description } } } }
      ... on WebhookEndpoint { id url description agentId isEnabled }
      ... on ApiKey { id name prefix permission }
    } workspace { name slug } }`)
    const found = await guddesk.query(document, { ids })
    const lists = await Promise.all(['/api/v1/agents', '/api/agent/webhooks'].map((path) => guddesk.call('GET', path)))
    return JSON.stringify([found, ...lists.map((answer) => answer.body), guddesk.logs])
  }

  test('installAgent', async () => {
    const events = ['CONVERSATION_CLOSED' as const, 'CONVERSATION_CREATED' as const]
    const bot = { name: 'RefundBot', description: 'Refunds', config: { a: 1 }, priority: 5 }
    const profile = { ...bot, type: 'MARKETPLACE' } as const
    const maker = { iconUrl: 'https://a.com/i.png', creatorName: 'Ann', creatorUrl: 'https://a.com/' }
    const url = 'http://127.0.0.1:9/install'
    const input = { ...profile, ...maker, webhookUrl: url, events }
    const made = payload((await guddesk.query(INSTALL_AGENT, { input })).installAgent)
    expect(made).toMatchObject({ error: null, agent: { ...profile, ...maker, isEnabled: true } })
    const { agent, secret, key, endpoint, apiKey } = made
    const subscribed = ['CONVERSATION_CREATED', 'CONVERSATION_CLOSED']
    const endpoints = agent.webhookEndpoints?.edges.map(({ node }) => node) ?? []
    expect(endpoints).toEqual([{ id: expect.stringMatching(/^whk_/), url, events: subscribed }])
    expect([secret, key]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^gd_.{43}$/)])
    const { viewer } = await guddesk.query(ACTOR, {}, { key })
    expect(viewer).toEqual({ permission: 'READ_WRITE', actor: { id: agent.id, displayName: 'RefundBot' } })
    expect([endpoint.id, apiKey.id]).toEqual([endpoints[0]?.id, expect.stringMatching(/^key_/)])
    const shown = await everythingShown([agent.id, ...endpoints.map(({ id }) => id)])
    expect(shown).toContain(agent.id)
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(key)
  })

  test('registerWebhookEndpoint, which for the same URL gives the same endpoint, enabled', async () => {
    const url = 'http://127.0.0.1:9/endpoint'
    const made = payload(await createEndpoint({ url: `${url}#x`, description: 'CI' }))
    const endpoint = { id: expect.stringMatching(/^whk_/), url, description: 'CI', isEnabled: true, agentId: null }
    expect(made).toMatchObject({ error: null, isNew: true, endpoint })
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/)
    expect(made.endpoint).toMatchObject({ events: ['MESSAGE_CREATED', 'CONVERSATION_CREATED'] })
    const { id } = made.endpoint
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id }, data: { isEnabled: false } })
    const again = await createEndpoint({ url, events: ['CONVERSATION_CLOSED'] })
    expect(again).toEqual({ ...made, isNew: false, endpoint: { ...made.endpoint, events: ['CONVERSATION_CLOSED'] } })
    const shown = await everythingShown([id])
    expect(shown).toContain(id)
    expect(shown).not.toContain(made.secret)
  })

  test('createApiKey', async () => {
    const expiresAt = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    const create = async (input: InputOf<typeof CREATE_KEY>) =>
      payload((await guddesk.query(CREATE_KEY, { input })).createApiKey)
    const made = await create({ name: ' CI ', permission: 'READ_ONLY', expiresAt })
    const nothing = { revokedAt: null, lastUsedAt: null, agentId: null }
    const apiKey = { name: 'CI', prefix: made.key.slice(0, 8), permission: 'READ_ONLY', expiresAt, ...nothing }
    expect(made).toMatchObject({ error: null, apiKey })
    expect(made.key).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
    const { viewer } = await guddesk.query(ACTOR, {}, { key: made.key })
    expect(viewer).toEqual({ permission: 'READ_ONLY', actor: { id: made.apiKey.id, displayName: 'CI' } })
    const shown = await everythingShown([made.apiKey.id])
    expect(shown).toContain(made.apiKey.id)
    expect(shown).not.toContain(made.key)
    expect((await create({ name: 'x', permission: 'FULL_ACCESS' })).apiKey.expiresAt).toBeNull()
  })
})

describe("an endpoint's settings", () => {
  const url = 'http://127.0.0.1:9/settings'

  test('have defaults, are set when it is made, and changed one by one', async () => {
    const defaults = payload(await createEndpoint({ url: `${url}/default` }))
    const health = { consecutiveFailures: 0, failingSince: null }
    expect(defaults.endpoint).toMatchObject({ maxInFlight: 10, ordering: 'RELAXED', ...health })
    const made = payload(await createEndpoint({ url, maxInFlight: 1, ordering: 'STRICT' }))
    expect(made.endpoint).toMatchObject({ maxInFlight: 1, ordering: 'STRICT' })
    const endpointId = made.endpoint.id
    const change = async (patch: Partial<InputOf<typeof UPDATE_ENDPOINT>>) =>
      payload(await updateEndpoint({ ...patch, endpointId })).endpoint
    expect(await change({ maxInFlight: 100 })).toMatchObject({ maxInFlight: 100, ordering: 'STRICT' })
    expect(await change({ ordering: 'RELAXED' })).toMatchObject({ maxInFlight: 100, ordering: 'RELAXED' })
    const again = async (patch: Partial<InputOf<typeof CREATE_ENDPOINT>>) =>
      payload(await createEndpoint({ ...patch, url })).endpoint
    expect(await again({})).toMatchObject({ id: endpointId, maxInFlight: 100, ordering: 'RELAXED' })
    const both = { maxInFlight: 2, ordering: 'STRICT' } as const
    expect(await again(both)).toMatchObject({ id: endpointId, ...both })
  })

  test.each([0, 101, -1])('refuse %s requests in flight', async (maxInFlight) => {
    const refused = { error: { code: 'BAD_REQUEST', fields: [{ path: ['maxInFlight'], message: expect.any(String) }] } }
    expect(await createEndpoint({ url: `${url}/x`, maxInFlight })).toMatchObject(refused)
    const { endpoint } = payload(await createEndpoint({ url: `${url}/y` }))
    expect(await updateEndpoint({ endpointId: endpoint.id, maxInFlight })).toMatchObject(refused)
  })
})
