import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'

// What these cost in round trips and WAL is bounded in costs.own-postgres.test.ts, on PostgreSQL alone.

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())

test('a message and a reply are one statement each, with its event and deliveries', async () => {
  const id = await guddesk.newConversation()
  const send = () => guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { type: 'AGENT', body: 'Hello' })
  const reply = () => guddesk.call('POST', '/api/agent/reply', { conversationId: id, body: 'Hello' })
  for (const write of [send, reply]) {
    await write()
    const statements = await statementsOf(guddesk, write)
    // Who asks, and the write.
    expect(statements.filter((text) => !/add_message_1|api_keys/.test(text))).toEqual([])
    expect(statements.filter((text) => text.includes('add_message_1'))).toHaveLength(1)
    expect(statements).toHaveLength(2)
  }
})
