import { describe, expect, test } from 'vitest'
import { graphql, payload } from '../../support/graphql.ts'
import { until } from '../../support/until.ts'
import { TRANSPORTS } from '../live.ts'
import { ACTOR, guddesk, type InputOf, useServer } from './mutation-steps.ts'

useServer()

const CREATE_VISITOR = graphql(`mutation ($input: UpsertVisitorInput!) { upsertVisitor(input: $input) {
  isNew visitor { id externalId name email avatarUrl metadata }
  error { code message }
} }`)

const START_CONVERSATION = graphql(`mutation ($input: StartConversationInput!) { startConversation(input: $input) {
  conversation { ...WholeConversation }
  error { code message }
} }
fragment WholeConversation on Conversation {
  id status channel subject priority tags metadata messageCount lastMessagePreview closedAt snoozedUntil
  assignee { id name } visitor { id } messages { edges { node { type body sender { id } senderName } } }
}`)

const UPDATE_CONVERSATION = graphql(`mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) {
  conversation {
  id status channel subject priority tags metadata messageCount lastMessagePreview closedAt snoozedUntil
  assignee { id name } visitor { id } messages { edges { node { type body sender { id } senderName } } }
  }
  error { code message }
} }`)

const SEND_MESSAGE = graphql(`mutation ($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id conversationId sequence type body sender { id } senderName actor { id } createdAt }
  error { code message }
} }`)

const updateConversation = async (input: InputOf<typeof UPDATE_CONVERSATION>) =>
  payload((await guddesk.query(UPDATE_CONVERSATION, { input })).updateConversation).conversation

const sendMessage = async (input: InputOf<typeof SEND_MESSAGE>) =>
  payload((await guddesk.query(SEND_MESSAGE, { input })).sendMessage).message

test('upsertVisitor creates, and updates by externalId', async () => {
  const create = async (input: InputOf<typeof CREATE_VISITOR>, key = guddesk.tenant.key) =>
    payload((await guddesk.query(CREATE_VISITOR, { input }, { key })).upsertVisitor)
  const given = {
    name: ' Vera ',
    email: 'Vera@Example.com',
    avatarUrl: 'https://example.com/v.png',
    metadata: { a: [1] },
  }
  const made = await create({ externalId: 'u1', ...given })
  const visitor = {
    id: expect.stringMatching(/^vis_/),
    externalId: 'u1',
    ...given,
    name: 'Vera',
    email: 'vera@example.com',
  }
  expect(made).toEqual({ error: null, isNew: true, visitor })
  const again = await create({ externalId: 'u1', name: 'Vera V.' })
  expect(again).toEqual({ ...made, isNew: false, visitor: { ...made.visitor, name: 'Vera V.' } })
  const other = await guddesk.newTenant()
  expect(await create({ externalId: 'u1' }, other.key)).toMatchObject({ isNew: true })
})

describe('startConversation', () => {
  test('starts one with everything given', async () => {
    const visitorId = await guddesk.newVisitor()
    const given = { visitorId, subject: ' Order ', message: ' Where is it? ', metadata: { order: 7 } }
    const input = { ...given, channel: 'EMAIL' } as const
    expect((await guddesk.query(START_CONVERSATION, { input })).startConversation).toMatchObject({
      error: null,
      conversation: {
        id: expect.stringMatching(/^conv_/),
        ...{ status: 'OPEN', channel: 'EMAIL', subject: 'Order', priority: 0, tags: [], metadata: { order: 7 } },
        ...{ messageCount: 1, lastMessagePreview: 'Where is it?', assignee: null, visitor: { id: visitorId } },
        messages: {
          edges: [
            { node: { type: 'VISITOR', body: 'Where is it?', sender: { id: visitorId }, senderName: 'Vera Visitor' } },
          ],
        },
      },
    })
  })

  test('needs nothing but the visitor; null is the same as left out', async () => {
    const visitorId = await guddesk.newVisitor()
    const nothing = { subject: null, message: null, channel: null, metadata: null }
    for (const input of [{ visitorId }, { visitorId, ...nothing }]) {
      const { startConversation } = await guddesk.query(START_CONVERSATION, { input })
      const { conversation } = payload(startConversation)
      expect(conversation).toMatchObject({ channel: 'API', subject: null, messageCount: 0, messages: { edges: [] } })
    }
  })
})

