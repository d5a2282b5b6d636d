import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { startReceiver } from '../../support/receiver.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

/** Runs a mutation and returns its result, payload or error. */
async function run(name: string, input: object, selection: string) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  const query = `mutation($input: ${type}Input!) { ${name}(input: $input) {
    ${selection} error { code message fields { path } } } }`
  const { data, body } = await guddesk.graphql(query, { input })
  expect(body.errors).toBeUndefined()
  return data[name]
}

test('a visitor is changed, cleared and found', async () => {
  const visitorId = await guddesk.newVisitor(guddesk.tenant, 'Vera Velvet')
  const changed = await run(
    'updateVisitor',
    { visitorId, email: 'Vera@Example.com', externalId: 'velvet-1', metadata: { plan: 'gold' } },
    'visitor { id name email externalId metadata }',
  )
  expect(changed.visitor).toEqual({
    id: visitorId,
    name: 'Vera Velvet',
    email: 'vera@example.com',
    externalId: 'velvet-1',
    metadata: { plan: 'gold' },
  })
  const found = async (filter: object) => {
    const query = `query($filter: VisitorFilter) { visitors(filter: $filter) { totalCount edges { node { id } } } }`
    const { data } = await guddesk.graphql(query, { filter })
    return data.visitors.edges.map(({ node }: { node: { id: string } }) => node.id)
  }
  const named = async (filter: object) => (await found({ name: filter })).includes(visitorId)
  expect(await named({ contains: 'a VEL' })).toBe(true)
  expect(await named({ startsWith: 'vera v' })).toBe(true)
  expect(await named({ is: 'vera velvet' })).toBe(true)
  expect(await named({ is: 'vera%' })).toBe(false)
  expect(await named({ startsWith: 'velvet' })).toBe(false)
  expect(await named({ startsWith: 'vera', contains: 'x' })).toBe(false)
  expect((await run('updateVisitor', { visitorId, name: null }, 'visitor { name }')).visitor.name).toBeNull()
  expect(await found({ text: 'VELVET' })).toEqual([visitorId])
  expect(await found({ email: { is: 'VERA@example.com' } })).toEqual([visitorId])
  expect(await found({ email: { startsWith: 'Vera@', contains: 'EXAMPLE' } })).toEqual([visitorId])
  expect(await found({ email: { startsWith: 'example' } })).toEqual([])
  expect(await found({ email: { contains: '_' } })).toEqual([])
  expect(await found({ externalId: 'velvet-1' })).toEqual([visitorId])
  expect(await found({ text: '%' })).toEqual([])
  expect(await run('updateVisitor', { visitorId, email: 'nobody' }, 'visitor { id }')).toMatchObject({
    error: { code: 'BAD_REQUEST', fields: [{ path: ['email'] }] },
  })
})

