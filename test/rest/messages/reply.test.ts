import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { typingTopic } from '../../../src/domain/events/events.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { hear } from '../../support/bus.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { METRICS_TOKEN, metric } from '../../support/metrics.ts'
import { until } from '../../support/until.ts'
import { census, installAgent, ok, visitorSays } from '../objects.ts'

const PATH = '/api/agent/reply'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { METRICS_TOKEN } })
})

afterAll(() => guddesk?.stop())

const reply = (conversationId: string, body = 'Hello', more = {}) =>
  guddesk.call('POST', PATH, { conversationId, body, ...more })
const send = (id: string, type: string) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'x', type })
const patch = (id: string, body: object) => ok(guddesk.call('PATCH', `/api/v1/conversations/${id}`, body))
const messagesOf = async (id: string) =>
  (await ok(guddesk.call('GET', `/api/v1/conversations/${id}/messages?limit=100`))).data

describe('a reply', () => {
  test('adds a BOT message', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const { status, body } = await reply(id, '  Your refund is on its way  ')
    const messages = await messagesOf(id)
    expect(status).toBe(200)
    expect(body).toEqual({ data: { messageId: messages[1].id, conversationId: id } })
    expect(messages).toHaveLength(2)
    expect(messages[1]).toMatchObject({ type: 'BOT', body: 'Your refund is on its way', senderName: 'AI Agent' })
  })

  test('has the name that is sent, else the agent’s, else AI Agent', async () => {
    const id = await guddesk.newConversation()
    const { id: agentId, as } = await installAgent(guddesk, 'RefundBot')
    await ok(guddesk.call('POST', PATH, { conversationId: id, body: 'One' }, as))
    await ok(guddesk.call('POST', PATH, { conversationId: id, body: 'Two', senderName: 'Other' }, as))
    await ok(reply(id, 'Three', { senderName: 'Mine' }))
    await ok(reply(id, 'Four'))
    const messages = await messagesOf(id)
    expect(messages.map(({ senderName }: { senderName: string }) => senderName)).toEqual([
      'RefundBot',
      'Other',
      'Mine',
      'AI Agent',
    ])
    expect(messages[0].senderId).toBe(agentId)
  })

  test('to an unknown conversation is 404, and a bad one is 400; nothing is written', async () => {
    const id = await guddesk.newConversation()
    const before = await census(guddesk)
    for (const unknown of [newId('conversation'), newId('visitor'), 'x', '']) {
      const { status, error } = await reply(unknown)
      expect([status, error.code, error.message]).toEqual([404, 'not_found', 'Conversation not found'])
    }
    const bodies: object[] = [{}, { conversationId: id }, { body: 'x' }, { conversationId: [id], body: 'x' }]
    for (const body of [
      ...bodies,
      { conversationId: id, body: ' ' },
      { conversationId: id, body: 'x'.repeat(20_001) },
    ]) {
      expect((await guddesk.call('POST', PATH, body)).status).toBe(400)
    }
    expect(await census(guddesk)).toEqual(before)
  })

  test('ends the typing indicator of its conversation', async () => {
    const id = await guddesk.newConversation()
    const typing = await hear(guddesk.deps.bus, typingTopic(guddesk.tenant.workspaceId))
    await ok(guddesk.call('POST', '/api/agent/typing', { conversationId: id, typing: true }))
    await until(() => typing.messages.length === 1)
    await ok(reply(id))
    await until(() => typing.messages.length === 2)
    typing.stop()
    expect(typing.messages.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({ conversationId: id, typing: true }),
      expect.objectContaining({ conversationId: id, typing: false }),
    ])
  })
})

describe('a reply is skipped, with 200 and nothing written,', () => {
  const expectSkipped = async (id: string, reason: string) => {
    const before = [await census(guddesk), (await guddesk.call('GET', `/api/v1/conversations/${id}`)).data]
    const { status, body } = await reply(id)
    expect(status).toBe(200)
    expect(body).toEqual({ data: { skipped: true, reason, conversationId: id } })
    expect([await census(guddesk), (await guddesk.call('GET', `/api/v1/conversations/${id}`)).data]).toEqual(before)
  }

  test('when a person is assigned, until nobody is', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Help')
    await patch(id, { assigneeId: guddesk.tenant.memberId })
    await expectSkipped(id, 'conversation_assigned')
    await patch(id, { assigneeId: null })
    expect((await reply(id)).data.messageId).toMatch(/^msg_/)
  })

  test('when the conversation is closed, until it is open; snoozed is not closed', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Help')
    await patch(id, { status: 'CLOSED' })
    await expectSkipped(id, 'conversation_closed')
    await patch(id, { status: 'SNOOZED' })
    expect((await reply(id)).data.messageId).toMatch(/^msg_/)
    await patch(id, { status: 'CLOSED' })
    await visitorSays(guddesk, id, 'One more thing')
    expect((await reply(id)).data.messageId).toMatch(/^msg_/)
  })

  test('also while it is being assigned: never a reply after the assignment was answered', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await guddesk.newConversation(guddesk.tenant, 'Help')
      const racing = Array.from({ length: 5 }, () => reply(id))
      await patch(id, { assigneeId: guddesk.tenant.memberId })
      const settled = (await messagesOf(id)).length
      await expectSkipped(id, 'conversation_assigned')
      const answers = await Promise.all(racing)
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      expect(answers.filter(({ data }) => data.skipped !== true)).toHaveLength(settled - 1)
    }
  })
})