describe('updateConversation', () => {
  test('changes everything that it is given, and only that', async () => {
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'hello')
    const change = (patch: Partial<InputOf<typeof UPDATE_CONVERSATION>>) =>
      updateConversation({ ...patch, conversationId })
    const { memberId } = guddesk.tenant
    const values = { subject: 'Order', priority: 3, tags: ['a', 'b'], metadata: { k: 'v' } }
    const first = await change({ ...values, tags: [' a ', 'b', 'a'], assigneeId: memberId })
    expect(first).toMatchObject({ status: 'OPEN', ...values })
    expect(first.assignee).toEqual({ id: memberId, name: 'Owner' })
    const second = await change({ tags: [] })
    expect(second).toEqual({ ...first, tags: [] })
    const third = await change({ subject: null, assigneeId: null })
    expect(third).toEqual({ ...second, subject: null, assignee: null })
  })

  test('closes, snoozes and opens', async () => {
    const conversationId = await guddesk.newConversation()
    const change = (patch: Partial<InputOf<typeof UPDATE_CONVERSATION>>) =>
      updateConversation({ ...patch, conversationId })
    expect(await change({ status: 'CLOSED' })).toMatchObject({ status: 'CLOSED', closedAt: expect.any(String) })
    const snoozedUntil = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    expect(await change({ snoozedUntil })).toMatchObject({ status: 'SNOOZED', closedAt: null, snoozedUntil })
    expect(await change({ status: 'OPEN' })).toMatchObject({ status: 'OPEN', closedAt: null, snoozedUntil: null })
  })
})

describe('updateConversation of tags', () => {
  test('adds and removes some, whatever others add meanwhile', async () => {
    const conversationId = await guddesk.newConversation()
    await updateConversation({ conversationId, tags: ['old'] })
    const names = Array.from({ length: 10 }, (_, i) => `new ${i}`)
    await Promise.all(names.map((name) => updateConversation({ conversationId, addTags: [name] })))
    const { tags } = await updateConversation({ conversationId, removeTags: ['old', 'never there'] })
    expect(tags.toSorted()).toEqual(names)
  })

  test('is refused together with the whole set', async () => {
    const conversationId = await guddesk.newConversation()
    const input = { conversationId, tags: ['a'], addTags: ['b'] }
    const { updateConversation: refused } = await guddesk.query(UPDATE_CONVERSATION, { input })
    expect(refused).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  })
})

