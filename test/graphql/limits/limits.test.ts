import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS, type LimitName } from '../../../src/graphql/limits.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { overSse, overWebSocket } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

/** Text of a number of pieces. */
const many = (count: number, piece: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => piece(i)).join(' ')
const viewer = (fields: string) => `{ viewer { ${fields} } }`
const nested = (levels: number) => `{ ${'a { '.repeat(levels - 1)}a${' }'.repeat(levels)}`
const aliased = (count: number) => many(count, (i) => `a${i}: __typename`)

/** Each fragment spreads the next one twice. */
function doubling(count: number, last: string, on = 'Viewer'): string {
  return many(count, (i) => `fragment F${i} on ${on} { ${i === count - 1 ? last : `...F${i + 1} ...F${i + 1}`} }`)
}

/** Conversations with their messages. */
const pages = (outer: string, inner: string) =>
  `conversations${outer} { edges { node { id messages${inner} { edges { node { id } } } } } }`

/** An introspection query that goes from types to their fields to their types, and so on. */
const types = (rounds: number) =>
  `{ __schema { types { ${'fields { type { '.repeat(rounds)}name${' } }'.repeat(rounds)} } } }`

interface Case {
  readonly name: LimitName
  readonly value: number
  readonly query: string
  readonly variables?: object
}

const OVER: Record<string, Case> = {
  '2,001 tokens': {
    name: 'tokens',
    value: 2001,
    query: `mutation { upsertVisitor(input: { name: "x", metadata: { a: [${'1 '.repeat(1977)}] } }) { __typename } }`,
  },
  '10,000 aliases': { name: 'tokens', value: 2001, query: viewer(aliased(10_000)) },
  '5,000 directives': {
    name: 'tokens',
    value: 2001,
    query: viewer(`__typename ${'@include(if: true) '.repeat(5000)}`),
  },
  'half a megabyte of comment': {
    name: 'characters',
    value: 524_304,
    query: `#${'x'.repeat(524_288)}\n{ __typename }`,
  },
  'fields 20,000 deep': { name: 'nesting', value: 65, query: nested(20_000) },
  'braces that are never closed': { name: 'nesting', value: 65, query: '{a'.repeat(20_000) },
  'lists 20,000 deep': { name: 'nesting', value: 65, query: `{ a(b: ${'['.repeat(20_000)}` },
  'objects 20,000 deep': { name: 'nesting', value: 65, query: `{ a(b: ${'{a:'.repeat(20_000)}` },
  'a variable’s type 20,000 deep': { name: 'nesting', value: 65, query: `query ($a: ${'['.repeat(20_000)}` },
  '13 levels': { name: 'depth', value: 13, query: nested(13) },
  '13 levels through a fragment': {
    name: 'depth',
    value: 13,
    query: `{ viewer { ...F } } fragment F on Viewer ${nested(12)}`,
  },
  '51 aliases': { name: 'aliases', value: 51, query: viewer(aliased(51)) },
  '60 aliases through a fragment': {
    name: 'aliases',
    value: 60,
    query: `{ viewer { ${'...F '.repeat(6)} } } fragment F on Viewer { ${aliased(10)} }`,
  },
  'fragments that double 60 times': {
    name: 'aliases',
    value: Number.MAX_SAFE_INTEGER,
    query: `{ viewer { ...F0 } } ${doubling(60, 'a: __typename')}`,
  },
  'fragments that double 100 times, without aliases': {
    name: 'complexity',
    value: Number.MAX_SAFE_INTEGER,
    query: `{ viewer { ...F0 } } ${doubling(100, '__typename')}`,
  },
  '21 root fields': { name: 'rootFields', value: 21, query: `{ ${'__typename '.repeat(21)} }` },
  '21 root fields in fragments': {
    name: 'rootFields',
    value: 21,
    query: `{ __typename ... { ...F ...F } } fragment F on Query { ${'__typename '.repeat(10)} }`,
  },
  '11 directives': { name: 'directives', value: 11, query: viewer(`__typename ${'@skip(if: false) '.repeat(11)}`) },
  '11 directives of an operation': { name: 'directives', value: 11, query: `query ${'@a '.repeat(11)} { __typename }` },
  'pages of 100 in pages of 100': {
    name: 'complexity',
    value: 1 + 100 * (3 + 1 + 100 * 3),
    query: `{ ${pages('(first: 100)', '(first: 100)')} }`,
  },
  'the same by variables': {
    name: 'complexity',
    value: 1 + 90 * (3 + 1 + 80 * 3),
    query: `query ($a: Int, $b: Int = 80) { ${pages('(first: $a)', '(first: $b)')} }`,
    variables: { a: 90 },
  },
  'pages whose size is left out': {
    name: 'complexity',
    value: 1 + 100 * (3 + 1 + 25 * 3),
    query: `{ ${pages('(first: 100)', '')} }`,
  },
  'a page of a billion': {
    name: 'complexity',
    value: 3_000_000_001,
    query: '{ conversations(first: 1000000000) { edges { node { id } } } }',
  },
  'many pages side by side': {
    name: 'complexity',
    value: 20 * (1 + 100 * 3),
    query: `{ ${many(20, (i) => `a${i}: conversations(first: 100) { edges { node { id } } }`)} }`,
  },
  'thousands of ids': {
    name: 'complexity',
    value: 55_001,
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: { ids: Array.from({ length: 5000 }, () => 'x') },
  },
  'introspection from type to type': {
    name: 'complexity',
    value: Math.ceil((1 + Object.keys(schema.getTypeMap()).length * 222_221) / 260),
    query: types(5),
  },
  'introspection 17 levels deep': { name: 'introspectionDepth', value: 17, query: types(7) },
}

