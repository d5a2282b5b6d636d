import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'

let guddesk: TestGudDesk
let tenant: Tenant
/** Mia's, a member with the role AGENT. */
let mia: { memberId: string; key: string }

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  const { memberId, userId } = await guddesk.newMember(tenant, 'Mia')
  mia = { memberId, key: await guddesk.newKey({ ...tenant, userId, memberId }, 'FULL_ACCESS') }
})

async function ask(query: string, variables: object = {}, key = tenant.key) {
  const { body } = await guddesk.graphql(query, variables, { key })
  expect(body.errors).toBeUndefined()
  return body.data
}

const change = (id: string, patch: object) =>
  guddesk.call('PATCH', `/api/v1/conversations/${id}`, patch, { key: tenant.key })

const write = (id: string, message: object, key = tenant.key) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, message, { key })

async function newAgent(): Promise<{ id: string; key: string }> {
  const install = { name: 'Bot', webhookUrl: `http://127.0.0.1:9/${Math.random()}` }
  const { data } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  return { id: data.id, key: data.credentials.apiKey }
}

describe('inboxCounts', () => {
  const COUNTS = graphql(`{ inboxCounts { mine unassigned open snoozed closed total } }`)

  test('counts each state, what is one’s own and what is nobody’s, in one statement', async () => {
    const none = { mine: 0, unassigned: 0, open: 0, snoozed: 0, closed: 0, total: 0 }
    expect(await ask(COUNTS)).toEqual({ inboxCounts: none })
    const made = await Promise.all(Array.from({ length: 6 }, () => guddesk.newConversation(tenant, 'Hello')))
    const [a = '', b = '', c = '', d = ''] = made
    await change(a, { assigneeId: mia.memberId })
    await change(b, { assigneeId: tenant.memberId })
    await change(c, { status: 'CLOSED', assigneeId: mia.memberId })
    await change(d, { status: 'SNOOZED' })
    await guddesk.newConversation()
    const counts = { unassigned: 2, open: 4, snoozed: 1, closed: 1, total: 6 }
    expect(await ask(COUNTS, {}, mia.key)).toEqual({ inboxCounts: { mine: 1, ...counts } })
    expect(await ask(COUNTS)).toEqual({ inboxCounts: { mine: 1, ...counts } })
    const statements = await statementsOf(guddesk, () => ask(COUNTS))
    expect(statements.filter((sql) => sql.includes('conversation_counts'))).toHaveLength(1)
  })

  test('an agent has none of its own', async () => {
    const { key } = await newAgent()
    expect(await ask(COUNTS, {}, key)).toMatchObject({ inboxCounts: { mine: null, total: 0 } })
  })
})

describe('Message.sender', () => {
  const SENDERS = graphql(`query ($id: ID!) { conversation(id: $id) { messages { edges { node {
    body senderName
    sender { __typename id ... on Visitor { visitor: name } ... on Member { member: name } ... on Agent { agent: name }
      ... on ApiKey { key: name } }
  } } } } }`)

  async function sendersOf(id: string, key?: string): Promise<unknown[]> {
    const { conversation } = await ask(SENDERS, { id }, key)
    return conversation.messages.edges.map(({ node }: { node: { sender: unknown } }) => node.sender)
  }

  test('is whoever wrote: visitor, key, agent, member', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const agent = await newAgent()
    await write(id, { body: 'two', type: 'AGENT' })
    await write(id, { body: 'three' }, agent.key)
    const { prisma } = guddesk.deps.db
    await prisma.message.updateMany({ where: { body: 'two', conversationId: id }, data: { senderId: mia.memberId } })
    await write(id, { body: 'four', type: 'AGENT' }, mia.key)
    const conversation = await prisma.conversation.findUniqueOrThrow({ where: { id } })
    const visitor = { __typename: 'Visitor', id: conversation.visitorId, visitor: 'Vera Visitor' }
    const member = { __typename: 'Member', id: mia.memberId, member: 'Mia' }
    const bot = { __typename: 'Agent', id: agent.id, agent: 'Bot' }
    const key = { __typename: 'ApiKey', id: expect.stringMatching(/^key_/), key: 'FULL_ACCESS key' }
    expect(await sendersOf(id)).toEqual([visitor, member, bot, key])
    // Keys show themselves to FULL_ACCESS only.
    const readOnly = await guddesk.newKey(tenant, 'READ_ONLY')
    const hidden = { __typename: 'UnavailableActor', id: expect.stringMatching(/^key_/) }
    expect(await sendersOf(id, readOnly)).toEqual([visitor, member, bot, hidden])
  })

  test('is unavailable when they are no more; id and name stay', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const agent = await newAgent()
    await write(id, { body: 'two' }, agent.key)
    await guddesk.call('DELETE', `/api/v1/agents/${agent.id}`, undefined, { key: tenant.key })
    const { conversation } = await ask(SENDERS, { id })
    expect(conversation.messages.edges[1].node).toEqual({
      ...{ body: 'two', senderName: 'Bot', sender: { __typename: 'UnavailableActor', id: agent.id } },
    })
  })

  test('is never somebody of another workspace', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const { prisma } = guddesk.deps.db
    for (const senderId of [guddesk.tenant.memberId, await guddesk.newVisitor()]) {
      await prisma.message.updateMany({ where: { conversationId: id }, data: { senderId } })
      expect(await sendersOf(id)).toEqual([{ __typename: 'UnavailableActor', id: senderId }])
    }
  })
})

