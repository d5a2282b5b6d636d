import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  checkJson,
  JSON_LIMITS,
  JsonError,
  numberOf,
  parseJson,
  UnrepresentableNumber,
} from '../../../src/infra/json.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const faultOf = (text: string | Buffer) => {
  try {
    parseJson(Buffer.from(text))
    return null
  } catch (error) {
    if (error instanceof JsonError) return error.message
    throw error
  }
}
const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join()}}`

describe('what is looked at before JSON is parsed', () => {
  test.each<[string, string | Buffer, RegExp | null]>([
    ['as many keys as there may be', keys(JSON_LIMITS.keys), null],
    ['one more', keys(JSON_LIMITS.keys + 1), /more than 10,000 keys/],
    ['as many elements', `[${'1,'.repeat(JSON_LIMITS.items - 1)}1]`, null],
    ['more elements', `[${'1,'.repeat(JSON_LIMITS.items + 1)}1]`, /more than 10,000 array elements/],
    ['as deep as may be', '['.repeat(JSON_LIMITS.depth) + ']'.repeat(JSON_LIMITS.depth), null],
    ['one level deeper', '['.repeat(JSON_LIMITS.depth + 1) + ']'.repeat(JSON_LIMITS.depth + 1), /more than 128 levels/],
    ['200,000 levels', '{"a":'.repeat(200_000), /more than 128 levels/],
    ['a text full of what would count outside', JSON.stringify({ a: '{[:,"\\'.repeat(50_000) }), null],
    ['a text that ends in a backslash', JSON.stringify({ a: '\\', b: '\\\\"' }), null],
    ['a text without an end', `{"a":"${'\\'.repeat(1000)}`, /not valid JSON/],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), /not valid UTF-8/],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not valid UTF-8/],
    ['nothing', '', /not valid JSON/],
  ])('%s', (_name, text, fault) => {
    if (fault === null) expect(faultOf(text)).toBe(null)
    else expect(faultOf(text)).toMatch(fault)
  })

  test.each([
    ['quotes', `{"a":"${'\\"'.repeat(500_000)}"}`],
    ['backslashes', `{"a":"${'\\\\'.repeat(500_000)}"}`],
    ['quotes without an end', `{"a":"${'\\"'.repeat(500_000)}`],
    ['short texts', `[${'"",'.repeat(300_000)}""]`],
    ['blanks', `{${' '.repeat(1_000_000)}}`],
    ['digits', '1'.repeat(1_000_000)],
    ['keys', keys(90_000)],
  ])('1 MB of %s takes a few milliseconds', (_name, text) => {
    const bytes = Buffer.from(text)
    // Processor time: other processes on the machine do not count.
    const times = Array.from({ length: 5 }, () => {
      const began = process.cpuUsage()
      try {
        checkJson(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError)
      }
      const { user, system } = process.cpuUsage(began)
      return (user + system) / 1000
    })
    expect(Math.min(...times)).toBeLessThan(25)
  })
})

test.each([
  ['0', 0],
  ['-0', -0],
  ['0.1', 0.1],
  ['1e21', 1e21],
  ['9007199254740991', 9007199254740991],
  ['9007199254740992', 9007199254740992],
  ['9007199254740993', null],
  ['-9007199254740993', null],
  ['123456789012345678901234567890', null],
  ['1e999', null],
  ['-1e999', null],
  ['1e-999', 0],
])('the number %s is kept as %s', (source, expected) => {
  const value = numberOf(source)
  if (expected === null) expect(value).toEqual(new UnrepresentableNumber(source))
  else expect(value).toBe(expected)
  expect(parseJson(Buffer.from(`{"a":[${source}]}`))).toEqual({ a: [value] })
})

