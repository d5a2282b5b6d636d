import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { deliverySteps } from './delivery-steps.ts'

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

const { register } = deliverySteps(() => ({ guddesk, receiver, tenant }))

describe('payloads', () => {
  test('a conversation with a first message: conversation.created, then message.created, key by key', async () => {
    await register()
    const visitorId = await guddesk.newVisitor(tenant, 'Vera')
    const body = { visitorId, subject: 'Refund', message: ' I want a refund ' }
    const { data: conversation } = await guddesk.call('POST', '/api/v1/conversations', body, { key: tenant.key })
    const [created, message] = await receiver.waitFor(2)
    const actor = { type: 'api_key', id: expect.stringMatching(/^key_/), name: 'FULL_ACCESS key' }
    const payload = JSON.parse(created?.text ?? '')
    expect(Object.keys(payload)).toEqual(['event', 'data', 'timestamp'])
    expect(payload.timestamp).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
    expect(created?.event).toBe('conversation.created')
    expect(created?.data).toEqual({
      conversationId: conversation.id,
      visitorId,
      status: 'OPEN',
      firstMessage: 'I want a refund',
      createdAt: conversation.createdAt,
      workspaceId: tenant.workspaceId,
      channel: 'API',
      subject: 'Refund',
      actor,
    })
    expect(message?.event).toBe('message.created')
    expect(message?.data).toEqual({
      conversationId: conversation.id,
      messageId: expect.stringMatching(/^msg_/),
      type: 'VISITOR',
      body: 'I want a refund',
      workspaceId: tenant.workspaceId,
      assigneeId: null,
      senderName: 'Vera',
      sequence: 1,
      actor,
    })
  })

  test('assigning and closing send their events once; the same again, unassigning and notes send none', async () => {
    await register({
      onConversationClosed: true,
      onConversationAssigned: true,
      onConversationCreated: false,
      onMessageCreated: false,
    })
    const { memberId } = await guddesk.newMember(tenant, 'Mia Member')
    const id = await guddesk.newConversation(tenant, 'Hello')
    const path = `/api/v1/conversations/${id}`
    const patch = (body: object) => guddesk.call('PATCH', path, body, { key: tenant.key })
    await patch({ assigneeId: memberId })
    await patch({ assigneeId: memberId })
    await patch({ assigneeId: null })
    await patch({ status: 'CLOSED' })
    const { data: closed } = await patch({ status: 'CLOSED' })
    await guddesk.call('POST', `${path}/messages`, { body: 'A note', type: 'NOTE' }, { key: tenant.key })
    await receiver.waitFor(2)
    await guddesk.dispatched()
    expect(receiver.received.map(({ event }) => event)).toEqual(['conversation.assigned', 'conversation.closed'])
    const by = { id: expect.stringMatching(/^key_/), name: 'FULL_ACCESS key' }
    expect(receiver.received[0]?.data).toEqual({
      conversationId: id,
      assigneeId: memberId,
      assigneeName: 'Mia Member',
      assignedBy: by.id,
      assignedByName: by.name,
      workspaceId: tenant.workspaceId,
      actor: { type: 'api_key', ...by },
    })
    expect(receiver.received[1]?.data).toEqual({
      conversationId: id,
      closedBy: by.id,
      closedByName: by.name,
      closedAt: closed.closedAt,
      workspaceId: tenant.workspaceId,
      actor: { type: 'api_key', ...by },
    })
  })

  test('an endpoint gets the events that its flags name', async () => {
    await register({ onMessageCreated: false, onConversationCreated: true })
    await guddesk.newConversation(tenant, 'Hello')
    await receiver.waitFor(1)
    await guddesk.dispatched()
    expect(receiver.received.map(({ event }) => event)).toEqual(['conversation.created'])
  })

  test('GraphQL causes the same events as REST', async () => {
    await register()
    const id = await guddesk.newConversation(tenant)
    const mutation = graphql(`mutation($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }`)
    const input = { conversationId: id, body: 'From GraphQL', type: 'VISITOR' }
    await guddesk.graphql(mutation, { input }, { key: tenant.key })
    const [, message] = await receiver.waitFor(2)
    expect(message?.data).toMatchObject({ body: 'From GraphQL', type: 'VISITOR', sequence: 1 })
  })
})

describe('headers and signatures', () => {
  test.each([
    ['Arabic', 'أريد استرداد أموالي'],
    ['Chinese', '我要退款，谢谢'],
    ['emoji', '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(300)],
    ['control characters', 'a\u0001\u0008\u001f\u007f\u2028\u2029\ufeffb'],
    ['quotes and slashes', '"\\/</script>'],
    ['10,000 characters', 'x\u0002'.repeat(5000)],
  ])('a receiver that signs JSON.stringify(JSON.parse(body)) verifies %s', async (_name, body) => {
    const { secret } = await register()
    await guddesk.newConversation(tenant, body)
    const [, message] = await receiver.waitFor(2)
    const reserialised = JSON.stringify(JSON.parse(message?.text ?? ''))
    const expected = `sha256=${createHmac('sha256', secret).update(reserialised).digest('hex')}`
    expect(message?.headers['x-guddesk-signature']).toBe(expected)
    expect(message?.data['body']).toBe(body)
    expect(Buffer.byteLength(message?.text ?? '')).toBeLessThan(100_000)
    const headers = Object.fromEntries(Object.entries(message?.headers ?? {}).map(([k, v]) => [k, String(v)]))
    expect(new Webhook(secret).verify(message?.text ?? '', headers)).toMatchObject({ event: 'message.created' })
    expect(() => new Webhook('00'.repeat(32)).verify(message?.text ?? '', headers)).toThrow()
  })

  test('every header of the contract; the agent id for agents only', async () => {
    await register()
    const own = await startReceiver()
    const install = { name: 'Bot', webhookUrl: own.url }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await guddesk.newConversation(tenant)
    const [plain] = await receiver.waitFor(1)
    const [toAgent] = await own.waitFor(1)
    expect(plain?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-guddesk-event': 'conversation.created',
      'x-guddesk-delivery': expect.stringMatching(/^dlv_[0-9a-z]{26}$/),
      'x-guddesk-attempt': '1',
      'user-agent': expect.stringMatching(/^GudDesk-Webhooks\/\d+\.\d+\.\d+/),
    })
    expect(plain?.headers['webhook-id']).toBe(plain?.headers['x-guddesk-delivery'])
    expect(plain?.headers).not.toHaveProperty('x-guddesk-agent-id')
    expect(toAgent?.headers['x-guddesk-agent-id']).toBe(agent.id)
    expect(toAgent?.headers['x-guddesk-delivery']).not.toBe(plain?.headers['x-guddesk-delivery'])
    await own.close()
  })
})
