import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql, present, type ResultOf, type VariablesOf } from '../../support/graphql.ts'
import { type Answer, startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let other: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
  other = await guddesk.newTenant()
})

afterAll(async () => {
  await guddesk?.stop()
})

const LIST = graphql(`query ($filter: ConversationFilter, $first: Int, $after: String) {
  conversations(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id } }
  }
}`)
const ONE = graphql(`query ($id: ID!) { conversation(id: $id) { id } }`)
const VIEWER = graphql(`{ viewer { permission actor { __typename id displayName } workspace { id name slug } } }`)

async function list(variables: VariablesOf<typeof LIST>, key = guddesk.tenant.key) {
  const { conversations } = await guddesk.query(LIST, variables, { key })
  const { edges, ...rest } = conversations
  return { ...rest, ids: edges.map(({ node }) => node.id), cursors: edges.map(({ cursor }) => cursor) }
}

function firstError({ body }: Answer): { message: string; extensions: Record<string, unknown> } {
  expect(body.errors).toHaveLength(1)
  return body.errors[0]
}

test('viewer says who asks, as what, and where', async () => {
  const { viewer } = await guddesk.query(VIEWER)
  const workspace = { id: guddesk.tenant.workspaceId, name: 'My workspace', slug: 'my-workspace' }
  const actor = { __typename: 'ApiKey', id: expect.stringMatching(/^key_/), displayName: 'First key' }
  expect(viewer).toEqual({ permission: 'FULL_ACCESS', actor, workspace })
  const key = await guddesk.newKey(other, 'READ_ONLY')
  const reading = await guddesk.query(VIEWER, {}, { key })
  expect(reading.viewer).toMatchObject({ permission: 'READ_ONLY', workspace: { id: other.workspaceId } })
})

test('viewer is the agent for an agent’s key', async () => {
  const bot = { name: 'RefundBot', webhookUrl: 'http://127.0.0.1:9/viewer' }
  const installed = await guddesk.call('POST', '/api/v1/agents', bot)
  const { id, credentials } = installed.data
  const { viewer } = await guddesk.query(VIEWER, {}, { key: credentials.apiKey })
  expect(viewer).toMatchObject({
    permission: 'READ_WRITE',
    actor: { __typename: 'Agent', id, displayName: 'RefundBot' },
  })
})

test('workspace has its members, longest here first', async () => {
  const tenant = await guddesk.newTenant()
  await guddesk.newMember(tenant, 'Ada', 'ADMIN')
  await guddesk.newMember(tenant, 'Vic', 'VIEWER')
  const document = graphql(
    `{ workspace { id createdAt members { totalCount edges { node { id name email role createdAt } } } } }`,
  )
  const { workspace } = await guddesk.query(document, {}, { key: tenant.key })
  expect(workspace.id).toBe(tenant.workspaceId)
  expect(workspace.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const members = workspace.members?.edges.map(({ node }) => node) ?? []
  expect(workspace.members?.totalCount).toBe(3)
  expect(members.map(({ name, role }) => [name, role])).toEqual([
    ['Otto Owner', 'OWNER'],
    ['Ada', 'ADMIN'],
    ['Vic', 'VIEWER'],
  ])
  expect(members[0]).toMatchObject({ id: tenant.memberId, email: `${tenant.userId}@example.com` })
})

describe('conversation', () => {
  test('has the same values as in REST', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'Where is my order?')
    const { memberId } = guddesk.tenant
    const patch = { assigneeId: memberId, tags: ['b', 'a'], subject: 'Order', priority: 2, metadata: { a: [1, null] } }
    const { data: rest } = await guddesk.call('PATCH', `/api/v1/conversations/${id}`, patch)
    const document = graphql(`query ($id: ID!) { conversation(id: $id) {
      id status channel subject priority tags assignee { id name role } visitor { id name email avatarUrl }
      lastMessageAt lastMessagePreview messageCount snoozedUntil metadata createdAt updatedAt closedAt lastActivityAt
    } }`)
    const { conversation } = await guddesk.query(document, { id })
    const { assigneeId, assignee, ...same } = rest
    const { lastMessageAt: lastActivityAt } = rest
    expect(conversation).toEqual({ ...same, assignee: { ...assignee, role: 'OWNER' }, lastActivityAt })
    expect(assigneeId).toBe(memberId)
    expect(conversation).toMatchObject({ tags: ['b', 'a'], metadata: { a: [1, null] }, messageCount: 1 })
  })

  test.each(['conv_01jy0000000000000000000000', '', 'x', 'conv_', '\u0000', 'y'.repeat(100_000)])(
    'is null for the unknown id %.30j',
    async (id) => {
      expect(await guddesk.query(ONE, { id })).toEqual({ conversation: null })
    },
  )

  test('is null for another workspace’s, and for another type’s id', async () => {
    for (const id of [await guddesk.newConversation(other), await guddesk.newVisitor()]) {
      expect(await guddesk.query(ONE, { id })).toEqual({ conversation: null })
    }
  })

  test('its messages come oldest first, in pages, notes included', async () => {
    const id = await guddesk.newConversation(guddesk.tenant, 'one')
    for (const [body, type] of [
      ['two', 'BOT'],
      ['three', 'NOTE'],
      ['four', 'AGENT'],
      ['five', 'BOT'],
    ] as const) {
      await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type })
    }
    const document = graphql(`query ($id: ID!, $first: Int, $after: String) { conversation(id: $id) {
      messages(first: $first, after: $after) {
        totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { node { sequence type body conversationId } }
      } } }`)
    const seen: unknown[] = []
    for (let after: string | null = null, pages = 1; ; pages++) {
      const page: ResultOf<typeof document> = await guddesk.query(document, { id, first: 2, after })
      const { totalCount, pageInfo, edges } = present(present(page.conversation).messages)
      expect(totalCount).toBe(5)
      expect(pageInfo.hasPreviousPage).toBe(after !== null)
      for (const { node } of edges) seen.push([node.sequence, node.type, node.body])
      if (!pageInfo.hasNextPage) {
        expect(pages).toBe(3)
        break
      }
      after = pageInfo.endCursor
    }
    expect(seen).toEqual([
      [1, 'VISITOR', 'one'],
      [2, 'BOT', 'two'],
      [3, 'NOTE', 'three'],
      [4, 'AGENT', 'four'],
      [5, 'BOT', 'five'],
    ])
  })
})

