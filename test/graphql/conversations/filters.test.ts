import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
/** Of a, b, c, d: started in this order, an hour apart. */
const ids: Record<string, string> = {}
const visitors: Record<string, string> = {}
let ann: string
let began: number

const HOUR = 3_600_000

beforeAll(async () => {
  guddesk = await startGudDesk()
  ann = (await guddesk.newMember(guddesk.tenant, 'Ann')).memberId
  began = guddesk.clock.now().getTime()
  const start = `mutation ($input: StartConversationInput!) {
    startConversation(input: $input) { conversation { id visitor { id } } } }`
  for (const name of ['a', 'b', 'c', 'd']) {
    guddesk.clock.advance(HOUR)
    const visitorId = await guddesk.newVisitor()
    const channel = name === 'a' ? 'EMAIL' : name === 'b' ? 'WIDGET' : 'API'
    const { data } = await guddesk.graphql(start, { input: { visitorId, channel } })
    ids[name] = data.startConversation.conversation.id
    visitors[name] = visitorId
  }
  const change = (name: string, body: object) => guddesk.call('PATCH', `/api/v1/conversations/${ids[name]}`, body)
  await change('a', { assigneeId: ann, tags: ['vip', 'billing'] })
  await change('b', { assigneeId: guddesk.tenant.memberId, status: 'CLOSED', tags: ['vip'] })
  await change('c', { status: 'SNOOZED', tags: ['VIP', 'vip,billing'] })
  await change('d', { priority: 2 })
})

afterAll(async () => {
  await guddesk?.stop()
})

async function filtered(filter: object, key = guddesk.tenant.key) {
  const query = `query ($filter: ConversationFilter) {
    conversations(filter: $filter) { totalCount edges { node { id } } } }`
  return guddesk.graphql(query, { filter }, { key })
}

/** The names of the conversations that match; totalCount must agree. */
async function matching(filter: object): Promise<string> {
  const { body } = await filtered(filter)
  expect(body.errors).toBeUndefined()
  const { edges, totalCount } = body.data.conversations
  expect(edges).toHaveLength(totalCount)
  const nameOf = new Map(Object.entries(ids).map(([name, id]) => [id, name]))
  return edges.map(({ node }: { node: { id: string } }) => nameOf.get(node.id)).join('')
}

const hours = (count: number) => new Date(began + count * HOUR).toISOString()

test.each([
  ['nothing', () => ({}), 'dcba'],
  ['nulls, which mean nothing', () => ({ statuses: null, assignee: null, tags: null, text: null }), 'dcba'],
  ['several states', () => ({ statuses: ['SNOOZED', 'CLOSED'] }), 'cb'],
  ['status OPEN', () => ({ statuses: 'OPEN' }), 'da'],
  ['status SNOOZED', () => ({ statuses: 'SNOOZED' }), 'c'],
  ['status CLOSED', () => ({ statuses: 'CLOSED' }), 'b'],
  ['a member', () => ({ assignee: { memberId: ann } }), 'a'],
  ['an unknown member', () => ({ assignee: { memberId: 'mem_01jy0000000000000000000000' } }), ''],
  ['nobody', () => ({ assignee: { none: true } }), 'dc'],
  ['nobody, and status', () => ({ assignee: { none: true }, statuses: 'OPEN' }), 'd'],
  ['the person behind the key', () => ({ assignee: { me: true } }), 'b'],
  ['visitorId', () => ({ visitorId: visitors['c'] }), 'c'],
  ['an unknown visitorId', () => ({ visitorId: 'x' }), ''],
  ['a tag', () => ({ tags: { all: ['vip'] } }), 'ba'],
  ['all of two tags', () => ({ tags: { all: ['vip', 'billing'] } }), 'a'],
  ['any of two tags', () => ({ tags: { any: ['billing', 'VIP'] } }), 'ca'],
  ['any and all tags', () => ({ tags: { any: ['billing', 'VIP'], all: ['vip'] } }), 'a'],
  ['a tag in its own case', () => ({ tags: { all: ['VIP'] } }), 'c'],
  ['a tag with a comma', () => ({ tags: { any: ['vip,billing'] } }), 'c'],
  ['a tag that would be SQL', () => ({ tags: { any: ["vip'; --", '"}'] } }), ''],
  ['channel', () => ({ channels: 'WIDGET' }), 'b'],
  ['several channels', () => ({ channels: ['WIDGET', 'EMAIL'] }), 'ba'],
  ['priority', () => ({ priorities: 2 }), 'd'],
  ['several priorities', () => ({ priorities: [0, 2] }), 'dcba'],
  ['activity from a time', () => ({ lastActivityAt: { from: hours(2.5) } }), 'dc'],
  ['activity up to a time', () => ({ lastActivityAt: { to: hours(2.5) } }), 'ba'],
  ['start from a time', () => ({ createdAt: { from: hours(2.5) } }), 'dc'],
  ['start up to a time', () => ({ createdAt: { to: hours(2.5), from: null } }), 'ba'],
  [
    'a span of time with another offset',
    () => ({ createdAt: { from: hours(1.5).replace('Z', '+00:00'), to: hours(3.5) } }),
    'cb',
  ],
  [
    'everything at once',
    () => ({
      ...{
        statuses: 'OPEN',
        assignee: { memberId: ann },
        tags: { all: ['billing'] },
        channels: 'EMAIL',
        priorities: 0,
      },
      ...{ visitorId: visitors['a'], createdAt: { from: hours(0.5) }, lastActivityAt: { to: hours(1.5) } },
    }),
    'a',
  ],
  ['what contradicts itself', () => ({ statuses: 'CLOSED', assignee: { memberId: ann } }), ''],
])('filters by %s', async (_name, filter, names) => {
  expect(await matching(filter())).toBe(names)
})

