import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'

// What is written to break a server rather than to ask it something. Limits and HTTP have their own files.

/** Often enough to be compiled in between. */
const RUNS = 8

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

/** Sends JSON as text: JSON.stringify leaves out what JSON.parse makes of `__proto__`. */
const send = (raw: string) => guddesk.call('POST', '/graphql', undefined, { raw })

async function repeat<T>(ask: () => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let i = 0; i < RUNS; i++) all.push(await ask())
  return all
}

describe('names that objects have already', () => {
  const POLLUTED = ['polluted', 'isAdmin', 'toJSON']

  test.each([
    [
      'variables',
      '{"query":"{ __typename }","variables":{"__proto__":{"polluted":1},"constructor":{"prototype":{"isAdmin":1}}}}',
    ],
    ['the request', '{"query":"{ __typename }","__proto__":{"polluted":1}}'],
    ['extensions', '{"query":"{ __typename }","extensions":{"__proto__":{"polluted":1}}}'],
  ])('in %s change nothing', async (_name, raw) => {
    for (const { status, body } of await repeat(() => send(raw))) {
      expect(body.errors?.[0]?.extensions.code).not.toBe('internal_error')
      expect(status).toBeLessThan(500)
    }
    for (const name of POLLUTED) expect(({} as Record<string, unknown>)[name]).toBeUndefined()
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'a variable, an alias and an operation may be called %s',
    async (name) => {
      const query = `query ${name}($${name}: Int = 3) { ${name}: conversations(first: $${name}) { ${name}: totalCount } }`
      const answers = await repeat(() => guddesk.call('POST', '/graphql', { query, operationName: name }))
      for (const { status, body } of answers) {
        expect([status, body.errors]).toEqual([200, undefined])
        expect(Object.keys(body.data)).toEqual([name])
        expect(Object.keys(body.data[name])).toEqual([name])
      }
    },
  )

  test.each(['__proto__', 'constructor', 'toString'])(
    'there is no field, type, operation or fragment %s',
    async (name) => {
      const queries = [
        `{ ${name} }`,
        `query ($a: ${name}) { __typename }`,
        `{ viewer { ...${name} } }`,
        `{ viewer { ... on ${name} { __typename } } }`,
        `{ __typename @${name} }`,
      ]
      for (const query of queries) {
        const { body } = await guddesk.graphql(query)
        expect([query, body.errors?.[0].extensions.code]).toEqual([query, 'GRAPHQL_VALIDATION_FAILED'])
      }
      const { body } = await guddesk.call('POST', '/graphql', { query: 'query A { __typename }', operationName: name })
      expect(body.errors[0].extensions.code).toBe('bad_request')
    },
  )

  test('in metadata are kept as they are', async () => {
    const query =
      'mutation ($input: UpsertVisitorInput!) { upsertVisitor(input: $input) { visitor { id metadata } error { code } } }'
    const metadata = '{"__proto__":{"polluted":1},"constructor":"x"}'
    const { body } = await send(
      `{"query":${JSON.stringify(query)},"variables":{"input":{"name":"Vera","metadata":${metadata}}}}`,
    )
    expect(JSON.stringify(body)).not.toContain('internal_error')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('texts within a query', () => {
  test.each(['"', '\\', '`$`', "');process.exit(1);('", '\u2028', '</script>', '\u0000', '*/'])(
    '%j is a text wherever it stands',
    async (text) => {
      const query = `{ conversation(id: ${JSON.stringify(text)}) { id } }`
      for (const { status, body } of await repeat(() => guddesk.graphql(query))) {
        expect([status, body.data]).toEqual([200, { conversation: null }])
      }
    },
  )
})

describe('directives that are not there', () => {
  test.each([
    '{ viewer { ... @defer { actor { displayName } } } }',
    '{ workspace { members { edges @stream(initialCount: 1) { cursor } } } }',
    '{ ... @defer(label: "a") { __typename } }',
  ])('%s is refused', async (query) => {
    const { body } = await guddesk.graphql(query)
    expect(body.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    const live = overWebSocket(guddesk, {}, { query })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.errors.length).toBeGreaterThan(0)
  })
})

describe('variables that are huge', () => {
  test('a text of nearly a MiB is judged, not stored', async () => {
    const { body } = await guddesk.graphql('query ($id: ID!) { node(id: $id) { id } }', { id: 'x'.repeat(1_000_000) })
    expect(body.data).toEqual({ node: null })
  })

  test.each([
    [9000, 200],
    [50_000, 400],
  ])('%d variables that nobody declared get %d', async (count, expected) => {
    const variables = Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, i]))
    const began = performance.now()
    const { status } = await guddesk.graphql('{ __typename }', variables)
    expect(status).toBe(expected)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  test('a value that is wrong is not said back in full, nor once for each of its faults', async () => {
    const query = 'query ($f: ConversationFilter) { conversations(filter: $f) { totalCount } }'
    const numbers = Array.from({ length: 100_000 }, (_, i) => i)
    const faults = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`unknown${i}`, 1]))
    for (const filter of [{ text: numbers }, { ...faults, text: 'x'.repeat(900_000) }]) {
      const { body } = await guddesk.graphql(query, { f: filter })
      expect(body.errors[0].extensions.code).toBe('bad_request')
      expect(JSON.stringify(body).length).toBeLessThan(100_000)
    }
  })
})