describe('over the transports', () => {
  let guddesk: TestGudDesk
  const CREATE =
    'mutation ($input: UpsertVisitorInput!) { upsertVisitor(input: $input) { error { fields { path message } } } }'

  beforeAll(async () => {
    guddesk = await startGudDesk()
  })

  afterAll(() => guddesk?.stop())

  const post = (path: string, raw: string | Buffer, headers: Record<string, string> = {}) =>
    guddesk.call('POST', path, undefined, { raw, headers })

  test.each([
    ['80,000 keys', keys(80_000)],
    ['200,000 levels', `{"unknown":${'['.repeat(200_000)}${']'.repeat(200_000)},"name":"Vera"}`],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')])],
  ])('%s get 400 over REST, with an Idempotency-Key too', async (_name, raw) => {
    for (const headers of [{}, { 'idempotency-key': crypto.randomUUID() }]) {
      const { status, error } = await post('/api/v1/customers', raw, headers)
      expect([status, error.code]).toEqual([400, 'bad_request'])
    }
  })

  test.each([
    ['80,000 keys', Buffer.from(`{"query":"{ __typename }","variables":${keys(80_000)}}`)],
    [
      '200,000 levels',
      Buffer.from(`{"query":"{ __typename }","variables":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`),
    ],
    [
      'invalid UTF-8',
      Buffer.concat([
        Buffer.from(`{"query":"{ __typename }","variables":{"a":"`),
        Buffer.from([0xff]),
        Buffer.from('"}}'),
      ]),
    ],
  ])('%s get 400 over GraphQL, with a key and without', async (_name, raw) => {
    for (const key of [guddesk.tenant.key, null]) {
      const { status, body } = await guddesk.call('POST', '/graphql', undefined, { raw, key })
      expect(status).toBe(400)
      expect(body.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
    }
  })

  test('a variable is refused at its first fault, without the value that was sent', async () => {
    const input = { name: 'Vera', ...Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, 1])) }
    const { body } = await guddesk.graphql(CREATE, { input })
    expect(body.errors).toHaveLength(1)
    expect(body.errors[0].message).toMatch(/^Variable "\$input" got an invalid value; Field "k0" is not defined/)
    expect(body.errors[0].message.length).toBeLessThan(300)
  })

  test('at most 20 bad fields are named, and the others counted', async () => {
    const id = await guddesk.newConversation()
    const { status, error } = await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { tags: Array(5000).fill(1) })
    expect(status).toBe(400)
    expect(error.fields).toHaveLength(21)
    expect(error.fields?.at(-1)).toEqual({ path: '', message: '4980 more values are invalid' })
  })

  test.each(['1e999', '9007199254740993', '[{"a": -9007199254740995}]'])(
    'metadata with %s is refused, and nothing is stored',
    async (number) => {
      const fault = /must not contain the number .* send it as a string/
      const { status, error } = await post('/api/v1/customers', `{"name":"Vera","metadata":{"a":${number}}}`)
      expect(status).toBe(400)
      expect(error.fields).toMatchObject([{ path: 'metadata', message: expect.stringMatching(fault) }])
      const byVariable = await post(
        '/graphql',
        `{"query":${JSON.stringify(CREATE)},"variables":{"input":{"name":"Vera","metadata":{"a":${number}}}}}`,
      )
      const literal = CREATE.replace('($input: UpsertVisitorInput!)', '').replace(
        '$input',
        `{ name: "Vera", metadata: {a: ${number.replace('"a"', 'a')}} }`,
      )
      for (const { body } of [byVariable, await guddesk.graphql(literal)]) {
        expect(body.data.upsertVisitor).toEqual({
          error: { fields: [{ path: ['metadata'], message: expect.stringMatching(fault) }] },
        })
      }
    },
  )

  test('numbers of that kind in fields that nobody knows do no harm', async () => {
    const { status } = await post('/api/v1/customers', '{"name":"Vera","discordId":1234567890123456789}')
    expect(status).toBe(201)
  })

  test('an answer is bounded wherever its long fields stand, on every transport alike', async () => {
    const { data } = await guddesk.call('POST', '/api/v1/articles', { title: 'Long', body: '😀'.repeat(200_000) })
    const bodies = (count: number) => Array.from({ length: count }, (_, i) => `b${i}: body`).join(' ')
    const ask = (count: number) => guddesk.graphql(`{ node(id: "${data.id}") { ... on Article { ${bodies(count)} } } }`)
    expect(Object.keys((await ask(8)).body.data.node)).toHaveLength(8)
    for (let run = 0; run < 8; run++) {
      const { status, body } = await ask(40)
      expect([status, body.errors[0].extensions.code]).toEqual([200, 'bad_request'])
      expect(body.errors[0].message).toContain('exceed 8 MiB')
    }
  })

  test('nodes takes 100 ids', async () => {
    const ids = Array.from({ length: 101 }, () => guddesk.tenant.workspaceId)
    const ask = (count: number) =>
      guddesk.graphql('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ids.slice(0, count) })
    expect((await ask(100)).body.data.nodes).toHaveLength(100)
    expect((await ask(101)).body.errors).toMatchObject([
      { message: 'ids: must have at most 100 ids', extensions: { code: 'bad_request' } },
    ])
  })

  test.each(['application/json; charset=utf8', 'application/json;charset=UTF-8', 'application/json; charset="utf-8"'])(
    '%s is JSON',
    async (type) => {
      expect((await post('/graphql', '{"query":"{ __typename }"}', { 'content-type': type })).status).toBe(200)
      expect((await post('/api/v1/customers', '{"name":"Vera"}', { 'content-type': type })).status).toBe(201)
    },
  )
})
