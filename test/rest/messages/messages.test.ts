import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { census, installAgent, ok, TIME } from '../objects.ts'

let guddesk: TestGudDesk
let id: string
let path: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  id = await guddesk.newConversation(guddesk.tenant, 'Hello')
  path = `/api/v1/conversations/${id}/messages`
})

afterAll(() => guddesk?.stop())

const conversation = async () => (await ok(guddesk.call('GET', `/api/v1/conversations/${id}`))).data

describe('adding one', () => {
  test('is a BOT message by default', async () => {
    const { status, data } = await guddesk.call('POST', path, { body: '  Hi there  ' })
    expect(status).toBe(201)
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      conversationId: id,
      type: 'BOT',
      body: 'Hi there',
      senderId: expect.stringMatching(/^key_/),
      senderName: 'AI Agent',
      createdAt: expect.stringMatching(TIME),
    })
    expect(await conversation()).toMatchObject({
      messageCount: 2,
      lastMessagePreview: 'Hi there',
      lastMessageAt: data.createdAt,
    })
  })

  test.each(['BOT', 'AGENT', 'NOTE', 'VISITOR'])('%s with a sender’s name', async (type) => {
    const { status, data } = await guddesk.call('POST', path, { body: 'Named', type, senderName: ' Ada ' })
    expect(status).toBe(201)
    expect(data).toMatchObject({ type, senderName: 'Ada', body: 'Named' })
  })

  test('by an agent’s key has the agent’s id and name', async () => {
    const agent = await installAgent(guddesk, 'RefundBot')
    const { data } = await guddesk.call('POST', path, { body: 'From the bot' }, agent.as)
    expect(data).toMatchObject({ senderId: agent.id, senderName: 'RefundBot', type: 'BOT' })
  })

  test('of a visitor is the visitor’s, and names the key that passed it on, here and in the event', async () => {
    const asked = await guddesk.newConversation()
    const channel = await guddesk.newKey(guddesk.tenant, 'READ_WRITE')
    const { visitorId } = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({ where: { id: asked } })
    const key = await guddesk.deps.db.prisma.apiKey.findUniqueOrThrow({ where: { hash: sha256(channel) } })
    const sending = { body: 'By e-mail', type: 'VISITOR' }
    const sent = await guddesk.call('POST', `/api/v1/conversations/${asked}/messages`, sending, { key: channel })
    expect([sent.status, sent.data]).toMatchObject([
      201,
      { type: 'VISITOR', senderId: visitorId, senderName: 'Vera Visitor', actorId: key.id },
    ])
    const { data } = await guddesk.call('GET', `/api/v1/conversations/${asked}/messages`)
    expect(data).toEqual([sent.data])
    const where = { conversationId: asked, type: 'message.created' }
    const event = await guddesk.deps.db.prisma.event.findFirstOrThrow({ where })
    expect(JSON.parse(event.body).data).toMatchObject({
      type: 'VISITOR',
      senderName: 'Vera Visitor',
      actor: { type: 'api_key', id: key.id, name: key.name },
    })
  })

  test('of a visitor opens what was closed', async () => {
    const closed = await guddesk.newConversation()
    await ok(guddesk.call('PATCH', `/api/v1/conversations/${closed}`, { status: 'CLOSED' }))
    await ok(guddesk.call('POST', `/api/v1/conversations/${closed}/messages`, { body: 'Wait!', type: 'VISITOR' }))
    expect((await guddesk.call('GET', `/api/v1/conversations/${closed}`)).data).toMatchObject({
      status: 'OPEN',
      closedAt: null,
    })
  })

  test('of a visitor cannot be sent with an agent’s key', async () => {
    const agent = await installAgent(guddesk, 'Liar')
    const before = [await census(guddesk), await conversation()]
    const { status, error } = await guddesk.call('POST', path, { body: 'I am Vera', type: 'VISITOR' }, agent.as)
    expect([status, error.code]).toEqual([403, 'forbidden'])
    expect([await census(guddesk), await conversation()]).toEqual(before)
  })

  test.each([
    ['BOT', 'Sam Lee'],
    ['AGENT', 'RefundBot'],
    ['NOTE', 'RefundBot'],
  ])('%s of an agent that calls itself Sam Lee is shown as %s', async (type, senderName) => {
    const agent = await installAgent(guddesk, 'RefundBot')
    const { data } = await guddesk.call('POST', path, { body: 'Trust me', type, senderName: 'Sam Lee' }, agent.as)
    expect(data).toMatchObject({ type, senderId: agent.id, actorId: agent.id, senderName })
  })

  test('a note counts, but is neither activity nor preview', async () => {
    const before = await conversation()
    guddesk.clock.advance(1000)
    await ok(guddesk.call('POST', path, { body: 'Between us', type: 'NOTE' }))
    const { lastMessageAt, lastMessagePreview, messageCount } = await conversation()
    expect({ lastMessageAt, lastMessagePreview }).toEqual({
      lastMessageAt: before.lastMessageAt,
      lastMessagePreview: before.lastMessagePreview,
    })
    expect(messageCount).toBe(before.messageCount + 1)
  })

  test('10,000 characters after trimming, each whatever its size', async () => {
    for (const type of ['VISITOR', 'NOTE']) {
      for (const body of ['x'.repeat(10_000), '🙂'.repeat(10_000), `\n ${'é'.repeat(10_000)} \t`]) {
        const { status, data } = await guddesk.call('POST', path, { body, type })
        expect([status, data.body === body.trim()]).toEqual([201, true])
      }
      for (const body of ['x'.repeat(10_001), '🙂'.repeat(10_001)]) {
        const { status, error } = await guddesk.call('POST', path, { body, type })
        expect([status, error.fields?.map(({ path }) => path)]).toEqual([400, ['body']])
      }
    }
  })

  test('of bots and people up to 20,000 characters and 60,000 bytes as JSON', async () => {
    const agent = await installAgent(guddesk, 'Long')
    const replyTo = await guddesk.newConversation()
    const long = [
      'x'.repeat(20_000),
      '"'.repeat(20_000),
      '🙂'.repeat(15_000),
      '\u2028'.repeat(19_998),
      '\u0001'.repeat(10_000),
    ]
    const bodies = long.map((body) => (body.trim() === '' ? `.${body}.` : body))
    for (const body of bodies) {
      for (const type of ['BOT', 'AGENT']) {
        const { status, data } = await guddesk.call('POST', path, { body, type })
        expect([status, data.body === body]).toEqual([201, true])
      }
      const sent = await guddesk.call('POST', '/api/agent/reply', { conversationId: replyTo, body }, agent.as)
      expect([sent.status, sent.data.skipped]).toEqual([200, undefined])
    }
    for (const body of ['x'.repeat(20_001), '🙂'.repeat(15_001), '\u0001'.repeat(10_001)]) {
      for (const type of ['BOT', 'AGENT']) expect((await guddesk.call('POST', path, { body, type })).status).toBe(400)
      const sent = await guddesk.call('POST', '/api/agent/reply', { conversationId: replyTo, body }, agent.as)
      expect([sent.status, sent.error.fields?.map(({ path }) => path)]).toEqual([400, ['body']])
    }
  })

  test('text comes back as it was sent', async () => {
    const bodies = [
      '<b>&amp;</b>',
      '{{x}} $y %s',
      "'; DROP TABLE messages; --",
      'a\u2028b\u2029c',
      'a\r\nb\tc',
      '\\u0000',
    ]
    for (const body of [...bodies, '👩‍👩‍👧 é e\u0301 \u202e abc', '\uffff\ufffe', '"quoted"', '\u0001\u001f\u007f']) {
      const { data } = await ok(guddesk.call('POST', path, { body, type: 'AGENT' }))
      expect(data.body).toBe(body.trim())
      const { data: all } = await guddesk.call('GET', `${path}?limit=100`)
      expect(all.at(-1).body).toBe(body.trim())
    }
  })

  test('what is not a message is 400 and leaves the conversation as it was', async () => {
    const before = [await census(guddesk), await conversation()]
    const bodies = [
      {},
      { body: '' },
      { body: ' \n\t\u00a0 ' },
      { body: 'x'.repeat(20_001) },
      { body: '🙂'.repeat(20_001) },
      { body: 'x'.repeat(10_001), type: 'NOTE' },
      { body: 'a\u0000b' },
      { body: 'a\ud800b' },
      { body: '\udc00' },
      { body: 5 },
      { body: ['x'] },
      { body: null },
      { body: 'x', type: 'SYSTEM' },
      { body: 'x', type: 'bot' },
      { body: 'x', type: '' },
      { body: 'x', type: null },
      { body: 'x', senderName: 'a\u0000' },
      { body: 'x', senderName: '\ud800' },
      { body: 'x', senderName: 5 },
      { body: 'x', senderName: 'x'.repeat(10_001) },
    ]
    for (const body of bodies) {
      const { status, error } = await guddesk.call('POST', path, body)
      expect([JSON.stringify(body).slice(0, 60), status, error?.code]).toEqual([
        JSON.stringify(body).slice(0, 60),
        400,
        'bad_request',
      ])
    }
    expect([await census(guddesk), await conversation()]).toEqual(before)
  })

  test('to a conversation that is not there is 404', async () => {
    for (const unknown of [newId('conversation'), newId('visitor'), 'nothing', `${id}x`]) {
      const post = await guddesk.call('POST', `/api/v1/conversations/${unknown}/messages`, { body: 'x' })
      expect([post.status, post.error.message]).toEqual([404, 'Conversation not found'])
      expect((await guddesk.call('GET', `/api/v1/conversations/${unknown}/messages`)).status).toBe(404)
    }
  })

  test('is possible in a closed conversation, and does not open it', async () => {
    const closed = await guddesk.newConversation()
    await ok(guddesk.call('PATCH', `/api/v1/conversations/${closed}`, { status: 'CLOSED' }))
    await ok(guddesk.call('POST', `/api/v1/conversations/${closed}/messages`, { body: 'Afterwards' }))
    const { data } = await guddesk.call('GET', `/api/v1/conversations/${closed}`)
    expect(data).toMatchObject({ status: 'CLOSED', messageCount: 1 })
  })
})

