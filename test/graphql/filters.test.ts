import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

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
    startConversation(input: $input) { ... on StartConversationPayload { conversation { id visitor { id } } } } }`
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
  ['nulls, which mean nothing', () => ({ status: null, assigneeId: null, tag: null }), 'dcba'],
  ['status OPEN', () => ({ status: 'OPEN' }), 'da'],
  ['status SNOOZED', () => ({ status: 'SNOOZED' }), 'c'],
  ['status CLOSED', () => ({ status: 'CLOSED' }), 'b'],
  ['assigneeId', () => ({ assigneeId: ann }), 'a'],
  ['an unknown assigneeId', () => ({ assigneeId: 'mem_01jy0000000000000000000000' }), ''],
  ['unassigned', () => ({ unassigned: true }), 'dc'],
  ['unassigned and status', () => ({ unassigned: true, status: 'OPEN' }), 'd'],
  ['visitorId', () => ({ visitorId: visitors['c'] }), 'c'],
  ['an unknown visitorId', () => ({ visitorId: 'x' }), ''],
  ['tag', () => ({ tag: 'vip' }), 'ba'],
  ['a tag in its own case', () => ({ tag: 'VIP' }), 'c'],
  ['a tag with a comma', () => ({ tag: 'vip,billing' }), 'c'],
  ['a tag that would be SQL', () => ({ tag: "vip'; --" }), ''],
  ['channel', () => ({ channel: 'WIDGET' }), 'b'],
  ['createdAfter', () => ({ createdAfter: hours(2.5) }), 'dc'],
  ['createdBefore', () => ({ createdBefore: hours(2.5) }), 'ba'],
  [
    'a span of time with another offset',
    () => ({ createdAfter: hours(1.5).replace('Z', '+00:00'), createdBefore: hours(3.5) }),
    'cb',
  ],
  [
    'everything at once',
    () => ({ status: 'OPEN', assigneeId: ann, tag: 'billing', channel: 'EMAIL', visitorId: visitors['a'] }),
    'a',
  ],
  ['what contradicts itself', () => ({ status: 'CLOSED', assigneeId: ann }), ''],
  ['somebody’s and nobody’s: all conditions must hold', () => ({ unassigned: true, assigneeId: ann }), ''],
])('filters by %s', async (_name, filter, names) => {
  expect(await matching(filter())).toBe(names)
})

test('another workspace’s visitor and member match nothing', async () => {
  const other = await guddesk.newTenant()
  await guddesk.newConversation(other)
  expect(await matching({ visitorId: await guddesk.newVisitor(other) })).toBe('')
  expect(await matching({ assigneeId: other.memberId })).toBe('')
})

test.each([
  ['tag', ''],
  ['tag', ' '],
  ['tag', 'x'.repeat(51)],
  ['tag', '\u0000'],
  ['tag', '\ud800'],
  ['visitorId', '\u0000'],
  ['visitorId', 'x'.repeat(10_000)],
  ['assigneeId', '\u0000'],
  ['assigneeId', '\udfff'],
])('refuses the %s %.20j', async (path, value) => {
  const { body } = await filtered({ [path]: value })
  expect(body.errors).toHaveLength(1)
  expect(body.errors[0].extensions).toMatchObject({ code: 'bad_request', fields: [{ path }] })
})

test.each(['yesterday', '2026-01-15', '2026-01-15T10:00:00', '2026-13-45T10:00:00Z', '', 1_700_000_000_000])(
  'refuses the time %j, whether as a variable or in the text',
  async (createdAfter) => {
    const asVariable = await filtered({ createdAfter })
    const text = `{ conversations(filter: { createdAfter: ${JSON.stringify(createdAfter)} }) { totalCount } }`
    for (const { body } of [asVariable, await guddesk.graphql(text)]) {
      expect(body.errors).toHaveLength(1)
      expect(body.errors[0].message).toContain('A DateTime is ISO 8601 text')
      expect(body.errors[0].extensions?.code).toMatch(/^(bad_request|BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/)
    }
  },
)
