import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// Queries are compiled once they have come a few times: nobody may notice but by the time it takes.

const RUNS = 8

let guddesk: TestGudDesk
let ids: { conversation: string; visitor: string }

beforeAll(async () => {
  guddesk = await startGudDesk()
  const visitor = await guddesk.newVisitor()
  const { data } = await guddesk.call('POST', '/api/v1/conversations', { visitorId: visitor, message: 'Hello' })
  const patch = { assigneeId: guddesk.tenant.memberId, tags: ['a'], metadata: { deep: [1, { x: null }] } }
  await guddesk.call('PATCH', `/api/v1/conversations/${data.id}`, patch)
  ids = { conversation: data.id, visitor }
})

afterAll(() => guddesk?.stop())

/** The answers to a query that comes again and again: executed the first times, compiled the last ones. */
async function answers(query: string, variables: object = {}, key?: string | null): Promise<Answer[]> {
  const all: Answer[] = []
  for (let i = 0; i < RUNS; i++) all.push(await guddesk.graphql(query, variables, key === undefined ? {} : { key }))
  return all
}

const shapeOf = ({ status, body }: Answer) => ({ status, body: JSON.stringify(body).replaceAll(/req_\w+/g, 'req_') })

const QUERIES: [string, string, (() => object)?][] = [
  [
    'a list with everything in it',
    `{ conversations(first: 5) { totalCount pageInfo { hasNextPage } edges { node {
      __typename id status tags metadata createdAt visitor { id name } assignee { name role }
      messages(last: 2) { totalCount edges { node { body type } } }
    } } } }`,
  ],
  [
    'an interface',
    'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Visitor { name } } }',
    () => ({
      ids: [ids.visitor, ids.conversation, 'x'],
    }),
  ],
  [
    'aliases, fragments and conditions',
    `query ($yes: Boolean!, $no: Boolean!) {
    a: workspace { ...W } b: workspace @include(if: $no) { id } c: workspace @skip(if: $no) { slug @include(if: $yes) }
  } fragment W on Workspace { id name members { edges { node { ... on Member { name } } } } }`,
    () => ({ yes: true, no: false }),
  ],
  ['the schema', '{ __schema { queryType { name } } __type(name: "Visitor") { fields { name } } }'],
  ['default values', 'query ($first: Int = 1) { conversations(first: $first) { edges { node { id } } } }'],
  ['a value that is out of range', '{ viewer { actor { displayName } } conversations(first: 0) { totalCount } }'],
  [
    'a variable of a wrong type',
    'query ($first: Int) { conversations(first: $first) { totalCount } }',
    () => ({ first: 'x' }),
  ],
  ['a missing variable', 'query ($id: ID!) { conversation(id: $id) { id } }'],
]

test.each(QUERIES)('%s: the last answer is the first one', async (_name, query, variables) => {
  const all = await answers(query, variables?.())
  expect(all.map(shapeOf)).toEqual(all.map(() => shapeOf(all[0] as Answer)))
})

test('without a key it stays unauthorized', async () => {
  const all = await answers('{ conversations { totalCount } }', {}, null)
  expect(new Set(all.map(({ status, body }) => `${status} ${body.errors[0].extensions.code}`))).toEqual(
    new Set(['401 unauthorized']),
  )
})

test('values are each request’s own, also side by side', async () => {
  const query = 'query ($id: ID!) { node(id: $id) { id } }'
  await answers(query, { id: ids.visitor })
  const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? ids.visitor : ids.conversation))
  const found = await Promise.all(asked.map(async (id) => (await guddesk.graphql(query, { id })).data.node.id))
  expect(found).toEqual(asked)
  const other = await guddesk.newTenant()
  expect((await guddesk.graphql(query, { id: ids.visitor }, { key: other.key })).data.node).toBeNull()
})

test('what goes wrong in a compiled query is masked, logged once and told with its place', async () => {
  const query = '{ list: conversations(first: 3) { totalCount } }'
  await answers(query)
  const rename = (from: string, to: string) => guddesk.deps.db.sql(`ALTER TABLE ${from} RENAME TO ${to}`)
  const failures = () => guddesk.logs.filter(({ msg }) => msg === 'GraphQL operation failed').length
  const before = failures()
  await rename('conversations', 'out_of_the_way')
  try {
    const { body, headers } = await guddesk.graphql(query)
    const extensions = { code: 'internal_error', requestId: headers.get('x-request-id') }
    const place = { path: ['list'], locations: [{ line: 1, column: 3 }] }
    expect(body.errors).toEqual([{ message: 'Something went wrong on our side', ...place, extensions }])
    expect(failures()).toBe(before + 1)
  } finally {
    await rename('out_of_the_way', 'conversations')
  }
  expect((await guddesk.graphql(query)).data).toEqual({ list: { totalCount: 1 } })
})

test('one of several operations is run by its name', async () => {
  const query = 'query A { viewer { actor { displayName } } } query B { workspace { slug } }'
  for (let i = 0; i < RUNS; i++) {
    const ask = async (operationName: string) => (await guddesk.call('POST', '/graphql', { query, operationName })).data
    expect(await ask('A')).toEqual({ viewer: { actor: { displayName: 'First key' } } })
    expect(await ask('B')).toEqual({ workspace: { slug: 'my-workspace' } })
  }
})