describe('the unread marker', () => {
  const MARK = graphql(`mutation ($input: MarkConversationReadInput!) { markConversationRead(input: $input) {
    conversation { id lastReadSequence unreadCount } error { code message } } }`)
  const STATE = graphql(`query ($id: ID!) { conversation(id: $id) { lastReadSequence unreadCount } }`)

  async function mark(conversationId: string, sequence: number, key = mia.key) {
    const { markConversationRead } = await ask(MARK, { input: { conversationId, sequence } }, key)
    return markConversationRead
  }

  async function stateOf(id: string, key = mia.key): Promise<[number, number]> {
    const { conversation } = await ask(STATE, { id }, key)
    return [conversation.lastReadSequence, conversation.unreadCount]
  }

  test('counts what others wrote since, for each person alone', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const agent = await newAgent()
    await write(id, { body: 'two' }, agent.key)
    await write(id, { body: 'a note', type: 'NOTE' })
    await write(id, { body: 'my own', type: 'AGENT' }, mia.key)
    await write(id, { body: 'a colleague’s', type: 'AGENT' })
    expect(await stateOf(id)).toEqual([0, 3])
    expect(await mark(id, 1)).toMatchObject({ conversation: { id, lastReadSequence: 1, unreadCount: 2 } })
    expect(await stateOf(id)).toEqual([1, 2])
    expect(await stateOf(id, tenant.key)).toEqual([0, 3])
    expect(await mark(id, 5)).toMatchObject({ conversation: { lastReadSequence: 5, unreadCount: 0 } })
    await write(id, { body: 'six' }, agent.key)
    expect(await stateOf(id)).toEqual([5, 1])
  })

  test('never moves back, nor beyond the last message, however many calls race', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    for (let i = 0; i < 4; i++) await write(id, { body: 'more' })
    await Promise.all([1, 4, 2, 3, 0, 4, 1].map((sequence) => mark(id, sequence)))
    expect(await stateOf(id)).toEqual([4, 1])
    await mark(id, 2 ** 31 - 1)
    expect(await stateOf(id)).toEqual([5, 0])
    await write(id, { body: 'six' })
    expect(await stateOf(id)).toEqual([5, 1])
  })

  test('leaves no event and no trace in the conversation', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const { prisma } = guddesk.deps.db
    const before = await prisma.conversation.findUniqueOrThrow({ where: { id } })
    const events = await prisma.event.count()
    await mark(id, 1)
    expect(await prisma.conversation.findUniqueOrThrow({ where: { id } })).toEqual(before)
    expect(await prisma.event.count()).toBe(events)
  })

  test('is refused for agents, for other workspaces’ conversations, and below 0', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    const { key } = await newAgent()
    expect(await mark(id, 1, key)).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await ask(STATE, { id }, key)).toEqual({ conversation: { lastReadSequence: null, unreadCount: null } })
    expect(await mark(id, 1, guddesk.tenant.key)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await mark(id, -1)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
    expect(await mark('x', 1)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await stateOf(id)).toEqual([0, 1])
  })

  test('goes with the member and with the conversation', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    await mark(id, 1)
    await mark(id, 1, tenant.key)
    const { prisma } = guddesk.deps.db
    await prisma.member.delete({ where: { id: mia.memberId } })
    await drainRemovals(guddesk.deps)
    expect(await prisma.conversationRead.count({ where: { conversationId: id } })).toBe(1)
    await prisma.conversation.delete({ where: { id } })
    expect(await prisma.conversationRead.count({ where: { conversationId: id } })).toBe(0)
  })
})

describe('Visitor.conversations', () => {
  const THEIRS =
    graphql(`query ($ids: [ID!]!, $first: Int, $after: String, $last: Int, $before: String) { nodes(ids: $ids) { ... on Visitor {
    conversationCount
    conversations(first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { id visitor { id } } }
    } } } }`)

  test('come newest activity first, in pages, each visitor’s own', async () => {
    const visitors = [
      await guddesk.newVisitor(tenant),
      await guddesk.newVisitor(tenant),
      await guddesk.newVisitor(tenant),
    ]
    const theirs: string[][] = [[], [], []]
    for (const i of [0, 1, 0, 0, 1]) {
      guddesk.clock.advance(10)
      const start = { visitorId: visitors[i], message: 'Hello' }
      const { data } = await guddesk.call('POST', '/api/v1/conversations', start, { key: tenant.key })
      theirs[i]?.unshift(data.id)
    }
    const { nodes } = await ask(THEIRS, { ids: visitors, first: 2 })
    const listed = nodes.map(({ conversations }: { conversations: { edges: { node: { id: string } }[] } }) =>
      conversations.edges.map(({ node }) => node.id),
    )
    expect(listed).toEqual(theirs.map((ids) => ids.slice(0, 2)))
    expect(nodes.map(({ conversationCount }: { conversationCount: number }) => conversationCount)).toEqual([3, 2, 0])
    expect(nodes[0].conversations).toMatchObject({
      totalCount: 3,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    })
    const after = nodes[0].conversations.pageInfo.endCursor
    await write(theirs[0]?.[2] ?? '', { body: 'Bump', type: 'AGENT' })
    const { nodes: rest } = await ask(THEIRS, { ids: [visitors[0]], first: 2, after })
    expect(rest[0].conversations).toMatchObject({
      edges: [{ node: { id: theirs[0]?.[2] } }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    })
    const before = rest[0].conversations.pageInfo.startCursor
    const { nodes: back } = await ask(THEIRS, { ids: [visitors[0]], last: 5, before })
    expect(back[0].conversations.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(
      theirs[0]?.slice(0, 2),
    )
  })
})
