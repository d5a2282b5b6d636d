import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installEchoAgent } from '../../../src/domain/agents/echo-agent.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk.stop())

const INSTALL = graphql(`mutation { installEchoAgent(input: {}) {
  agent { id name type isEnabled webhookEndpoints { edges { node { id url } } } }
  error { code message }
} }`)

async function install(key = guddesk.tenant.key) {
  return (await guddesk.graphql(INSTALL, {}, { key })).data.installEchoAgent
}

const messages = async (id: string, key = guddesk.tenant.key) =>
  (await guddesk.call('GET', `/api/v1/conversations/${id}/messages`, undefined, { key })).data as {
    type: string
    body: string
    senderName: string
  }[]

test('it answers a visitor through its webhook and the REST API, each message once', async () => {
  const { agent } = await install()
  expect(agent).toMatchObject({ name: 'Echo', type: 'BUILT_IN', isEnabled: true })
  const id = await guddesk.newConversation(guddesk.tenant, 'Is there anybody?')
  await until(async () => (await messages(id)).length === 2)
  expect((await messages(id))[1]).toMatchObject({
    type: 'BOT',
    body: 'You wrote: Is there anybody?',
    senderName: 'Echo',
  })
  const { data } = await guddesk.graphql(
    `{ deliveries(filter: { conversationId: "${id}" }) { edges { node { status eventType attempts { statusCode } } } } }`,
  )
  const delivered = data.deliveries.edges.map(({ node }: { node: object }) => node)
  expect(delivered).toContainEqual({
    status: 'DELIVERED',
    eventType: 'MESSAGE_CREATED',
    attempts: [{ statusCode: 200 }],
  })
})

test('installing it again, also at the same time, gives the same one, enabled', async () => {
  const { agent } = await install()
  await guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, { isEnabled: false })
  const again = await install()
  expect(again.agent).toMatchObject({ id: agent.id, isEnabled: true })
  const other = await guddesk.newTenant()
  const racing = await Promise.all([install(other.key), install(other.key), install(other.key)])
  const ids = new Set(racing.flatMap((each) => each.agent?.id ?? []))
  expect(ids.size).toBe(1)
  for (const each of racing) if (each.agent === null) expect(each.error.code).toBe('CONFLICT')
  const listed = await guddesk.call('GET', '/api/v1/agents', undefined, { key: other.key })
  expect(listed.data).toHaveLength(1)
  expect(listed.data[0].id).not.toBe(agent.id)
})

test.each([false, true])(
  'installing it again brings its endpoint back that was removed (forget: %s)',
  async (forget) => {
    const tenant = await guddesk.newTenant()
    const { agent } = await install(tenant.key)
    const [{ node }] = agent.webhookEndpoints.edges
    const { id, url } = node
    expect((await guddesk.call('DELETE', '/api/agent/webhooks', { url, forget }, { key: tenant.key })).status).toBe(200)
    const again = await install(tenant.key)
    const endpoint = { id: forget ? expect.not.stringMatching(id) : id, url }
    expect(again.agent.webhookEndpoints).toEqual({ edges: [{ node: endpoint }] })
    const conversationId = await guddesk.newConversation(tenant, 'Still there?')
    await until(async () => (await messages(conversationId, tenant.key)).length === 2)
  },
)

test('it believes only what is signed with its secret', async () => {
  const { agent } = await install()
  const id = await guddesk.newConversation()
  const body = JSON.stringify({
    event: 'message.created',
    data: { conversationId: id, type: 'VISITOR', body: 'forged' },
    timestamp: new Date().toISOString(),
  })
  const send = (headers: Record<string, string>) =>
    guddesk.call('POST', '/dev/echo-agent', undefined, { key: null, raw: body, headers })
  const forged = `sha256=${createHmac('sha256', 'guess').update(body).digest('hex')}`
  expect((await send({ 'x-guddesk-agent-id': agent.id, 'x-guddesk-signature': forged })).status).toBe(401)
  expect((await send({ 'x-guddesk-agent-id': agent.id })).status).toBe(401)
  expect((await send({ 'x-guddesk-signature': forged })).status).toBe(404)
  expect(await messages(id)).toEqual([])
})

test('its key shows nowhere, and its sealed form opens for no other agent', async () => {
  const { agent } = await install()
  const seen = JSON.stringify(await guddesk.call('GET', `/api/v1/agents/${agent.id}`))
  expect(seen).not.toContain('gd_')
  const { data: stored } = await guddesk.call('GET', `/api/v1/agents/${agent.id}`)
  const installed = await guddesk.call('POST', '/api/v1/agents', {
    name: 'Thief',
    type: 'BUILT_IN',
    webhookUrl: 'http://localhost:1/thief',
    config: stored.config,
  })
  const stolen = await guddesk.call('POST', '/dev/echo-agent', undefined, {
    key: null,
    raw: '{}',
    headers: { 'x-guddesk-agent-id': installed.data.id, 'x-guddesk-signature': 'sha256=00' },
  })
  expect(stolen.status).toBe(404)
})

test('who may not write may not install it; nor may an agent', async () => {
  const reader = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  expect(await install(reader)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  const { data } = await guddesk.call('POST', '/api/v1/agents', { name: 'Bot', webhookUrl: 'http://localhost:1/bot' })
  expect(await install(data.credentials.apiKey)).toMatchObject({ error: { code: 'FORBIDDEN' } })
})

test('in production there is none', async () => {
  const { echoAgentUrl: _development, ...production } = guddesk.deps
  const { tenant } = guddesk
  const owner: Actor = {
    type: 'member',
    id: tenant.memberId,
    name: 'Owner',
    workspaceId: tenant.workspaceId,
    permission: 'FULL_ACCESS',
    user: { id: tenant.userId, name: 'Owner' },
    role: 'OWNER',
    origin: null,
  }
  await expect(installEchoAgent(production, owner, {})).rejects.toThrow('only in development')
})
