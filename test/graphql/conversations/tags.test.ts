import { afterAll, beforeAll, expect, test } from 'vitest'
import { graphql, present } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let other: Tenant

const COUNTS: Record<string, number> = {
  'apple pie': 2,
  Apples: 3,
  bug: 1,
  Ärger: 1,
  '100%': 2,
  '100x': 1,
  vip: 4,
  VIP: 1,
  a_b: 1,
  acb: 1,
}

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  other = await guddesk.newTenant()
  for (const [i, tags] of [
    ['vip', 'Apples', '100%'],
    ['vip', 'Apples', '100%', 'bug'],
    ['vip', 'apple pie', 'Apples'],
    ['vip', 'apple pie', 'Ärger'],
    ['VIP', '100x', 'a_b', 'acb'],
    [],
  ].entries()) {
    const id = await guddesk.newConversation()
    await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { tags, ...(i === 0 && { status: 'CLOSED' }) })
  }
  const theirs = await guddesk.newConversation(other)
  await guddesk.call('PATCH', `/api/v1/conversations/${theirs}`, { tags: ['vip', 'theirs'] }, { key: other.key })
})

afterAll(() => guddesk?.stop())

const TAGS = graphql(`query ($text: String, $first: Int, $after: String, $last: Int, $before: String) {
  tags(text: $text, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { name conversationCount } }
  }
}`)

async function tags(variables: object = {}, key = guddesk.tenant.key) {
  const { totalCount, pageInfo, edges } = present((await guddesk.query(TAGS, variables, { key })).tags)
  return { totalCount, ...pageInfo, names: edges.map(({ node }) => node.name), nodes: edges.map(({ node }) => node) }
}

const inOrder = (names: readonly string[]) =>
  names.toSorted((a, b) => {
    const [one, two] = [a.toLowerCase(), b.toLowerCase()]
    return one === two ? (a < b ? -1 : 1) : one < two ? -1 : 1
  })
const ALL = inOrder(Object.keys(COUNTS))

test('are counted, in the order of the alphabet, each spelling by itself', async () => {
  const { nodes, totalCount } = await tags()
  expect(nodes).toEqual(ALL.map((name) => ({ name, conversationCount: COUNTS[name] })))
  expect(totalCount).toBe(ALL.length)
  expect(ALL.indexOf('Apples')).toBe(ALL.indexOf('apple pie') + 1)
})

test('are those of one workspace', async () => {
  expect((await tags({}, other.key)).nodes).toEqual([
    { name: 'theirs', conversationCount: 1 },
    { name: 'vip', conversationCount: 1 },
  ])
})

test.each([
  ['APPLE', ['apple pie', 'Apples']],
  ['vip', ['VIP', 'vip']],
  ['ä', ['Ärger']],
  ['100%', ['100%']],
  ['a_', ['a_b']],
  ['%', []],
  ['\\', []],
  ['pie', []],
])('%j finds those that begin with it: %j', async (text, expected) => {
  const { names, totalCount } = await tags({ text })
  expect(names).toEqual(expected)
  expect(totalCount).toBe(expected.length)
})

test('are walked through in both directions, also with a filter', async () => {
  for (const text of [undefined, 'a']) {
    const whole = await tags({ text })
    for (const isForwards of [true, false]) {
      const walked: string[] = []
      for (let cursor: string | null = null; ; ) {
        const range = isForwards ? { first: 2, after: cursor } : { last: 2, before: cursor }
        const page = await tags({ text, ...range })
        if (isForwards) walked.push(...page.names)
        else walked.unshift(...page.names)
        if (!(isForwards ? page.hasNextPage : page.hasPreviousPage)) break
        cursor = isForwards ? page.endCursor : page.startCursor
      }
      expect(walked).toEqual(whole.names)
    }
  }
})

test.each([
  { text: '' },
  { text: ' ' },
  { text: 'x'.repeat(51) },
  { text: '\u0000' },
  { first: 0 },
  { first: 101 },
  { after: 'nonsense' },
  { after: Buffer.from('["a\\u0000","a"]').toString('base64url') },
])('%j is refused', async (variables) => {
  const { body } = await guddesk.graphql(TAGS, variables)
  expect(body.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
})
