import { getNamedType, isObjectType } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
/** Valid in all of the owner's workspaces. */
let key: string
/** Whose messages are walked through. */
let conversationId: string
/** Whose endpoints are walked through, and its key. */
let agentId: string
let agentKey: string

const ROWS = 17
const NO_EVENTS = { onMessageCreated: false, onConversationCreated: false }

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  key = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS', 'all')
  conversationId = await guddesk.newConversation(guddesk.tenant, 'Hello')
  const walker = { name: 'Walker', webhookUrl: 'http://127.0.0.1:9/walker', events: NO_EVENTS }
  const { data } = await post('/api/v1/agents', walker)
  agentId = data.id
  agentKey = data.credentials.apiKey
  for (let i = 0; i < ROWS; i++) await another(i)
})

afterAll(() => guddesk?.stop())

const post = (path: string, body: object) => guddesk.call('POST', path, body)
let made = 0

/** One more row in every list. Some share a millisecond, so that ids decide. */
async function another(i: number): Promise<void> {
  if (i % 3 === 0) guddesk.clock.advance(7)
  made++
  // Only the first one hears of anything: with each its own deliveries, that list would outgrow every walk.
  const events = { onMessageCreated: made === 1, onConversationCreated: made === 1 }
  await post('/api/v1/agents', { name: `Bot ${made}`, webhookUrl: `http://127.0.0.1:9/walks/${made}`, events })
  const id = await guddesk.newConversation(guddesk.tenant, `Hello no. ${made}`)
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { tags: [`tag ${made}`] })
  await post(`/api/v1/conversations/${conversationId}/messages`, { body: 'More', type: 'AGENT' })
  await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  const own = { url: `http://127.0.0.1:9/walker/${made}`, events: NO_EVENTS }
  await guddesk.call('POST', '/api/agent/webhooks', own, { key: agentKey })
  await post('/api/v1/articles', { title: `Article ${made}`, body: 'Read this' })
  await guddesk.graphql(`mutation { createCollection(input: { name: "No. ${made}" }) { __typename } }`)
  const { prisma } = guddesk.deps.db
  const { workspaceId, userId } = guddesk.tenant
  const ids = { invitation: newId('invitation'), workspace: newId('workspace'), member: newId('member') }
  const createdAt = guddesk.clock.now()
  const person = { id: newId('user'), email: `member-${made}@example.com`, name: `Member ${made}` }
  await prisma.user.create({ data: person })
  const membership = { id: newId('member'), workspaceId, userId: person.id, role: 'VIEWER', createdAt } as const
  await prisma.member.create({ data: membership })
  const invited = { email: `${made}@example.com`, role: 'AGENT', tokenHash: ids.invitation } as const
  const expiresAt = new Date(createdAt.getTime() + 86_400_000)
  await prisma.invitation.create({ data: { ...invited, id: ids.invitation, workspaceId, createdAt, expiresAt } })
  const owner = { id: ids.member, userId, role: 'OWNER' } as const
  const workspace = { id: ids.workspace, name: 'Another', slug: `another-${made}`, createdAt }
  await prisma.workspace.create({ data: { ...workspace, members: { create: owner } } })
}

/** Every list by its root field: how it is asked for, and in what it is. */
const LISTS: Record<string, { field: string; args?: string; id?: string; within?: () => string }> = {
  tags: { field: 'tags', id: 'id: name' },
  conversations: { field: 'conversations' },
  'conversations by start': { field: 'conversations', args: 'sort: NEWEST' },
  'conversations by filter': { field: 'conversations', args: 'filter: { text: "hello no", statuses: OPEN }' },
  visitors: { field: 'visitors' },
  agents: { field: 'agents' },
  webhookEndpoints: { field: 'webhookEndpoints' },
  deliveries: { field: 'deliveries' },
  events: { field: 'events' },
  apiKeys: { field: 'apiKeys' },
  ownApiKeys: { field: 'ownApiKeys' },
  auditEntries: { field: 'auditEntries' },
  articles: { field: 'articles' },
  collections: { field: 'collections' },
  invitations: { field: 'invitations' },
  workspaces: { field: 'workspaces' },
  members: { field: 'members', within: () => 'workspace { LIST }' },
  'endpoints of an agent': {
    field: 'webhookEndpoints',
    within: () => `node(id: "${agentId}") { ... on Agent { LIST } }`,
  },
  messages: { field: 'messages', within: () => `conversation(id: "${conversationId}") { LIST }` },
}

interface Listed {
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string }
  readonly edges: { cursor: string; node: { id: string } }[]
}

async function ask(list: string, page: object): Promise<Listed> {
  const { field, args: own = '', id = 'id', within } = LISTS[list] ?? { field: list }
  const args = `(${own} first: $first, after: $after, last: $last, before: $before)`
  const selection = `{ pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ${id} } } }`
  const asked = (within?.() ?? 'LIST').replace('LIST', `${field}${args} ${selection}`)
  const query = `query ($first: Int, $after: String, $last: Int, $before: String) { ${asked} }`
  const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
  const { body } = await guddesk.graphql(query, page, { key, headers })
  expect(body.errors).toBeUndefined()
  const [value] = Object.values<Listed & Record<string, Listed>>(body.data)
  if (value === undefined) throw new Error(`${list} has no data`)
  return within === undefined ? value : (value[field] ?? value)
}