describe('the list', () => {
  test('is oldest first, with notes, and counts them all', async () => {
    const fresh = await guddesk.newConversation(guddesk.tenant, 'One')
    const messages = `/api/v1/conversations/${fresh}/messages`
    await ok(guddesk.call('POST', messages, { body: 'Two', type: 'NOTE' }))
    await ok(guddesk.call('POST', messages, { body: 'Three', type: 'AGENT' }))
    await ok(guddesk.call('POST', messages, { body: 'Four' }))
    const { data, body } = await guddesk.call('GET', messages)
    expect(data.map((message: { type: string; body: string }) => [message.type, message.body])).toEqual([
      ['VISITOR', 'One'],
      ['NOTE', 'Two'],
      ['AGENT', 'Three'],
      ['BOT', 'Four'],
    ])
    expect(body.meta.total).toBe(4)
  })

  test('20 messages at once: each is there once, in one order, and the count is right', async () => {
    const busy = await guddesk.newConversation()
    const messages = `/api/v1/conversations/${busy}/messages`
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => guddesk.call('POST', messages, { body: `${i}`, type: 'AGENT' })),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    const { data } = await guddesk.call('GET', messages)
    const bodies = data.map((message: { body: string }) => Number(message.body))
    expect(bodies.toSorted((a: number, b: number) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    const { data: after } = await guddesk.call('GET', `/api/v1/conversations/${busy}`)
    expect(after).toMatchObject({ messageCount: 20, lastMessagePreview: data.at(-1).body })
  })
})