describe('a runaway bot', () => {
  const say = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) expect((await reply(id, `Answer ${i}`)).status).toBe(200)
  }

  async function expectStopped(id: string): Promise<void> {
    const before = await census(guddesk)
    for (const { status, headers, error } of [await reply(id), await send(id, 'BOT')]) {
      expect(status).toBe(429)
      expect(error).toMatchObject({ code: 'loop_detected', status: 429 })
      expect(headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/)
    }
    expect(await census(guddesk)).toEqual(before)
  }

  const write = async (id: string, times: number) => {
    for (let i = 0; i < times; i++) await visitorSays(guddesk, id, `Line ${i}`)
  }

  test('answers each of 25 quick lines of a visitor, one by one, and one more is refused', async () => {
    const id = await guddesk.newConversation()
    await write(id, 25)
    await say(id, 25)
    await expectStopped(id)
    expect(await messagesOf(id)).toHaveLength(50)
  })

  test('has no room for lines that are older than ten minutes, or of another conversation', async () => {
    const id = await guddesk.newConversation()
    await write(await guddesk.newConversation(), 40)
    await write(id, 30)
    guddesk.clock.advance(600_000)
    await write(id, 22)
    await say(id, 22)
    await expectStopped(id)
  })

  test('has room for the lines of a pause, too: they count up to the last one, not up to now', async () => {
    const id = await guddesk.newConversation()
    await write(id, 25)
    guddesk.clock.advance(900_000)
    await say(id, 25)
    await expectStopped(id)
  })

  test('is stopped when two agents answer each other, at the 21st message', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const agents = [await installAgent(guddesk, 'Ping'), await installAgent(guddesk, 'Pong')]
    const statuses: number[] = []
    for (let i = 0; i < 24; i++) {
      const { status } = await guddesk.call('POST', PATH, { conversationId: id, body: 'You?' }, agents[i % 2]?.as)
      statuses.push(status)
    }
    expect(statuses).toEqual([...Array(20).fill(200), ...Array(4).fill(429)])
  })

  test('learns when there is room, and operators learn of it', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 1)
    guddesk.clock.advance(15_000)
    await say(id, 19)
    const refused = await metric(guddesk, 'guddesk_loops_refused_total')
    const agent = await installAgent(guddesk, 'Runaway')
    const answer = await guddesk.call('POST', PATH, { conversationId: id, body: 'x' }, agent.as)
    const seconds = Number(answer.headers.get('retry-after'))
    expect(answer.status).toBe(429)
    expect(seconds).toBeGreaterThan(30)
    expect(seconds).toBeLessThanOrEqual(45)
    expect(answer.error.message).toContain(`try again in ${seconds} seconds`)
    expect(await metric(guddesk, 'guddesk_loops_refused_total')).toBe(refused + 1)
    expect(guddesk.logs.filter(({ msg }) => msg === 'bot message loop stopped').at(-1)).toMatchObject({
      workspaceId: guddesk.tenant.workspaceId,
      conversationId: id,
      actorId: agent.id,
      limit: 20,
    })
    guddesk.clock.advance(seconds * 1000)
    await say(id, 1)
    await expectStopped(id)
  })

  test('is stopped at the 21st message of a minute', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 20)
    await expectStopped(id)
    expect(await messagesOf(id)).toHaveLength(21)
  })

  test('may go on when the visitor has written', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 20)
    await visitorSays(guddesk, id, 'Go on')
    await say(id, 20)
    await expectStopped(id)
  })

  test('is stopped in a conversation that it started itself, with a first message', async () => {
    const agent = await installAgent(guddesk, 'Starter')
    const visitorId = await guddesk.newVisitor()
    const started = await guddesk.call('POST', '/api/v1/conversations', { visitorId, message: 'Hi' }, agent.as)
    const where = { conversationId: started.data.id, type: 'message.created' }
    const event = await guddesk.deps.db.prisma.event.findFirstOrThrow({ where })
    expect(JSON.parse(event.body).data).toMatchObject({ type: 'VISITOR', actor: { type: 'agent', id: agent.id } })
    await say(started.data.id, 20)
    const path = `/api/v1/conversations/${started.data.id}/messages`
    expect((await guddesk.call('POST', path, { body: 'Hi', type: 'VISITOR' }, agent.as)).status).toBe(403)
    await expectStopped(started.data.id)
  })

  test('may go on when the minute is over', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 20)
    guddesk.clock.advance(55_000)
    await expectStopped(id)
    guddesk.clock.advance(6_000)
    await say(id, 20)
    await expectStopped(id)
  })

  test('is stopped in its own conversation only, and people are not', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 20)
    await say(await guddesk.newConversation(guddesk.tenant, 'Hi'), 1)
    for (const type of ['AGENT', 'NOTE']) expect((await send(id, type)).status).toBe(201)
    await expectStopped(id)
  })

  test('is stopped however many notes and people’s messages stand in between', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    await say(id, 20)
    for (let i = 0; i < 10; i++)
      await Promise.all(Array.from({ length: 20 }, () => ok(send(id, i % 2 ? 'NOTE' : 'AGENT'))))
    await expectStopped(id)
  })

  test('that talks in parallel gets 20 messages in, no more', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Hi')
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => reply(id, `Answer ${i}`)))
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 20 }, () => 200),
      ...Array.from({ length: 10 }, () => 429),
    ])
    expect(await messagesOf(id)).toHaveLength(21)
  })
})