const idsOf = ({ edges }: Listed) => edges.map(({ node }) => node.id)

/** All ids in the list's order, by pages of the greatest size. */
async function all(list: string): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | null = null; ; ) {
    const page: Listed = await ask(list, { first: 100, after })
    ids.push(...idsOf(page))
    if (!page.pageInfo.hasNextPage) return ids
    after = page.pageInfo.endCursor
  }
}

/** Walks from one end to the other while rows are added and conversations move, and returns each page's ids in the list's order. */
async function walk(list: string, size: number, direction: 'forwards' | 'backwards'): Promise<string[]> {
  const ids: string[] = []
  const isForwards = direction === 'forwards'
  let writes = 5
  for (let cursor: string | null = null; ; ) {
    const request: object = isForwards ? { first: size, after: cursor } : { last: size, before: cursor }
    // While the page is read, not only between pages; not for ever, or the end of a list would run away from its walk.
    const write = writes-- > 0 ? another(writes) : null
    const [page] = await Promise.all([ask(list, request), write])
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo
    const found = idsOf(page)
    expect([startCursor, endCursor]).toEqual([page.edges[0]?.cursor, page.edges.at(-1)?.cursor])
    if (isForwards) ids.push(...found)
    else ids.unshift(...found)
    if (cursor !== null) expect(isForwards ? hasPreviousPage : hasNextPage).toBe(true)
    if (!(isForwards ? hasNextPage : hasPreviousPage)) return ids
    expect(found).toHaveLength(size)
    cursor = isForwards ? endCursor : startCursor
  }
}

const CASES = [
  ...Object.keys(LISTS).map((list) => [list, 7] as const),
  ...['conversations', 'messages', 'visitors'].map((list) => [list, 3] as const),
]

test.each(CASES)('%s: pages of %i, in both directions, while others write', async (list, size) => {
  const before = await all(list)
  expect(before.length).toBeGreaterThan(2 * size)
  for (const direction of ['forwards', 'backwards'] as const) {
    const walked = await walk(list, size, direction)
    expect(new Set(walked).size).toBe(walked.length)
    const known = new Set(before)
    expect(
      walked.filter((id) => known.has(id)),
      direction,
    ).toEqual(before.filter((id) => walked.includes(id)))
    expect(before.filter((id) => !walked.includes(id))).toEqual([])
  }
})

test.each(Object.keys(LISTS))('%s: says truly what lies before and after a page', async (list) => {
  const ids = await all(list)
  const whole = await ask(list, { first: 100 })
  const at = (i: number) => whole.edges.at(i)?.cursor
  const end = idsOf(await ask(list, { last: 2 }))
  expect(end).toEqual(ids.slice(-2))
  const cases: [object, string[], boolean, boolean][] = [
    [{ first: 2 }, ids.slice(0, 2), false, true],
    [{ last: 2 }, ids.slice(-2), true, false],
    [{ first: 2, after: at(0) }, ids.slice(1, 3), true, true],
    [{ last: 2, before: at(3) }, ids.slice(1, 3), true, true],
    [{ last: 3, before: at(3) }, ids.slice(0, 3), false, true],
    [{ before: at(3) }, ids.slice(0, 3), false, true],
    [{ first: 2, after: at(0), before: at(5) }, ids.slice(1, 3), true, true],
    [{ first: 9, after: at(0), before: at(5) }, ids.slice(1, 5), true, true],
    [{ last: 2, after: at(0), before: at(5) }, ids.slice(3, 5), true, true],
    [{ last: 9, after: at(0), before: at(5) }, ids.slice(1, 5), true, true],
    [{ before: at(0) }, [], false, true],
    [{ first: 3, after: at(4), before: at(2) }, [], true, true],
  ]
  for (const [request, expected, hasPreviousPage, hasNextPage] of cases) {
    const page = await ask(list, request)
    expect({ request, ids: idsOf(page) }).toEqual({ request, ids: expected })
    expect({ request, ...page.pageInfo }).toMatchObject({ request, hasPreviousPage, hasNextPage })
  }
})

test('refuses both directions at once, and sizes out of range', async () => {
  const codes = async (args: string) => {
    const { body } = await guddesk.graphql(`{ visitors(${args}) { edges { cursor } } }`)
    return body.errors?.[0].extensions
  }
  expect(await codes('first: 1, last: 1')).toMatchObject({ code: 'bad_request', fields: [{ path: ['last'] }] })
  for (const size of [0, -1, 101]) {
    expect(await codes(`last: ${size}`)).toMatchObject({ code: 'bad_request', fields: [{ path: ['last'] }] })
  }
})

test('every list is walked here', () => {
  const roots = Object.values(schema.getQueryType()?.getFields() ?? {})
  const lists = roots.filter(({ type }) => {
    const named = getNamedType(type)
    return isObjectType(named) && named.getFields()['pageInfo'] !== undefined
  })
  expect(Object.keys(LISTS)).toEqual(expect.arrayContaining(lists.map(({ name }) => name)))
})