describe.each(Object.entries(OVER))('%s', (_name, { name, value, query, variables }) => {
  test('are refused over HTTP, at once', async () => {
    const began = performance.now()
    const { status, body } = await guddesk.graphql(query, variables)
    expect(performance.now() - began).toBeLessThan(500)
    expect(status).toBe(400)
    expect(Object.keys(body)).toEqual(['errors'])
    expect(body.errors).toHaveLength(1)
    const [{ message, extensions }] = body.errors
    expect(extensions).toEqual({ code: 'bad_request', limit: { name, max: LIMITS[name], value } })
    expect(message).toMatch(new RegExp(`has ${value} .*, more than the maximum of ${LIMITS[name]}: `))
  })

  test('are refused over graphql-ws, and end that operation only', async () => {
    const live = overWebSocket(guddesk, variables, { query })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.errors).toHaveLength(1)
    expect(live.errors[0]?.extensions).toEqual({ code: 'bad_request', limit: { name, max: LIMITS[name], value } })
  })
})

test('every limit has a case', () => {
  expect([...new Set(Object.values(OVER).map(({ name }) => name))].sort()).toEqual(Object.keys(LIMITS).sort())
})

test('server-sent events have the limits too', async () => {
  const query = `subscription { events { cursor } } # ${'x'.repeat(100_000)}`
  const live = overSse(guddesk, {}, { query })
  await until(() => live.isEnded())
  await live.stop()
  expect(live.errors).toMatchObject([{ status: 400, extensions: { limit: { name: 'characters' } } }])
})

describe('up to the limit', () => {
  test.each([
    [
      '2,000 tokens',
      `mutation { upsertVisitor(input: { name: "x", metadata: { a: [${'1 '.repeat(1976)}] } }) { __typename } }`,
    ],
    ['50 aliases', viewer(aliased(50))],
    ['20 root fields', `{ ${'__typename '.repeat(20)} }`],
    ['a cost of 4,976', `{ ${pages('(first: 25)', '(first: 65)')} }`],
  ])('%s are answered', async (_name, query) => {
    const { status, body } = await guddesk.graphql(query)
    expect(body.errors).toBeUndefined()
    expect(status).toBe(200)
  })

  test.each([
    ['12 levels', nested(12)],
    ['10 directives', viewer(`__typename ${'@skip(if: false) '.repeat(10)}`)],
    ['fragments in a circle', '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A ...B }'],
    ['an unknown fragment', '{ viewer { ...A } }'],
  ])('%s are left to validation', async (_name, query) => {
    const began = performance.now()
    const { body } = await guddesk.graphql(query)
    expect(performance.now() - began).toBeLessThan(500)
    expect(body.errors.length).toBeGreaterThan(0)
    for (const { extensions } of body.errors) expect(extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED' })
  })

  test('only the operation that is going to run is measured', async () => {
    const query = `query Small { __typename } query Large { ${pages('(first: 100)', '(first: 100)')} }`
    const ask = (operationName: string) => guddesk.call('POST', '/graphql', { query, operationName })
    expect((await ask('Small')).status).toBe(200)
    expect((await ask('Large')).status).toBe(400)
  })

  test('variables decide anew each time, although the document is remembered', async () => {
    const query = `query ($first: Int) { ${pages('(first: $first)', '(first: 60)')} }`
    expect((await guddesk.graphql(query, { first: 5 })).status).toBe(200)
    expect((await guddesk.graphql(query, { first: 50 })).status).toBe(400)
    expect((await guddesk.graphql(query, { first: 5 })).status).toBe(200)
  })
})

describe('introspection', () => {
  test('as GraphiQL asks for it is possible, once in an operation', async () => {
    for (const isFull of [false, true]) {
      const options = {
        inputValueDeprecation: isFull,
        schemaDescription: isFull,
        specifiedByUrl: isFull,
        oneOf: isFull,
      }
      const { body } = await guddesk.graphql(getIntrospectionQuery({ ...options, directiveIsRepeatable: isFull }))
      expect(body.errors).toBeUndefined()
      expect(body.data.__schema.types.length).toBeGreaterThan(20)
      expect(body.extensions.cost.requested).toBeGreaterThan(LIMITS.complexity / 2)
    }
  })
})
