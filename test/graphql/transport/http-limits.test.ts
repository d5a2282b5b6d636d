import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchCredentials } from '../../../src/auth/credential-watch.ts'
import { createGraphQL } from '../../../src/graphql/server.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { anAuthenticator, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

const MUTATION = 'mutation { upsertVisitor(input: { name: "x" }) { __typename } }'
const JSON_BODY = JSON.stringify({ query: '{ viewer { actor { displayName } } }' })

/** A POST with exactly these headers and the credential: fetch would add a content type. */
function post(body: string, headers: Record<string, string>) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const authorization = `Bearer ${guddesk.tenant.key}`
    const sent = request(`${guddesk.origin}/graphql`, { method: 'POST', headers: { authorization, ...headers } })
    sent.on('error', reject).on('response', async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
    })
    sent.end(body)
  })
}

describe('a POST', () => {
  const FORM = new URLSearchParams({ query: MUTATION }).toString()
  const PART = `--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query: MUTATION })}`
  const MAP = '\r\n--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--b--\r\n'
  const JSON_MUTATION = JSON.stringify({ query: MUTATION })

  test.each([
    ['a form', FORM, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a multipart form', PART + MAP, { 'content-type': 'multipart/form-data; boundary=b' }],
    ['text', JSON_MUTATION, { 'content-type': 'text/plain' }],
    ['a GraphQL document', MUTATION, { 'content-type': 'application/graphql' }],
    ['no content type', JSON_MUTATION, {}],
    ['an empty content type', JSON_MUTATION, { 'content-type': '' }],
    ['JSON in another charset', JSON_MUTATION, { 'content-type': 'application/json; charset=utf-16' }],
    ['a content encoding', JSON_MUTATION, { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('with %s is refused', async (_name, body, headers: Record<string, string>) => {
    const { status, text } = await post(body, headers)
    expect(status).toBe(415)
    expect(JSON.parse(text)).toEqual({
      errors: [{ message: expect.stringMatching(/^Send /), extensions: { code: 'unsupported_media_type' } }],
    })
    expect(await guddesk.deps.db.prisma.visitor.count()).toBe(0)
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON',
  ])('with %s is read', async (type) => {
    const { status, text } = await post(JSON_BODY, { 'content-type': type })
    expect(status).toBe(200)
    expect(JSON.parse(text).data).toEqual({ viewer: { actor: { displayName: 'First key' } } })
  })

  test('with several operations is refused', async () => {
    const { status, body } = await guddesk.call('POST', '/graphql', [JSON.parse(JSON_BODY), JSON.parse(JSON_BODY)])
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ message: 'Batching is not supported.' }])
  })

  test('with malformed JSON tells nothing of the parser', async () => {
    const { status, text } = await post('{"query": secret}', { 'content-type': 'application/json' })
    expect(status).toBe(400)
    expect(JSON.parse(text).errors).toEqual([
      { message: 'The body is not valid JSON', extensions: { code: 'bad_request' } },
    ])
  })

  test('with variables 100,000 levels deep is the client’s fault', async () => {
    const query = 'mutation ($in: UpsertVisitorInput!) { upsertVisitor(input: $in) { __typename } }'
    for (const levels of [1000, 100_000]) {
      const deep = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
      const raw = `{"query":${JSON.stringify(query)},"variables":{"in":{"name":"x","metadata":${deep}}}}`
      const { body } = await guddesk.call('POST', '/graphql', undefined, { raw })
      expect(JSON.stringify(body)).not.toContain('internal_error')
    }
  })
})

describe('a GET', () => {
  const get = (search: Record<string, string>, method = 'GET') =>
    guddesk.call(method, `/graphql?${new URLSearchParams(search)}`)

  test('may query without any header of its own', async () => {
    const { status, data } = await get({
      query: 'query ($n: Int) { conversations(first: $n) { totalCount } }',
      variables: '{"n":2}',
    })
    expect([status, data]).toEqual([200, { conversations: { totalCount: 0 } }])
  })

  test('may not mutate', async () => {
    const { status, headers } = await get({ query: MUTATION })
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
    expect(await guddesk.deps.db.prisma.visitor.count()).toBe(0)
  })

  test.each(['variables', 'extensions'])('with malformed %s is the client’s fault', async (name) => {
    const { status, body } = await get({ query: '{ __typename }', [name]: '{' })
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('is not a %s', async (method) => {
    const { status, headers } = await get({ query: '{ __typename }' }, method)
    expect([status, headers.get('allow')]).toEqual([405, 'GET, POST'])
  })
})

describe('names of the schema', () => {
  const GUESSES: [string, string, object?][] = [
    ['a field', '{ viewer { actr { name } } }'],
    ['an argument', '{ conversations(frst: 1) { totalCount } }'],
    ['a type', 'query ($a: Conversatio) { viewer { ... on View { __typename } } }'],
    [
      'a subscription’s variable',
      'subscription ($t: [EventType!]) { events(filter: { types: $t }) { cursor } }',
      { t: ['PINGG'] },
    ],
    ['an enum value', '{ conversations(filter: { statuses: OPENED }) { totalCount } }'],
    [
      'a variable’s value',
      'query ($f: ConversationFilter) { conversations(filter: $f) { totalCount } }',
      { f: { statuse: 1 } },
    ],
  ]
  /** Served as in production: other variables than this one want servers that are not here. */
  let production: Server
  let hidden: TestGudDesk

  beforeAll(async () => {
    const { deps } = guddesk
    const authenticator = anAuthenticator(deps)
    const context = { deps, streams: openStreams(deps), credentials: watchCredentials(deps), authenticator }
    const yoga = createGraphQL({ ...context, isDevelopment: false, introspection: true })
    production = createServer((req, res) => void yoga.handle(req, res, { req, requestId: 'req_test' }))
    await new Promise<void>((resolve) => production.listen(0, '127.0.0.1', resolve))
    hidden = await startGudDesk({ env: { GRAPHQL_INTROSPECTION: 'off' } })
  })

  afterAll(async () => {
    production?.close()
    await hidden?.stop()
  })

  test.each(GUESSES)('%s is suggested in development only', async (_name, query, variables = {}) => {
    const { body } = await guddesk.graphql(query, variables)
    expect(JSON.stringify(body.errors)).toContain('Did you mean')
    const inProduction = `http://127.0.0.1:${(production.address() as AddressInfo).port}`
    for (const origin of [hidden.origin, inProduction]) {
      const key = origin === hidden.origin ? hidden.tenant.key : guddesk.tenant.key
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
      const init = { method: 'POST', headers, body: JSON.stringify({ query, variables }) }
      const text = await (await fetch(`${origin}/graphql`, init)).text()
      expect(JSON.parse(text).errors.length).toBeGreaterThan(0)
      expect(text).not.toContain('Did you mean')
    }
  })

  test('introspection and GraphiQL obey GRAPHQL_INTROSPECTION', async () => {
    for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Query") { name } }']) {
      expect((await guddesk.graphql(query)).body.errors).toBeUndefined()
      expect((await hidden.graphql(query)).body.errors.length).toBeGreaterThan(0)
    }
    const page = (at: TestGudDesk) => fetch(`${at.origin}/graphql`, { headers: { accept: 'text/html' } })
    expect(await (await page(guddesk)).text()).toContain('GraphiQL')
    expect(await (await page(hidden)).text()).not.toContain('GraphiQL')
  })
})

describe('an unexpected error', () => {
  const rename = (from: string, to: string) => guddesk.deps.db.sql(`ALTER TABLE ${from} RENAME TO ${to}`)
  const logged = () => guddesk.logs.filter(({ msg }) => msg === 'GraphQL operation failed').at(-1)
  const query = '{ conversations { totalCount } }'

  beforeAll(() => rename('conversations', 'out_of_the_way'))
  afterAll(() => rename('out_of_the_way', 'conversations'))

  test('quotes the request’s id over HTTP, and so does the log', async () => {
    const { body, headers } = await guddesk.graphql(query)
    const requestId = headers.get('x-request-id')
    expect(requestId).toMatch(/^req_/)
    expect(body.errors).toMatchObject([{ extensions: { code: 'internal_error', requestId } }])
    expect(logged()).toMatchObject({ requestId })
  })

  test('quotes an id of its own over graphql-ws', async () => {
    const live = overWebSocket(guddesk, {}, { query })
    await until(() => live.isEnded())
    await live.stop()
    const requestId = logged()?.['requestId']
    expect(requestId).toMatch(/^req_/)
    expect(live.errors).toMatchObject([{ extensions: { code: 'internal_error', requestId } }])
  })
})

describe('extensions.cost', () => {
  const COSTS: [string, number, object?][] = [
    ['{ __typename }', 1],
    ['{ viewer { actor { displayName } } }', 3],
    ['{ conversations(first: 10) { totalCount edges { node { id } } } }', 1 + 10 * 4],
    ['{ conversations { totalCount } }', 1 + 25],
    ['query ($n: Int) { conversations(first: $n) { totalCount } }', 1 + 7, { n: 7 }],
    ['query ($n: Int = 9) { conversations(first: $n) { totalCount } }', 1 + 9],
    ['query ($n: Int = 9) { conversations(first: $n) { totalCount } }', 1 + 25, { n: null }],
    ['{ workspace { members(first: 10) { edges { node { name } } } } }', 2 + 10 * 3],
    ['{ workspace { members { totalCount } } }', 2 + 25],
    ['{ agents(first: 2) { edges { node { webhookEndpoints(first: 3) { totalCount } } } } }', 1 + 2 * (3 + 3)],
    ['{ deliveries(first: 1) { edges { node { attempts { number } } } } }', 1 + 3 + 10],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', 1 + 30 * 11, { ids: Array.from({ length: 30 }, () => 'x') }],
    ['{ viewer { ...A ...A } } fragment A on Viewer { actor { displayName } }', 1 + 4],
  ]

  test.each(COSTS)('of %s is %d', async (query, requested, variables = {}) => {
    const { body } = await guddesk.graphql(query, variables)
    expect(body.errors).toBeUndefined()
    expect(body.extensions).toEqual({ cost: { requested, max: 5000 } })
  })

  test('stands beside errors of execution, too', async () => {
    const { body } = await guddesk.graphql('{ conversations(first: 0) { totalCount } }')
    expect(body.errors).toHaveLength(1)
    expect(body.extensions.cost.requested).toBe(2)
  })

  test('stands in a result that is sent as an event', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${guddesk.tenant.key}` }
    const init = { method: 'POST', headers: { ...headers, accept: 'text/event-stream' } }
    const body = JSON.stringify({ query: '{ viewer { actor { displayName } } }' })
    const text = await (await fetch(`${guddesk.origin}/graphql`, { ...init, body })).text()
    const [, data = ''] = /^data: (.+)$/m.exec(text) ?? []
    expect(JSON.parse(data)).toMatchObject({ extensions: { cost: { requested: 3, max: 5000 } } })
  })
})
