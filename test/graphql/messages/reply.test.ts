import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { typingTopic } from '../../../src/domain/events/events.ts'
import { installAgent } from '../../rest/objects.ts'
import { UNKNOWN } from '../../support/contract/unknown.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const REPLY = graphql(`mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) {
  message { conversationId sequence type body senderName }
  skipReason
  error { code fields { path } }
} }`)

const reply = async (conversationId: string, body: string, key = guddesk.tenant.key) =>
  (await guddesk.query(REPLY, { input: { conversationId, body } }, { key })).replyToConversation

const change = (id: string, patch: object) => guddesk.call('PATCH', `/api/v1/conversations/${id}`, patch)
const countOf = (conversationId: string) => guddesk.deps.db.prisma.message.count({ where: { conversationId } })

describe('a reply', () => {
  test('of an agent is a BOT message with its name', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const { as } = await installAgent(guddesk, 'RefundBot')
    expect(payload(await reply(id, '  On its way ', as.key ?? ''))).toEqual({
      message: { conversationId: id, sequence: 2, type: 'BOT', body: 'On its way', senderName: 'RefundBot' },
      skipReason: null,
      error: null,
    })
  })

  test.each([
    ['CONVERSATION_ASSIGNED', () => ({ assigneeId: guddesk.tenant.memberId })],
    ['CONVERSATION_CLOSED', () => ({ status: 'CLOSED' })],
  ])('is skipped as %s, and writes nothing', async (skipReason, patch) => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await change(id, patch())
    const before = await countOf(id)
    expect(await reply(id, 'Hello')).toEqual({ message: null, skipReason, error: null })
    expect(await countOf(id)).toBe(before)
  })

  test('ends the typing signal, also when it is skipped', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await change(id, { assigneeId: guddesk.tenant.memberId })
    const signals: unknown[] = []
    const stop = guddesk.deps.bus.subscribe(typingTopic(guddesk.tenant.workspaceId), (text) => {
      if (text !== '') signals.push(JSON.parse(text))
    })
    // Redis takes a moment to subscribe: until then, nothing arrives.
    await until(async () => {
      await reply(id, 'Hello')
      return signals.length > 0
    })
    stop()
    expect(signals[0]).toMatchObject({ conversationId: id, typing: false })
  })

  test('is refused below READ_WRITE, for unknown and foreign conversations, and when it is empty or too long', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const before = await countOf(id)
    const codeOf = async (...args: Parameters<typeof reply>) => (await reply(...args)).error?.code
    const reader = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    const other = await guddesk.newTenant()
    expect(await codeOf(id, 'Hello', reader)).toBe('FORBIDDEN')
    expect(await codeOf(id, 'Hello', other.key)).toBe('NOT_FOUND')
    expect(await codeOf(UNKNOWN.conversation, 'Hello')).toBe('NOT_FOUND')
    expect(await codeOf('', 'Hello')).toBe('NOT_FOUND')
    expect((await reply(id, ' ')).error).toEqual({ code: 'BAD_REQUEST', fields: [{ path: ['body'] }] })
    expect((await reply(id, 'x'.repeat(20_001))).error).toEqual({ code: 'BAD_REQUEST', fields: [{ path: ['body'] }] })
    expect(await countOf(id)).toBe(before)
  })

  test('of one agent too often is LOOP_DETECTED', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const { as } = await installAgent(guddesk, 'LoopBot')
    const codes: unknown[] = []
    for (let i = 0; i < 21; i++) codes.push((await reply(id, `No. ${i}`, as.key ?? '')).error?.code ?? 'added')
    expect(codes[0]).toBe('added')
    expect(codes.at(-1)).toBe('LOOP_DETECTED')
  })
})
