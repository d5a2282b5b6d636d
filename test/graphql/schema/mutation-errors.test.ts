import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let other: Tenant
let visitorId: string
let conversationId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  other = await guddesk.newTenant()
  visitorId = await guddesk.newVisitor()
  conversationId = await guddesk.newConversation()
})

afterAll(async () => {
  await guddesk?.stop()
})

const URL = 'http://127.0.0.1:9/errors'
const BOT = { name: 'Bot', webhookUrl: URL }
const LATER = '2099-01-15T10:30:00.000Z'
const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) })

/** Runs a mutation that must fail, and returns its error. */
async function fail(name: string, input: object, key = guddesk.tenant.key) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    error { code message fields { path code message } retryAfterSeconds } } }`
  const { body, status } = await guddesk.graphql(query, { input }, { key })
  expect(body.errors).toBeUndefined()
  expect(status).toBe(200)
  const { error } = body.data[name]
  expect(error.message).toEqual(expect.stringMatching(/\S/))
  return error
}

/** An input of each mutation that would succeed with FULL_ACCESS. */
const VALID: Record<string, () => object> = {
  upsertVisitor: () => ({ name: 'Vera' }),
  startConversation: () => ({ visitorId }),
  updateConversation: () => ({ conversationId, priority: 1 }),
  sendMessage: () => ({ conversationId, body: 'Hi', type: 'BOT' }),
  installAgent: () => ({ name: 'Bot', webhookUrl: `${URL}/valid` }),
  registerWebhookEndpoint: () => ({ url: `${URL}/own` }),
  createApiKey: () => ({ name: 'CI', permission: 'READ_ONLY' }),
}

describe('FORBIDDEN', () => {
  const everything = () => guddesk.deps.db.sql('SELECT count(*) AS messages FROM messages')

  test.each(Object.keys(VALID))('%s with a READ_ONLY key', async (name) => {
    const before = await everything()
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    const error = await fail(name, VALID[name]?.() ?? {}, key)
    expect(error).toMatchObject({ code: 'FORBIDDEN' })
    expect(error.message).toMatch(/READ_ONLY/)
    expect(await everything()).toEqual(before)
  })

  test.each(['registerWebhookEndpoint', 'createApiKey'])('%s with a READ_WRITE key', async (name) => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_WRITE')
    expect(await fail(name, VALID[name]?.() ?? {}, key)).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('a FULL_ACCESS key does no more than its user’s role', async () => {
    const tenant = await guddesk.newTenant('VIEWER')
    expect(await fail('upsertVisitor', { name: 'Vera' }, tenant.key)).toMatchObject({ code: 'FORBIDDEN' })
    const agent = await guddesk.newTenant('AGENT')
    const input = { name: 'CI', permission: 'READ_ONLY' }
    expect(await fail('createApiKey', input, agent.key)).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('an agent’s key installs no agents and makes no keys', async () => {
    const { data } = await guddesk.call('POST', '/api/v1/agents', { ...BOT, webhookUrl: `${URL}/agent` })
    const key = data.credentials.apiKey
    for (const name of ['installAgent', 'createApiKey']) {
      expect(await fail(name, VALID[name]?.() ?? {}, key)).toMatchObject({ code: 'FORBIDDEN' })
    }
  })
})

describe('NOT_FOUND', () => {
  const unknown = ['conv_01jy0000000000000000000000', '', 'x', 'conv_', '\u0000', '\ud800', 'x'.repeat(100_000)]

  test.each(['updateConversation', 'sendMessage'])('%s for every id that is nothing here', async (name) => {
    const theirs = await guddesk.newConversation(other)
    for (const id of [...unknown, theirs, visitorId]) {
      const error = await fail(name, { ...VALID[name]?.(), conversationId: id })
      expect(error).toEqual({
        code: 'NOT_FOUND',
        message: 'Conversation not found',
        fields: [],
        retryAfterSeconds: null,
      })
    }
    const { data } = await guddesk.call('GET', `/api/v1/conversations/${theirs}`, undefined, { key: other.key })
    expect(data).toMatchObject({ priority: 0, messageCount: 0 })
  })
})

describe('CONFLICT', () => {
  test('installAgent for a URL that the workspace has; nothing is left of it', async () => {
    await guddesk.call('POST', '/api/v1/agents', BOT)
    const agents = await guddesk.deps.db.prisma.agent.count()
    const keys = await guddesk.deps.db.prisma.apiKey.count()
    expect(await fail('installAgent', BOT)).toMatchObject({ code: 'CONFLICT' })
    expect(await guddesk.deps.db.prisma.agent.count()).toBe(agents)
    expect(await guddesk.deps.db.prisma.apiKey.count()).toBe(keys)
  })

  test('registerWebhookEndpoint with an agent’s key for somebody else’s URL, whose secret stays hidden', async () => {
    const url = `${URL}/taken`
    await guddesk.call('POST', '/api/agent/webhooks', { url })
    const { data } = await guddesk.call('POST', '/api/v1/agents', { ...BOT, webhookUrl: `${URL}/conflict` })
    const error = await fail('registerWebhookEndpoint', { url }, data.credentials.apiKey)
    expect(error).toMatchObject({ code: 'CONFLICT' })
  })
})

test('LOOP_DETECTED at the 21st message of a bot within a minute', async () => {
  const id = await guddesk.newConversation(guddesk.tenant, 'hello')
  const say = { conversationId: id, body: 'Hi', type: 'BOT' }
  const query = graphql(`mutation ($input: SendMessageInput!) { sendMessage(input: $input) { error { code } } }`)
  for (let i = 0; i < 20; i++) {
    expect((await guddesk.graphql(query, { input: say })).data.sendMessage).toEqual({ error: null })
  }
  expect(await fail('sendMessage', say)).toMatchObject({ code: 'LOOP_DETECTED' })
  const asked = graphql(`mutation ($input: SendMessageInput!) {
    sendMessage(input: $input) { error { retryAfterSeconds } }
  }`)
  const { retryAfterSeconds } = (await guddesk.graphql(asked, { input: say })).data.sendMessage.error
  expect(retryAfterSeconds).toBeGreaterThan(40)
  expect(retryAfterSeconds).toBeLessThanOrEqual(60)
  guddesk.clock.advance(60_001)
  expect((await guddesk.graphql(query, { input: say })).data.sendMessage).toEqual({ error: null })
})

describe('BAD_REQUEST', () => {
  const CASES: [string, () => object, string[]][] = [
    ['upsertVisitor', () => ({}), ['']],
    ['upsertVisitor', () => ({ metadata: { a: 1 } }), ['']],
    [
      'upsertVisitor',
      () => ({ email: 'nobody', avatarUrl: 'javascript:alert(1)', name: 'x'.repeat(201) }),
      ['avatarUrl', 'email', 'name'],
    ],
    ['upsertVisitor', () => ({ externalId: ' ', name: '\u0000' }), ['externalId', 'name']],
    ['upsertVisitor', () => ({ name: 'Vera', metadata: [] }), ['metadata']],
    ['upsertVisitor', () => ({ name: 'Vera', metadata: { a: 'x'.repeat(16_384) } }), ['metadata']],
    ['upsertVisitor', () => ({ name: 'Vera', metadata: deep(40) }), ['metadata']],
    ['upsertVisitor', () => ({ name: 'Vera', metadata: { '\u0000': 1 } }), ['metadata']],
    ['startConversation', () => ({ visitorId: 'vis_01jy0000000000000000000000' }), ['visitorId']],
    ['startConversation', () => ({ visitorId: '\u0000' }), ['visitorId']],
    ['startConversation', () => ({ visitorId, subject: 'x'.repeat(256), message: ' ' }), ['message', 'subject']],
    ['startConversation', () => ({ visitorId, message: 'x'.repeat(10_001), metadata: 'x' }), ['message', 'metadata']],
    ['updateConversation', () => ({ conversationId }), ['']],
    ['updateConversation', () => ({ conversationId, priority: 4 }), ['priority']],
    [
      'updateConversation',
      () => ({ conversationId, priority: -1, tags: ['ok', ' ', 'x'.repeat(51)] }),
      ['priority', 'tags.1', 'tags.2'],
    ],
    ['updateConversation', () => ({ conversationId, tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }), ['tags']],
    ['updateConversation', () => ({ conversationId, assigneeId: 'mem_01jy0000000000000000000000' }), ['assigneeId']],
    ['updateConversation', () => ({ conversationId, assigneeId: other.memberId }), ['assigneeId']],
    ['updateConversation', () => ({ conversationId, snoozedUntil: '2020-01-01T00:00:00Z' }), ['snoozedUntil']],
    ['updateConversation', () => ({ conversationId, status: 'OPEN', snoozedUntil: LATER }), ['snoozedUntil']],
    ['sendMessage', () => ({ conversationId, body: ' \n', type: 'BOT' }), ['body']],
    ['sendMessage', () => ({ conversationId, body: 'x'.repeat(20_001), type: 'AGENT' }), ['body']],
    ['sendMessage', () => ({ conversationId, body: 'x'.repeat(10_001), type: 'VISITOR' }), ['body']],
    [
      'sendMessage',
      () => ({ conversationId, body: 'a\u0000b', type: 'NOTE', senderName: 'x'.repeat(101) }),
      ['body', 'senderName'],
    ],
    ['sendMessage', () => ({ conversationId, body: 'a\ud800', type: 'VISITOR' }), ['body']],
    ['installAgent', () => ({ name: ' ', webhookUrl: '' }), ['name', 'webhookUrl']],
    ['installAgent', () => ({ ...BOT, webhookUrl: 'ftp://example.com/' }), ['webhookUrl']],
    ['installAgent', () => ({ ...BOT, webhookUrl: 'http://10.0.0.1/' }), ['webhookUrl']],
    ['installAgent', () => ({ ...BOT, webhookUrl: 'https://example.com:0/' }), ['webhookUrl']],
    ['registerWebhookEndpoint', () => ({ url: 'https://example.com:0/' }), ['url']],
    ['installAgent', () => ({ ...BOT, webhookUrl: 'https://user:pw@example.com/' }), ['webhookUrl']],
    [
      'installAgent',
      () => ({ ...BOT, config: [1], iconUrl: 'x', creatorUrl: 'data:,x' }),
      ['config', 'creatorUrl', 'iconUrl'],
    ],
    ['registerWebhookEndpoint', () => ({ url: 'example.com' }), ['url']],
    ['registerWebhookEndpoint', () => ({ url: `https://example.com/${'x'.repeat(2048)}` }), ['url']],
    ['registerWebhookEndpoint', () => ({ url: 'http://169.254.169.254/' }), ['url']],
    ['registerWebhookEndpoint', () => ({ url: URL, description: 'x'.repeat(501) }), ['description']],
    ['createApiKey', () => ({ name: ' ', permission: 'READ_ONLY' }), ['name']],
    ['createApiKey', () => ({ name: 'x'.repeat(101), permission: 'READ_ONLY' }), ['name']],
    ['createApiKey', () => ({ name: 'CI', permission: 'READ_ONLY', expiresAt: '2020-01-01T00:00:00Z' }), ['expiresAt']],
  ]

  test.each(CASES)('%s, case %$', async (name, input, paths) => {
    const error = await fail(name, input())
    expect(error).toMatchObject({ code: 'BAD_REQUEST' })
    expect(error.fields.map(({ path }: { path: string[] }) => path.join('.')).sort()).toEqual(paths)
  })

  test('every mutation has a case', () => {
    expect([...new Set(CASES.map(([name]) => name))].sort()).toEqual(Object.keys(VALID).sort())
  })

  test('a conversation that was refused a change has none', async () => {
    const read = async () => (await guddesk.call('GET', `/api/v1/conversations/${conversationId}`)).data
    const before = await read()
    await fail('updateConversation', { conversationId, subject: 'changed', status: 'CLOSED', priority: 9 })
    await fail('updateConversation', {
      conversationId,
      subject: 'changed',
      status: 'CLOSED',
      assigneeId: other.memberId,
    })
    expect(await read()).toEqual(before)
  })
})

test.each([
  ['SendMessageInput', 'sendMessage', () => ({ conversationId, body: 'x', type: 'SYSTEM' })],
  ['InstallAgentInput', 'installAgent', () => ({ ...BOT, type: 'BUILT_IN' })],
])('%s has no values that are the server’s own', async (type, name, input) => {
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { error { code } } }`
  const { body } = await guddesk.graphql(query, { input: input() })
  expect([body.data, body.errors[0].extensions.code]).toEqual([undefined, 'bad_request'])
})