describe('conversations', () => {
  test('a walk through pages finds each once, newest activity first, while others write', async () => {
    const tenant = await guddesk.newTenant()
    const ids: string[] = []
    for (let i = 0; i < 7; i++) {
      guddesk.clock.advance(10)
      ids.unshift(await guddesk.newConversation(tenant, `no. ${i}`))
    }
    const { key } = tenant
    const walked: string[] = []
    const cursors: string[] = []
    for (let after: string | null = null; ; ) {
      const page = await list({ first: 3, after }, key)
      walked.push(...page.ids)
      cursors.push(...page.cursors)
      expect(page.pageInfo).toMatchObject({ hasPreviousPage: after !== null, startCursor: page.cursors[0] })
      expect(page.pageInfo.endCursor).toBe(page.cursors.at(-1))
      // The oldest one, which has not come yet, moves to the top; a new one is not part of this walk.
      await guddesk.call('POST', `/api/v1/conversations/${ids.at(-1)}/messages`, { body: 'bump' }, { key })
      if (after === null) await guddesk.newConversation(tenant, 'new')
      if (!page.pageInfo.hasNextPage) break
      after = page.pageInfo.endCursor
    }
    expect(walked).toEqual(ids)
    expect((await list({ after: cursors[4] }, key)).ids).toEqual(ids.slice(5))
    expect(await list({}, key)).toMatchObject({ totalCount: 8, pageInfo: { hasNextPage: false } })
    expect((await list({ first: 1 }, key)).totalCount).toBe(8)
  })

  test('an empty list has no cursors', async () => {
    const { key } = await guddesk.newTenant()
    const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null }
    expect(await list({}, key)).toEqual({ totalCount: 0, pageInfo, ids: [], cursors: [] })
  })

  test('are 25 when `first` is left out', async () => {
    const tenant = await guddesk.newTenant()
    const visitorId = await guddesk.newVisitor(tenant)
    const start = () => guddesk.call('POST', '/api/v1/conversations', { visitorId }, { key: tenant.key })
    await Promise.all(Array.from({ length: 27 }, start))
    const page = await list({}, tenant.key)
    expect([page.ids.length, page.totalCount, page.pageInfo.hasNextPage]).toEqual([25, 27, true])
    expect((await list({ first: 100 }, tenant.key)).ids).toHaveLength(27)
    expect((await list({ first: null }, tenant.key)).ids).toHaveLength(25)
  })

  test.each([0, -1, 101])('`first` may not be %i', async (first) => {
    const { extensions } = firstError(await guddesk.graphql(LIST, { first }))
    expect(extensions).toEqual({
      code: 'bad_request',
      fields: [{ path: ['first'], code: 'invalid', message: 'must be 1 to 100' }],
    })
  })

  test.each(['', 'x', '\u0000', 'e30', 'x'.repeat(10_000)])(
    'a malformed cursor is bad_request: %.20j',
    async (after) => {
      const { extensions } = firstError(await guddesk.graphql(LIST, { after }))
      expect(extensions['code']).toBe('bad_request')
      const document = graphql(
        `query ($id: ID!, $after: String) { conversation(id: $id) { messages(after: $after) { totalCount } } }`,
      )
      const id = await guddesk.newConversation()
      expect(firstError(await guddesk.graphql(document, { id, after })).extensions['code']).toBe('bad_request')
    },
  )
})