test('an agent is installed, changed, disabled, listed and uninstalled', async () => {
  const installed = await run('installAgent', { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/a' }, 'agent { id }')
  const agentId = installed.agent.id
  const patch = {
    agentId,
    name: 'Better',
    isEnabled: false,
    events: ['MESSAGE_CREATED', 'CONVERSATION_CLOSED'],
    description: null,
  }
  const changed = await run(
    'updateAgent',
    patch,
    'agent { name isEnabled webhookEndpoints { edges { node { events } } } }',
  )
  expect(changed.agent).toEqual({
    name: 'Better',
    isEnabled: false,
    webhookEndpoints: { edges: [{ node: { events: ['MESSAGE_CREATED', 'CONVERSATION_CLOSED'] } }] },
  })
  const listed = async (isEnabled: boolean) => {
    const query = `query($filter: AgentFilter) { agents(filter: $filter) { edges { node { id } } } }`
    const { data } = await guddesk.graphql(query, { filter: { isEnabled } })
    return data.agents.edges.map(({ node }: { node: { id: string } }) => node.id)
  }
  expect(await listed(false)).toEqual([agentId])
  expect(await listed(true)).toEqual([])
  expect(await run('uninstallAgent', { agentId }, 'deletedId')).toEqual({ deletedId: agentId, error: null })
  expect(await run('uninstallAgent', { agentId }, 'deletedId')).toMatchObject({ error: { code: 'NOT_FOUND' } })
})

test('a webhook endpoint is changed, its URL kept unique, and deleted', async () => {
  const receiver = await startReceiver()
  const { endpoint } = await run('registerWebhookEndpoint', { url: receiver.url }, 'endpoint { id }')
  const endpointId = endpoint.id
  await run('registerWebhookEndpoint', { url: 'http://127.0.0.1:9/taken' }, 'endpoint { id }')
  const changed = await run(
    'updateWebhookEndpoint',
    { endpointId, description: 'CRM', isEnabled: false, events: ['CONVERSATION_ASSIGNED'] },
    'endpoint { description isEnabled events }',
  )
  expect(changed.endpoint).toEqual({ description: 'CRM', isEnabled: false, events: ['CONVERSATION_ASSIGNED'] })
  const taken = { endpointId, url: 'http://127.0.0.1:9/taken' }
  expect(await run('updateWebhookEndpoint', taken, 'endpoint { id }')).toMatchObject({ error: { code: 'CONFLICT' } })
  expect(await run('updateWebhookEndpoint', { endpointId }, 'endpoint { id }')).toMatchObject({
    error: { code: 'BAD_REQUEST' },
  })
  // Disabled: what happens is recorded, and not sent.
  await guddesk.newConversation(guddesk.tenant)
  expect(receiver.received).toEqual([])
  expect(await run('deleteWebhookEndpoint', { endpointId }, 'deletedId')).toEqual({
    deletedId: endpointId,
    error: null,
  })
  expect(await run('deleteWebhookEndpoint', { endpointId }, 'deletedId')).toMatchObject({
    error: { code: 'NOT_FOUND' },
  })
  await receiver.close()
})

test('members are given another role and removed; the last owner stays', async () => {
  const { memberId } = await guddesk.newMember(guddesk.tenant, 'Mia', 'AGENT')
  const raised = await run('changeMemberRole', { memberId, role: 'ADMIN' }, 'member { role }')
  expect(raised.member.role).toBe('ADMIN')
  const self = { memberId: guddesk.tenant.memberId, role: 'VIEWER' }
  expect(await run('changeMemberRole', self, 'member { id }')).toMatchObject({ error: { code: 'CONFLICT' } })
  expect(await run('removeMember', { memberId }, 'deletedId')).toEqual({ deletedId: memberId, error: null })
  expect(await run('removeMember', { memberId }, 'deletedId')).toMatchObject({ error: { code: 'NOT_FOUND' } })
})

test('an API key is revoked and listed as such', async () => {
  const { apiKey, key } = await run('createApiKey', { name: 'CI', permission: 'READ_ONLY' }, 'apiKey { id } key')
  const revoked = await run('revokeApiKey', { apiKeyId: apiKey.id }, 'apiKey { id revokedAt }')
  expect(revoked.apiKey.revokedAt).toMatch(/Z$/)
  expect((await guddesk.call('GET', '/api/v1/conversations', undefined, { key })).status).toBe(401)
  const { data } = await guddesk.graphql('{ apiKeys(first: 1) { edges { node { id prefix revokedAt } } } }')
  expect(data.apiKeys.edges[0].node).toMatchObject({ id: apiKey.id, prefix: key.slice(0, 8) })
})

test('messages are walked from either end', async () => {
  const id = await guddesk.newConversation(guddesk.tenant, 'one')
  for (const body of ['two', 'three', 'four', 'five']) {
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' })
  }
  const walk = async (args: string) => {
    const query = `{ conversation(id: "${id}") { messages(${args}) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { body } } } } }`
    const { data, body } = await guddesk.graphql(query)
    expect(body.errors).toBeUndefined()
    const { edges, pageInfo, totalCount } = data.conversation.messages
    return { ...pageInfo, totalCount, bodies: edges.map(({ node }: { node: { body: string } }) => node.body) }
  }
  const start = await walk('first: 2')
  expect(start).toMatchObject({ bodies: ['one', 'two'], hasNextPage: true, hasPreviousPage: false, totalCount: 5 })
  expect((await walk(`first: 9, after: "${start.endCursor}"`)).bodies).toEqual(['three', 'four', 'five'])
  const end = await walk('last: 2')
  expect(end).toMatchObject({ bodies: ['four', 'five'], hasNextPage: false, hasPreviousPage: true })
  expect(await walk(`last: 2, before: "${end.startCursor}"`)).toMatchObject({
    bodies: ['two', 'three'],
    hasNextPage: true,
  })
  const both = await guddesk.graphql(`{ conversation(id: "${id}") { messages(first: 1, last: 1) { totalCount } } }`)
  expect(both.body.errors[0].extensions.code).toBe('bad_request')
})

test('typing is signalled', async () => {
  const conversationId = await guddesk.newConversation(guddesk.tenant)
  expect(await run('setTyping', { conversationId, isTyping: true }, 'conversationId')).toEqual({
    conversationId,
    error: null,
  })
})
