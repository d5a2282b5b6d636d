import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'

let guddesk: TestGudDesk
let receiver: Receiver

beforeAll(async () => {
  guddesk = await startGudDesk()
  receiver = await startReceiver()
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
})

test('an agent is installed, a visitor writes, the webhook arrives, the reply is in the conversation', async () => {
  const installed = await guddesk.call('POST', '/api/v1/agents', { name: 'RefundBot', webhookUrl: receiver.url })
  expect(installed.status).toBe(201)
  const conversationId = await guddesk.newConversation(guddesk.tenant, 'I want a refund')
  const [created, message] = await receiver.waitFor(2)
  expect(created?.event).toBe('conversation.created')
  expect(message?.event).toBe('message.created')
  expect(message?.data).toMatchObject({ conversationId, type: 'VISITOR', body: 'I want a refund', sequence: 1 })

  const key = installed.data.credentials.apiKey
  const reply = await guddesk.call('POST', '/api/agent/reply', { conversationId, body: 'Done' }, { key })
  expect(reply.status).toBe(200)
  const { data } = await guddesk.call('GET', `/api/v1/conversations/${conversationId}/messages`)
  expect(data.map(({ type, body, senderName }: Record<string, string>) => [type, body, senderName])).toEqual([
    ['VISITOR', 'I want a refund', 'Vera Visitor'],
    ['BOT', 'Done', 'RefundBot'],
  ])
})
