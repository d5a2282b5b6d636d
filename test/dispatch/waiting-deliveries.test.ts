import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { deliverySteps, heardByDispatcher } from './delivery-steps.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
})
afterEach(() => receiver.close())

const { register, attempted } = deliverySteps(() => ({ guddesk, receiver, tenant }))

describe('fairness', () => {
  test('a backlog that hangs at several endpoints delays nobody else', async () => {
    receiver.behave(() => undefined)
    const hanging = 20
    for (let i = 0; i < hanging; i++) {
      const body = { url: `${receiver.url}/${i}` }
      await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
    }
    for (let i = 0; i < 15; i++) await guddesk.newConversation(tenant)
    const other = await guddesk.newTenant()
    const good = await startReceiver()
    await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: other.key })
    for (let i = 1; i <= 5; i++) {
      const began = performance.now()
      await guddesk.newConversation(other)
      await good.waitFor(i, 3000)
      expect(performance.now() - began).toBeLessThan(3000)
    }
    await good.close()
  })
})

describe('disabling and deleting', () => {
  test('a disabled agent gets nothing; enabling resumes what waited', async () => {
    const install = { name: 'Bot', webhookUrl: receiver.url }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    receiver.behave(answer(500))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const patch = (body: object) => guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, body, { key: tenant.key })
    await patch({ isEnabled: false })
    receiver.behave(answer(200))
    guddesk.advance(60_000)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    await patch({ isEnabled: true })
    await receiver.waitFor(2)
  })

  test('deleting an endpoint stops what waits for it, and what is being sent ends quietly', async () => {
    const { id } = await register()
    let release: () => void = () => undefined
    receiver.behave((response) => {
      release = () => void response.writeHead(200).end()
    })
    await guddesk.newConversation(tenant, 'Hello')
    await receiver.waitFor(1)
    const body = { endpointId: id, forget: true }
    const gone = await heardByDispatcher(guddesk, () =>
      guddesk.call('DELETE', '/api/agent/webhooks', body, { key: tenant.key }),
    )
    expect(gone.data).toEqual({ deleted: true })
    release()
    guddesk.advance(60_000)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    // What belonged to it goes in the background.
    await until(async () => (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id } })) === 0)
    expect(guddesk.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })
})

describe('order', () => {
  test('first attempts of a conversation start in sequence order, one after the other', async () => {
    await register({ onMessageCreated: true, onConversationCreated: false })
    const open: { sequence: unknown; end: () => void }[] = []
    let most = 0
    receiver.behave((response, { data }) => {
      open.push({ sequence: data['sequence'], end: () => void response.writeHead(200).end() })
      most = Math.max(most, open.length)
      setTimeout(() => open.shift()?.end(), 20)
    })
    const id = await guddesk.newConversation(tenant, 'one')
    const send = (body: string) =>
      guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key: tenant.key })
    await Promise.all(Array.from({ length: 15 }, (_, i) => send(`message ${i}`)))
    await receiver.waitFor(16)
    expect(receiver.received.map(({ data }) => data['sequence'])).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
    expect(most).toBe(1)
  })

  test('with STRICT ordering the next one waits until a retry has succeeded', async () => {
    const { id: endpointId } = await register({ onMessageCreated: true, onConversationCreated: false })
    const strict = graphql(`mutation($input: UpdateWebhookEndpointInput!) {
      updateWebhookEndpoint(input: $input) { __typename } }`)
    await guddesk.graphql(strict, { input: { endpointId, ordering: 'STRICT' } }, { key: tenant.key })
    receiver.behave((response, _request, count) => response.writeHead(count === 1 ? 500 : 200).end())
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'two' }, { key: tenant.key })
    const other = await guddesk.newConversation(tenant, 'other')
    await receiver.waitFor(2)
    await guddesk.dispatched()
    expect(receiver.received.map(({ data }) => data['conversationId'])).toEqual([id, other])
    guddesk.advance(11_000)
    await receiver.waitFor(4)
    const mine = receiver.received.filter(({ data }) => data['conversationId'] === id)
    expect(mine.map(({ data }) => data['sequence'])).toEqual([1, 1, 2])
  })

  test('a failed one steps aside', async () => {
    await register({ onMessageCreated: true, onConversationCreated: false })
    receiver.behave((response, { data }) => response.writeHead(data['sequence'] === 1 ? 500 : 200).end())
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'two' }, { key: tenant.key })
    await receiver.waitFor(2)
    expect(receiver.received.map(({ data }) => data['sequence'])).toEqual([1, 2])
  })
})