describe('sendMessage', () => {
  test.each([
    ['BOT', 'AI Agent'],
    ['AGENT', 'Owner'],
    ['NOTE', 'Owner'],
    ['VISITOR', 'Vera Visitor'],
  ] as const)('sends a %s message, as %s when no name is given', async (type, senderName) => {
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'hello')
    const { viewer } = await guddesk.query(ACTOR)
    const sent = await sendMessage({ conversationId, type, body: ' Hi ' })
    expect(sent).toMatchObject({ conversationId, sequence: 2, type, body: 'Hi', senderName })
    expect(sent.sender?.id).toMatch(type === 'VISITOR' ? /^vis_/ : new RegExp(`^${viewer.actor.id}$`))
    const named = await sendMessage({ conversationId, type, body: 'Hi', senderName: ' Max ' })
    expect(named).toMatchObject({ sequence: 3, senderName: 'Max' })
  })

  test.each([
    ['VISITOR', null],
    ['BOT', 'Sam Lee'],
    ['AGENT', 'Bot'],
    ['NOTE', 'Bot'],
  ] as const)('%s with an agent’s key, as Sam Lee: %s', async (type, expected) => {
    const conversationId = await guddesk.newConversation(guddesk.tenant, 'hello')
    const install = { name: 'Bot', webhookUrl: `http://127.0.0.1:9/speaks-${type}` }
    const { data } = await guddesk.call('POST', '/api/v1/agents', install)
    const input = { conversationId, type, body: 'Hi', senderName: 'Sam Lee' }
    const { sendMessage } = await guddesk.query(SEND_MESSAGE, { input }, { key: data.credentials.apiKey })
    const sent = { type, sender: { id: data.id }, actor: { id: data.id }, senderName: expected }
    expect(sendMessage).toMatchObject(
      expected === null ? { error: { code: 'FORBIDDEN' }, message: null } : { message: sent },
    )
  })

  test.each(TRANSPORTS)('of a visitor is refused with an agent’s key over %s', async (transport, subscribe) => {
    const conversationId = await guddesk.newConversation()
    const install = { name: 'Bot', webhookUrl: `http://127.0.0.1:9/${encodeURIComponent(transport)}` }
    const { data } = await guddesk.call('POST', '/api/v1/agents', install)
    const input = { conversationId, type: 'VISITOR', body: 'I am Vera' }
    const options = { key: data.credentials.apiKey, query: SEND_MESSAGE.toString() }
    const live = subscribe<{ error: { code: string } | null }>(guddesk, { input }, options)
    await until(() => live.isEnded())
    expect([live.events, live.errors]).toMatchObject([[{ error: { code: 'FORBIDDEN' } }], []])
    await live.stop()
  })

  test('of a visitor names who passed it on', async () => {
    const conversationId = await guddesk.newConversation()
    const { viewer } = await guddesk.query(ACTOR)
    const sent = await sendMessage({ conversationId, type: 'VISITOR', body: 'By e-mail' })
    expect(sent).toMatchObject({ senderName: 'Vera Visitor', actor: { id: viewer.actor.id } })
  })

  test('of a visitor reopens what is closed or snoozed; of others it does not', async () => {
    const until = new Date(guddesk.clock.now().getTime() + 3_600_000).toISOString()
    for (const away of [{ status: 'CLOSED' }, { status: 'SNOOZED' }, { snoozedUntil: until }]) {
      const conversationId = await guddesk.newConversation()
      const path = `/api/v1/conversations/${conversationId}`
      const { data: before } = await guddesk.call('PATCH', path, away)
      for (const type of ['BOT', 'AGENT', 'NOTE'] as const) {
        await sendMessage({ conversationId, type, body: 'Bye' })
        const { status, closedAt, snoozedUntil } = (await guddesk.call('GET', path)).data
        expect([type, status, closedAt, snoozedUntil]).toEqual([
          type,
          before.status,
          before.closedAt,
          before.snoozedUntil,
        ])
      }
      await sendMessage({ conversationId, type: 'VISITOR', body: 'Wait!' })
      const { data: after } = await guddesk.call('GET', path)
      expect(after).toMatchObject({ status: 'OPEN', closedAt: null, snoozedUntil: null, lastMessagePreview: 'Wait!' })
      // "Any field of a conversation changed" is what CONVERSATION_UPDATED promises to live screens.
      const where = { conversationId, type: 'conversation.updated' }
      const events = await guddesk.deps.db.prisma.event.findMany({ where, orderBy: { seq: 'asc' } })
      expect(events.map(({ body }) => JSON.parse(body).data.changed.includes('status'))).toEqual([true, true])
    }
  })

  test('keeps 10,000 characters as they are', async () => {
    const conversationId = await guddesk.newConversation()
    const body = '😀'.repeat(10_000)
    const sent = await sendMessage({ conversationId, type: 'BOT', body })
    expect(sent.body).toBe(body)
  })
})
