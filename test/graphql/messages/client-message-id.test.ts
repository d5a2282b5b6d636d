import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql, payload, type VariablesOf } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const SEND = graphql(`mutation ($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id sequence body clientMessageId }
  error { code fields { path code } }
} }`)

let guddesk: TestGudDesk
let conversationId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  conversationId = await guddesk.newConversation(guddesk.tenant, 'Hello')
})
afterAll(() => guddesk?.stop())

async function send(input: Partial<VariablesOf<typeof SEND>['input']>, key = guddesk.tenant.key) {
  const whole = { conversationId, body: 'Hi', type: 'AGENT', ...input } as const
  return (await guddesk.query(SEND, { input: whole }, { key })).sendMessage
}

async function counted() {
  const [events, messages] = await Promise.all([
    guddesk.deps.db.prisma.event.count({ where: { conversationId } }),
    guddesk.deps.db.prisma.message.count({ where: { conversationId } }),
  ])
  return { events, messages }
}

const CONFLICT = { error: { code: 'CONFLICT', fields: [{ path: ['clientMessageId'], code: 'TAKEN' }] }, message: null }

describe('a message with a clientMessageId', () => {
  test('is added once, however often it is sent, one after the other or at once', async () => {
    const before = await counted()
    const first = payload(await send({ clientMessageId: 'once' })).message
    expect(first).toMatchObject({ body: 'Hi', clientMessageId: 'once' })
    const again = await Promise.all([1, 2, 3, 4].map(() => send({ clientMessageId: ' once ', body: ' Hi ' })))
    for (const each of again) expect(payload(each).message).toEqual(first)
    const racing = await Promise.all([1, 2, 3, 4].map(() => send({ clientMessageId: 'racing' })))
    expect(new Set(racing.map((each) => payload(each).message.id)).size).toBe(1)
    expect(await counted()).toEqual({ events: before.events + 2, messages: before.messages + 2 })
  })

  test('conflicts with another body or type under the same id', async () => {
    payload(await send({ clientMessageId: 'taken' }))
    const before = await counted()
    expect(await send({ clientMessageId: 'taken', body: 'Another' })).toEqual(CONFLICT)
    expect(await send({ clientMessageId: 'taken', type: 'NOTE' })).toEqual(CONFLICT)
    expect(await counted()).toEqual(before)
  })

  test('does not stand in the way of other senders, of other conversations, or of messages without one', async () => {
    const ids = new Set<string>()
    ids.add(payload(await send({ clientMessageId: 'shared' })).message.id)
    ids.add(payload(await send({ clientMessageId: 'shared', type: 'VISITOR' })).message.id)
    const other = await guddesk.newKey(guddesk.tenant, 'READ_WRITE')
    ids.add(payload(await send({ clientMessageId: 'shared' }, other)).message.id)
    const elsewhere = await guddesk.newConversation()
    ids.add(payload(await send({ conversationId: elsewhere, clientMessageId: 'shared' })).message.id)
    for (const body of ['Hi', 'Hi']) ids.add(payload(await send({ body })).message.id)
    expect(ids.size).toBe(6)
  })

  test('has 1 to 100 characters', async () => {
    payload(await send({ clientMessageId: 'x'.repeat(100) }))
    for (const clientMessageId of ['', ' ', 'x'.repeat(101), 'a\u0000b']) {
      expect(await send({ clientMessageId })).toMatchObject({
        error: { code: 'BAD_REQUEST', fields: [{ path: ['clientMessageId'] }] },
      })
    }
  })

  test('is another workspace’s not to see', async () => {
    payload(await send({ clientMessageId: 'hidden' }))
    const stranger = await guddesk.newTenant()
    expect(await send({ clientMessageId: 'hidden' }, stranger.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
  })
})
