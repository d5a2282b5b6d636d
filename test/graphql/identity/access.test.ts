import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchCredentials } from '../../../src/auth/credential-watch.ts'
import { createGraphQL } from '../../../src/graphql/server.ts'
import { newApiKey } from '../../../src/infra/secrets.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { anAuthenticator, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

const ID = 'conv_01jy0000000000000000000000'
const OPERATIONS: Record<string, string> = {
  viewer: '{ viewer { actor { id } } }',
  workspace: '{ workspace { id } }',
  conversations: '{ conversations { totalCount } }',
  conversation: `{ conversation(id: "${ID}") { id } }`,
  'conversation with a malformed id': '{ conversation(id: "x") { id } }',
  node: `{ node(id: "${ID}") { id } }`,
  'node with a malformed id': '{ node(id: "x") { id } }',
  nodes: `{ nodes(ids: ["${ID}"]) { id } }`,
  'nodes with malformed ids': '{ nodes(ids: ["x"]) { id } }',
  'nodes without ids': '{ nodes(ids: []) { id } }',
  startConversation: 'mutation { startConversation(input: { visitorId: "x" }) { __typename } }',
  updateConversation: 'mutation { updateConversation(input: { conversationId: "x", priority: 1 }) { __typename } }',
  sendMessage: 'mutation { sendMessage(input: { conversationId: "x", body: "x", type: BOT }) { __typename } }',
  upsertVisitor: 'mutation { upsertVisitor(input: { name: "x" }) { __typename } }',
  installAgent: 'mutation { installAgent(input: { name: "x", webhookUrl: "http://127.0.0.1:9/" }) { __typename } }',
  registerWebhookEndpoint: 'mutation { registerWebhookEndpoint(input: { url: "http://127.0.0.1:9/" }) { __typename } }',
  createApiKey: 'mutation { createApiKey(input: { name: "x", permission: READ_ONLY }) { __typename } }',
}

// That every root field refuses strangers, matrix.test.ts checks against the schema; here are the ways of being one.
describe.each(Object.entries(OPERATIONS))('%s', (_name, query) => {
  test.each([
    ['no key', null],
    ['an unknown key', newApiKey()],
    ['a malformed key', 'gd_x'],
  ])('with %s is unauthorized', async (_name, key) => {
    const { status, headers, body } = await guddesk.graphql(query, {}, { key })
    expect(body.errors).toHaveLength(1)
    expect(body.errors[0].extensions).toEqual({ code: 'unauthorized' })
    expect(Object.values(body.data ?? {}).filter((value) => value !== null)).toEqual([])
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer')
  })
})

test('nothing was made without a key', async () => {
  const { visitor, agent, apiKey, webhookEndpoint } = guddesk.deps.db.prisma
  expect([await visitor.count(), await agent.count(), await webhookEndpoint.count()]).toEqual([0, 0, 0])
  expect(await apiKey.count()).toBe(1)
})

test('x-api-key is as good as a bearer token; nothing else is', async () => {
  const { key } = guddesk.tenant
  const statusWith = async (headers: Record<string, string>) =>
    (await guddesk.graphql(String(OPERATIONS['viewer']), {}, { key: null, headers })).status
  expect(await statusWith({ 'x-api-key': key })).toBe(200)
  expect(await statusWith({ authorization: `bearer ${key}` })).toBe(200)
  expect(await statusWith({ authorization: `Basic ${key}` })).toBe(401)
  expect(await statusWith({ authorization: key })).toBe(401)
  expect(await statusWith({ cookie: `authorization=${key}` })).toBe(401)
})

test('a disabled agent’s key is forbidden, and unauthorized once the agent is gone', async () => {
  const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/access' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', bot)
  const codeNow = async () => {
    const { body } = await guddesk.graphql('{ viewer { actor { id } } }', {}, { key: data.credentials.apiKey })
    return body.errors?.[0].extensions.code
  }
  expect(await codeNow()).toBeUndefined()
  await guddesk.call('PATCH', `/api/v1/agents/${data.id}`, { isEnabled: false })
  expect(await codeNow()).toBe('forbidden')
  await guddesk.call('DELETE', `/api/v1/agents/${data.id}`)
  expect(await codeNow()).toBe('unauthorized')
})

describe('an all-workspaces key', () => {
  const WHERE = '{ viewer { workspace { id } } }'

  test('names its workspace in X-Workspace-Id', async () => {
    const tenant = await guddesk.newTenant()
    const key = await guddesk.newKey(tenant, 'READ_WRITE', 'all')
    const ask = (headers: Record<string, string>) => guddesk.graphql(WHERE, {}, { key, headers })
    expect((await ask({ 'x-workspace-id': tenant.workspaceId })).data.viewer.workspace.id).toBe(tenant.workspaceId)
    const unnamed = await ask({})
    expect(unnamed.body.errors[0]).toMatchObject({ extensions: { code: 'bad_request' }, path: ['viewer'] })
    // Whoever reads it must learn what to send here: the header.
    expect(unnamed.body.errors[0].message).toMatch(/x-workspace-id/i)
    for (const id of [guddesk.tenant.workspaceId, 'ws_01jy0000000000000000000000', 'x']) {
      const { body } = await ask({ 'x-workspace-id': id })
      expect(body.errors[0].extensions).toEqual({ code: 'forbidden' })
    }
  })

  test('a key for one workspace ignores the header', async () => {
    const tenant = await guddesk.newTenant()
    for (const id of [guddesk.tenant.workspaceId, 'x']) {
      const { data } = await guddesk.graphql(WHERE, {}, { key: tenant.key, headers: { 'x-workspace-id': id } })
      expect(data.viewer.workspace.id).toBe(tenant.workspaceId)
    }
  })
})

describe('GraphiQL and introspection', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }'
  const page = { headers: { accept: 'text/html' } }

  test('are there in development, without a key', async () => {
    const response = await fetch(`${guddesk.origin}/graphql`, page)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(await response.text()).toContain('GudDesk GraphiQL')
    const { data } = await guddesk.graphql(INTROSPECTION, {}, { key: null })
    expect(data.__schema.queryType.name).toBe('Query')
  })

  test('are not there in production', async () => {
    const { deps } = guddesk
    const yoga = createGraphQL({
      deps,
      streams: openStreams(deps),
      credentials: watchCredentials(deps),
      authenticator: anAuthenticator(deps),
      isDevelopment: false,
    })
    const server = { req: { headers: {}, socket: {} } as IncomingMessage, requestId: 'req_test' }
    const html = await yoga.fetch('http://guddesk.test/graphql', page, server)
    expect(html.status).not.toBe(200)
    expect(await html.text()).not.toContain('GraphiQL')
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ query: INTROSPECTION })
    const answer = await yoga.fetch('http://guddesk.test/graphql', { method: 'POST', headers, body }, server)
    const { data, errors } = (await answer.json()) as { data?: unknown; errors?: unknown[] }
    expect(data ?? null).toBeNull()
    expect(errors).toEqual(expect.arrayContaining([expect.objectContaining({ message: expect.any(String) })]))
  })
})
