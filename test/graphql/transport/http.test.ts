import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const MIB = 1_048_576
const BY_PAGE = 'query ($first: Int) { conversations(first: $first) { totalCount } }'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

describe('requests', () => {
  /** A query that is padded to a size in bytes. */
  function sized(bytes: number): string {
    const query = '{ viewer { actor { displayName } } }'
    const bare = Buffer.byteLength(JSON.stringify({ query, extensions: { pad: '' } }))
    return JSON.stringify({ query, extensions: { pad: 'x'.repeat(bytes - bare) } })
  }

  test('may have 1 MiB and not a byte more', async () => {
    const fits = await guddesk.graphql('', {}, {})
    expect(fits.body.errors).toHaveLength(1)
    const largest = await guddesk.call('POST', '/graphql', undefined, { raw: sized(MIB) })
    expect(largest.data).toEqual({ viewer: { actor: { displayName: 'First key' } } })
    const larger = await guddesk.call('POST', '/graphql', undefined, { raw: sized(MIB + 1) })
    expect(larger.status).toBe(413)
    expect(larger.error).toMatchObject({ code: 'payload_too_large', status: 413 })
  })

  test('that do not say how long they are, are cut off too', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(100_000).fill(32))
        controller.close()
      },
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${guddesk.tenant.key}` }
    const init = { method: 'POST', headers, body, duplex: 'half' } as const
    const response = await fetch(`${guddesk.origin}/graphql`, init)
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'payload_too_large' } })
  })

  const FAULTS: [string, string | Buffer][] = [
    ['malformed JSON', '{"query":'],
    ['no JSON', 'query'],
    ['nothing', ''],
    ['text', '"{ viewer { actor { id } } }"'],
    ['null', 'null'],
    ['a number', '1'],
    ['an empty object', '{}'],
    ['a query that is no text', '{"query":1}'],
    ['variables that are no object', '{"query":"{ __typename }","variables":"x"}'],
    ['many operations', '[{"query":"{ __typename }"},{"query":"{ __typename }"}]'],
    ['a syntax error', '{"query":"{ viewer "}'],
    ['an unknown field', '{"query":"{ nothing }"}'],
    ['a wrong enum value', '{"query":"{ conversations(filter: { statuses: GONE }) { totalCount } }"}'],
    ['a variable of a wrong type', `{"query":${JSON.stringify(BY_PAGE)},"variables":{"first":"x"}}`],
    ['an integer that is too large', `{"query":${JSON.stringify(BY_PAGE)},"variables":{"first":2147483648}}`],
    ['a missing variable', '{"query":"query ($id: ID!) { conversation(id: $id) { id } }"}'],
    ['an operation name that nothing has', '{"query":"query A { __typename }","operationName":"B"}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ]

  describe.each(FAULTS)('with %s', (_name, raw) => {
    test('are refused as the client’s fault', async () => {
      const headers = { accept: 'application/graphql-response+json' }
      const { status, body, headers: given } = await guddesk.call('POST', '/graphql', undefined, { raw, headers })
      expect([status, body.data ?? null]).toEqual([400, null])
      expect(given.get('content-type')).toMatch(/^application\/graphql-response\+json/)
      expect(JSON.stringify(body)).not.toMatch(/internal_error|Something went wrong|\.ts:|node_modules/)
    })

    // Clients of the older media type may get 200: they look for `errors`.
    test('carry a code for whoever accepts plain JSON', async () => {
      const { status, body, headers } = await guddesk.call('POST', '/graphql', undefined, { raw })
      expect([200, 400]).toContain(status)
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      expect(body.errors).toEqual([expect.objectContaining({ message: expect.any(String) })])
      expect(body.errors[0].extensions?.code).toEqual(expect.stringMatching(/^[A-Za-z_]+$/))
      expect(body.errors[0].extensions?.code).not.toBe('internal_error')
    })
  })

  test('may be GET for a query, not for a mutation', async () => {
    const query = encodeURIComponent('{ viewer { actor { displayName } } }')
    const read = await guddesk.call('GET', `/graphql?query=${query}`)
    expect(read.data).toEqual({ viewer: { actor: { displayName: 'First key' } } })
    const mutation = encodeURIComponent('mutation { upsertVisitor(input: { name: "x" }) { __typename } }')
    const write = await guddesk.call('GET', `/graphql?query=${mutation}`)
    expect(write.status).toBe(405)
    expect(await guddesk.deps.db.prisma.visitor.count()).toBe(0)
  })

  test('all get an X-Request-Id, their own if they bring one', async () => {
    const made = await guddesk.graphql('{ __typename }')
    expect(made.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    const headers = { 'x-request-id': 'my-own-request-1' }
    expect((await guddesk.graphql('{ __typename }', {}, { headers })).headers.get('x-request-id')).toBe(
      'my-own-request-1',
    )
    const refused = await guddesk.call('POST', '/graphql', undefined, { raw: '{', headers })
    expect(refused.headers.get('x-request-id')).toBe('my-own-request-1')
  })
})

describe('an unexpected error', () => {
  const rename = (from: string, to: string) => guddesk.deps.db.sql(`ALTER TABLE ${from} RENAME TO ${to}`)
  let renamed: string | undefined

  /** A real failure, all the way down: the table is not where the code believes it is. */
  async function hide(table: string): Promise<void> {
    await rename(table, 'out_of_the_way')
    renamed = table
  }

  afterEach(async () => {
    if (renamed !== undefined) await rename('out_of_the_way', renamed)
    renamed = undefined
  })

  function expectMasked(body: { errors?: Record<string, unknown>[] }): void {
    expect(body.errors).toHaveLength(1)
    const [error] = body.errors ?? []
    expect(error).toMatchObject({
      message: 'Something went wrong on our side',
      extensions: { code: 'internal_error' },
    })
    expect(Object.keys(error?.['extensions'] ?? {})).toEqual(['code', 'requestId'])
    expect(JSON.stringify(body)).not.toMatch(
      /prisma|select|relation|conversations"|api_keys|visitors|stack|\.ts|node_modules/i,
    )
  }

  test('in a query is masked, and logged in full', async () => {
    await hide('conversations')
    const before = guddesk.logs.length
    const { body } = await guddesk.graphql('{ list: conversations { totalCount } }')
    expectMasked(body)
    expect(body.errors[0]).toMatchObject({ path: ['list'], locations: [{ line: 1, column: 3 }] })
    const lines = guddesk.logs.slice(before).filter(({ msg }) => msg === 'GraphQL operation failed')
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines[0])).toMatch(/does not exist/)
  })

  test('in a mutation is masked', async () => {
    await hide('visitors')
    const query = 'mutation { upsertVisitor(input: { name: "x" }) { error { message } } }'
    expectMasked((await guddesk.graphql(query)).body)
  })

  test('in authentication is masked, and is not called a bad key', async () => {
    await hide('api_keys')
    const { status, body } = await guddesk.graphql('{ viewer { actor { id } } }')
    expectMasked(body)
    expect(status).not.toBe(401)
  })

  test('in one node of several leaves the others', async () => {
    const ids = [guddesk.tenant.memberId, 'vis_01jy0000000000000000000000']
    await hide('visitors')
    const query = 'query ($a: ID!, $b: ID!) { a: node(id: $a) { id } b: node(id: $b) { id } }'
    const { body } = await guddesk.graphql(query, { a: ids[0], b: ids[1] })
    expectMasked(body)
    expect(body.data).toEqual({ a: { id: ids[0] }, b: null })
  })
})