test('names exactly one kind of assignee', async () => {
  for (const assignee of [{}, { me: true, none: true }, { none: true, memberId: ann }, { me: null }]) {
    const { body } = await filtered({ assignee })
    expect(body.errors).toHaveLength(1)
    expect(body.errors[0].message).toMatch(/[Ee]xactly one|must be non-null/)
  }
})

test('an agent has no conversations of its own', async () => {
  const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/filters' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', bot)
  const { body } = await filtered({ assignee: { me: true } }, data.credentials.apiKey)
  expect(body.errors[0].extensions).toMatchObject({ code: 'bad_request', fields: [{ path: ['assignee', 'me'] }] })
})

test('sorts by start, whatever happened since', async () => {
  const query = '{ conversations(sort: NEWEST) { edges { node { id } } } }'
  const older = { body: 'Still here', type: 'AGENT' }
  const { key } = await guddesk.newTenant().then(async (tenant) => {
    const first = await guddesk.newConversation(tenant)
    guddesk.clock.advance(10)
    const second = await guddesk.newConversation(tenant)
    guddesk.clock.advance(10)
    await guddesk.call('POST', `/api/v1/conversations/${first}/messages`, older, { key: tenant.key })
    expect(await orderOf('{ conversations { edges { node { id } } } }', tenant.key)).toEqual([first, second])
    expect(await orderOf(query, tenant.key)).toEqual([second, first])
    return tenant
  })
  const { body } = await guddesk.graphql('{ conversations(first: 1) { pageInfo { endCursor } } }', {}, { key })
  const mixed = `query ($after: String) { conversations(sort: NEWEST, after: $after) { totalCount } }`
  const answer = await guddesk.graphql(mixed, { after: body.data.conversations.pageInfo.endCursor }, { key })
  expect(answer.body.errors[0].extensions.code).toBe('bad_request')
})

async function orderOf(query: string, key: string): Promise<string[]> {
  const { body } = await guddesk.graphql(query, {}, { key })
  expect(body.errors).toBeUndefined()
  return body.data.conversations.edges.map(({ node }: { node: { id: string } }) => node.id)
}

test('another workspace’s visitor and member match nothing', async () => {
  const other = await guddesk.newTenant()
  await guddesk.newConversation(other)
  expect(await matching({ visitorId: await guddesk.newVisitor(other) })).toBe('')
  expect(await matching({ assignee: { memberId: other.memberId } })).toBe('')
})

test.each([
  ['tags.all.0', { tags: { all: [''] } }],
  ['tags.any.1', { tags: { any: ['vip', ' '] } }],
  ['tags.any.0', { tags: { any: ['x'.repeat(51)] } }],
  ['tags.any.0', { tags: { any: ['\u0000'] } }],
  ['tags.all.0', { tags: { all: ['\ud800'] } }],
  ['tags.any', { tags: { any: [] } }],
  ['statuses', { statuses: [] }],
  ['priorities.0', { priorities: [4] }],
  ['visitorId', { visitorId: '\u0000' }],
  ['visitorId', { visitorId: 'x'.repeat(10_000) }],
  ['assignee.memberId', { assignee: { memberId: '\u0000' } }],
  ['assignee.memberId', { assignee: { memberId: '\udfff' } }],
  ['assignee.me', { assignee: { me: false } }],
  ['text', { text: '' }],
  ['text', { text: 'x'.repeat(201) }],
  ['text', { text: '\u0000' }],
])('refuses %s in %.40j', async (path, filter) => {
  const { body } = await filtered(filter)
  expect(body.errors).toHaveLength(1)
  expect(body.errors[0].extensions).toMatchObject({ code: 'bad_request', fields: [{ path: path.split('.') }] })
})

test.each(['yesterday', '2026-01-15', '2026-01-15T10:00:00', '2026-13-45T10:00:00Z', '', 1_700_000_000_000])(
  'refuses the time %j, whether as a variable or in the text',
  async (from) => {
    const asVariable = await filtered({ createdAt: { from } })
    const text = `{ conversations(filter: { createdAt: { from: ${JSON.stringify(from)} } }) { totalCount } }`
    for (const { body } of [asVariable, await guddesk.graphql(text)]) {
      expect(body.errors).toHaveLength(1)
      expect(body.errors[0].message).toContain('A DateTime is ISO 8601 text')
      expect(body.errors[0].extensions?.code).toMatch(/^(bad_request|GRAPHQL_VALIDATION_FAILED)$/)
    }
  },
)
