import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

/** Runs a mutation and returns its result, which is one of its union's types. */
async function run(name: string, input: object, fields: string, key = guddesk.tenant.key) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    __typename
    ... on ${type}Payload { ${fields} }
    ... on Error { code message }
    ... on ValidationError { fields { path message } }
  } }`
  const { body } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  return body.data[name]
}

const CONVERSATION = `conversation { id status channel subject priority tags metadata messageCount lastMessagePreview
  closedAt snoozedUntil assignee { id name } visitor { id } messages { edges { node { type body senderId senderName } } } }`
// The alias: `message` of the payload and of Error cannot stand side by side in one query.
const MESSAGE = 'sent: sentMessage { id conversationId sequence type body senderId senderName createdAt }'

test('createVisitor creates, and updates by externalId', async () => {
  const fields = 'created visitor { id externalId name email avatarUrl metadata }'
  const given = {
    name: ' Vera ',
    email: 'Vera@Example.com',
    avatarUrl: 'https://example.com/v.png',
    metadata: { a: [1] },
  }
  const made = await run('createVisitor', { externalId: 'u1', ...given }, fields)
  const visitor = {
    id: expect.stringMatching(/^vis_/),
    externalId: 'u1',
    ...given,
    name: 'Vera',
    email: 'vera@example.com',
  }
  expect(made).toEqual({ __typename: 'CreateVisitorPayload', created: true, visitor })
  const again = await run('createVisitor', { externalId: 'u1', name: 'Vera V.' }, fields)
  expect(again).toEqual({ ...made, created: false, visitor: { ...made.visitor, name: 'Vera V.' } })
  const other = await guddesk.newTenant()
  expect(await run('createVisitor', { externalId: 'u1' }, fields, other.key)).toMatchObject({ created: true })
})

describe('startConversation', () => {
  test('starts one with everything given', async () => {
    const visitorId = await guddesk.newVisitor()
    const input = { visitorId, subject: ' Order ', message: ' Where is it? ', channel: 'EMAIL', metadata: { order: 7 } }
    expect(await run('startConversation', input, CONVERSATION)).toMatchObject({
      __typename: 'StartConversationPayload',
      conversation: {
        id: expect.stringMatching(/^conv_/),
        ...{ status: 'OPEN', channel: 'EMAIL', subject: 'Order', priority: 0, tags: [], metadata: { order: 7 } },
        ...{ messageCount: 1, lastMessagePreview: 'Where is it?', assignee: null, visitor: { id: visitorId } },
        messages: {
          edges: [{ node: { type: 'VISITOR', body: 'Where is it?', senderId: visitorId, senderName: 'Vera Visitor' } }],
        },
      },
    })
  })

  test('needs nothing but the visitor; null is the same as left out', async () => {
    const visitorId = await guddesk.newVisitor()
    const nothing = { subject: null, message: null, channel: null, metadata: null }
    for (const input of [{ visitorId }, { visitorId, ...nothing }]) {
      const { conversation } = await run('startConversation', input, CONVERSATION)
      expect(conversation).toMatchObject({ channel: 'API', subject: null, messageCount: 0, messages: { edges: [] } })
    }
  })
})

describe('updateConversation', () => {
  test('changes everything that it is given, and only that', async () => {
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'hello')
    const change = (input: object) => run('updateConversation', { conversationId, ...input }, CONVERSATION)
    const { memberId } = guddesk.tenant
    const values = { subject: 'Order', priority: 3, tags: ['a', 'b'], metadata: { k: 'v' } }
    const first = await change({ ...values, tags: [' a ', 'b', 'a'], assigneeId: memberId })
    expect(first).toMatchObject({
      __typename: 'UpdateConversationPayload',
      conversation: { status: 'OPEN', ...values },
    })
    expect(first.conversation.assignee).toEqual({ id: memberId, name: 'Owner' })
    const second = await change({ tags: [] })
    expect(second.conversation).toEqual({ ...first.conversation, tags: [] })
    const third = await change({ subject: null, assigneeId: null })
    expect(third.conversation).toEqual({ ...second.conversation, subject: null, assignee: null })
  })

  test('closes, snoozes and opens', async () => {
    const conversationId = await guddesk.newConversation()
    const change = async (input: object) =>
      (await run('updateConversation', { conversationId, ...input }, CONVERSATION)).conversation
    expect(await change({ status: 'CLOSED' })).toMatchObject({ status: 'CLOSED', closedAt: expect.any(String) })
    const snoozedUntil = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    expect(await change({ snoozedUntil })).toMatchObject({ status: 'SNOOZED', closedAt: null, snoozedUntil })
    expect(await change({ status: 'OPEN' })).toMatchObject({ status: 'OPEN', closedAt: null, snoozedUntil: null })
  })
})

describe('sendMessage', () => {
  test.each([
    ['BOT', 'AI Agent'],
    ['AGENT', 'Owner'],
    ['NOTE', 'Owner'],
    ['VISITOR', 'Vera Visitor'],
  ])('sends a %s message, as %s when no name is given', async (type, senderName) => {
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'hello')
    const { data } = await guddesk.graphql('{ viewer { actor { id } } }')
    const { sent } = await run('sendMessage', { conversationId, type, body: ' Hi ' }, MESSAGE)
    expect(sent).toMatchObject({ conversationId, sequence: 2, type, body: 'Hi', senderName })
    expect(sent.senderId).toMatch(type === 'VISITOR' ? /^vis_/ : new RegExp(`^${data.viewer.actor.id}$`))
    const named = await run('sendMessage', { conversationId, type, body: 'Hi', senderName: ' Max ' }, MESSAGE)
    expect(named.sent).toMatchObject({ sequence: 3, senderName: 'Max' })
  })

  test('of a visitor reopens what is closed or snoozed; of others it does not', async () => {
    const until = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    for (const away of [{ status: 'CLOSED' }, { status: 'SNOOZED' }, { snoozedUntil: until }]) {
      const conversationId = await guddesk.newConversation()
      const path = `/api/v1/conversations/${conversationId}`
      const { data: before } = await guddesk.call('PATCH', path, away)
      for (const type of ['BOT', 'AGENT', 'NOTE']) {
        await run('sendMessage', { conversationId, type, body: 'Bye' }, MESSAGE)
        const { status, closedAt, snoozedUntil } = (await guddesk.call('GET', path)).data
        expect([type, status, closedAt, snoozedUntil]).toEqual([
          type,
          before.status,
          before.closedAt,
          before.snoozedUntil,
        ])
      }
      await run('sendMessage', { conversationId, type: 'VISITOR', body: 'Wait!' }, MESSAGE)
      const { data: after } = await guddesk.call('GET', path)
      expect(after).toMatchObject({ status: 'OPEN', closedAt: null, snoozedUntil: null, lastMessagePreview: 'Wait!' })
      // "Any field of a conversation changed" is what CONVERSATION_UPDATED promises to live screens.
      const where = { conversationId, type: 'conversation.updated' }
      const events = await guddesk.deps.db.prisma.event.findMany({ where, orderBy: { seq: 'asc' } })
      expect(events.map(({ body }) => JSON.parse(body).data.changed.includes('status'))).toEqual([true, true])
    }
  })

  test('keeps 10,000 characters as they are', async () => {
    const conversationId = await guddesk.newConversation()
    const body = '😀'.repeat(10_000)
    const { sent } = await run('sendMessage', { conversationId, type: 'BOT', body }, MESSAGE)
    expect(sent.body).toBe(body)
  })
})

describe('what makes a secret shows it once', () => {
  /** Every text that GraphQL and REST show of the workspace's agents, endpoints and keys. */
  async function everythingShown(ids: string[]): Promise<string> {
    const query = `query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on Agent { name config webhookEndpoints { id url description } }
      ... on WebhookEndpoint { id url description agentId isEnabled }
      ... on ApiKey { id name prefix permission }
    } workspace { name slug } }`
    const { body } = await guddesk.graphql(query, { ids })
    expect(body.errors).toBeUndefined()
    const lists = await Promise.all(['/api/v1/agents', '/api/agent/webhooks'].map((path) => guddesk.call('GET', path)))
    return JSON.stringify([body, ...lists.map((answer) => answer.body), guddesk.logs])
  }

  test('installAgent', async () => {
    const events = { onConversationClosed: true, onMessageCreated: false, onConversationCreated: null }
    const profile = { name: 'RefundBot', description: 'Refunds', type: 'MARKETPLACE', config: { a: 1 }, priority: 5 }
    const maker = { iconUrl: 'https://a.com/i.png', creatorName: 'Ann', creatorUrl: 'https://a.com/' }
    const url = 'http://127.0.0.1:9/install'
    const fields = `webhookSecret apiKey agent { id name description type config priority iconUrl creatorName creatorUrl
      isEnabled webhookEndpoints { id url onMessageCreated onConversationCreated onConversationClosed onConversationAssigned } }`
    const made = await run('installAgent', { ...profile, ...maker, webhookUrl: url, events }, fields)
    expect(made).toMatchObject({ __typename: 'InstallAgentPayload', agent: { ...profile, ...maker, isEnabled: true } })
    const { agent, webhookSecret, apiKey } = made
    const flags = { onMessageCreated: false, onConversationCreated: true, onConversationClosed: true }
    expect(agent.webhookEndpoints).toEqual([
      { id: expect.stringMatching(/^whk_/), url, ...flags, onConversationAssigned: false },
    ])
    expect([webhookSecret, apiKey]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^gd_.{43}$/),
    ])
    const { data } = await guddesk.graphql('{ viewer { actor { id permission } } }', {}, { key: apiKey })
    expect(data.viewer.actor).toEqual({ id: agent.id, permission: 'READ_WRITE' })
    const shown = await everythingShown([agent.id, agent.webhookEndpoints[0].id])
    expect(shown).toContain(agent.id)
    expect(shown).not.toContain(webhookSecret)
    expect(shown).not.toContain(apiKey)
  })

  test('createWebhookEndpoint, which for the same URL gives the same endpoint, enabled', async () => {
    const fields =
      'created secret endpoint { id url description isEnabled onMessageCreated onConversationClosed agentId }'
    const url = 'http://127.0.0.1:9/endpoint'
    const made = await run('createWebhookEndpoint', { url: `${url}#x`, description: 'CI' }, fields)
    const endpoint = { id: expect.stringMatching(/^whk_/), url, description: 'CI', isEnabled: true, agentId: null }
    expect(made).toMatchObject({ __typename: 'CreateWebhookEndpointPayload', created: true, endpoint })
    expect(made.secret).toMatch(/^[0-9a-f]{64}$/)
    expect(made.endpoint).toMatchObject({ onMessageCreated: true, onConversationClosed: false })
    const { id } = made.endpoint
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id }, data: { isEnabled: false } })
    const again = await run('createWebhookEndpoint', { url, events: { onConversationClosed: true } }, fields)
    expect(again).toEqual({ ...made, created: false, endpoint: { ...made.endpoint, onConversationClosed: true } })
    const shown = await everythingShown([id])
    expect(shown).toContain(id)
    expect(shown).not.toContain(made.secret)
  })

  test('createApiKey', async () => {
    const expiresAt = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    const fields = 'key apiKey { id name prefix permission expiresAt revokedAt lastUsedAt agentId }'
    const made = await run('createApiKey', { name: ' CI ', permission: 'READ_ONLY', expiresAt }, fields)
    const nothing = { revokedAt: null, lastUsedAt: null, agentId: null }
    const apiKey = { name: 'CI', prefix: made.key.slice(0, 8), permission: 'READ_ONLY', expiresAt, ...nothing }
    expect(made).toMatchObject({ __typename: 'CreateApiKeyPayload', apiKey })
    expect(made.key).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
    const { data } = await guddesk.graphql('{ viewer { actor { id name } } }', {}, { key: made.key })
    expect(data.viewer.actor).toEqual({ id: made.apiKey.id, name: 'CI' })
    const shown = await everythingShown([made.apiKey.id])
    expect(shown).toContain(made.apiKey.id)
    expect(shown).not.toContain(made.key)
    expect((await run('createApiKey', { name: 'x', permission: 'FULL_ACCESS' }, fields)).apiKey.expiresAt).toBeNull()
  })
})

describe("an endpoint's settings", () => {
  const fields = 'endpoint { id maxInFlight ordering consecutiveFailures failingSince }'
  const url = 'http://127.0.0.1:9/settings'

  test('have defaults, are set when it is made, and changed one by one', async () => {
    const defaults = await run('createWebhookEndpoint', { url: `${url}/default` }, fields)
    const health = { consecutiveFailures: 0, failingSince: null }
    expect(defaults.endpoint).toMatchObject({ maxInFlight: 10, ordering: 'RELAXED', ...health })
    const made = await run('createWebhookEndpoint', { url, maxInFlight: 1, ordering: 'STRICT' }, fields)
    expect(made.endpoint).toMatchObject({ maxInFlight: 1, ordering: 'STRICT' })
    const endpointId = made.endpoint.id
    const change = async (input: object) =>
      (await run('updateWebhookEndpoint', { endpointId, ...input }, fields)).endpoint
    expect(await change({ maxInFlight: 100 })).toMatchObject({ maxInFlight: 100, ordering: 'STRICT' })
    expect(await change({ ordering: 'RELAXED' })).toMatchObject({ maxInFlight: 100, ordering: 'RELAXED' })
    const again = async (input: object) => (await run('createWebhookEndpoint', { url, ...input }, fields)).endpoint
    expect(await again({})).toMatchObject({ id: endpointId, maxInFlight: 100, ordering: 'RELAXED' })
    const both = { maxInFlight: 2, ordering: 'STRICT' }
    expect(await again(both)).toMatchObject({ id: endpointId, ...both })
  })

  test.each([0, 101, -1])('refuse %s requests in flight', async (maxInFlight) => {
    const refused = { code: 'bad_request', fields: [{ path: 'maxInFlight', message: expect.any(String) }] }
    expect(await run('createWebhookEndpoint', { url: `${url}/x`, maxInFlight }, fields)).toMatchObject(refused)
    const { endpoint } = await run('createWebhookEndpoint', { url: `${url}/y` }, fields)
    const input = { endpointId: endpoint.id, maxInFlight }
    expect(await run('updateWebhookEndpoint', input, fields)).toMatchObject(refused)
  })
})
