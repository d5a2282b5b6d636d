import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { rawRequest } from './raw-http.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

const get = (target: string, ...headers: string[]) =>
  rawRequest(
    guddesk.origin,
    [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n'),
  )

const key = () => `x-api-key: ${guddesk.tenant.key}`

/** "Every response, errors and unknown routes included, is JSON and carries X-Request-Id." */
async function expectContractError(answer: ReturnType<typeof rawRequest>, status?: number): Promise<void> {
  const { status: got, headers, text } = await answer
  expect(got).toBeGreaterThanOrEqual(400)
  expect(got).toBeLessThan(500)
  if (status !== undefined) expect(got).toBe(status)
  expect(headers['content-type']).toMatch(/^application\/json/)
  expect(headers['x-request-id']).toMatch(/\S/)
  expect(JSON.parse(text)).toEqual({
    error: expect.objectContaining({ code: expect.any(String), message: expect.any(String), status: got }),
  })
}

describe('what is not HTTP', () => {
  test.each([
    ['words', 'hello there\r\n\r\n'],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['zeroes', Buffer.alloc(64)],
    ['an unknown method', 'FETCH /api/v1/workspaces HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an unknown version', 'GET /api/v1/workspaces HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n'],
  ])('%s is a 400', async (_, bytes) => {
    await expectContractError(rawRequest(guddesk.origin, bytes), 400)
  })

  test('headers that are too long are refused', async () => {
    await expectContractError(get('/api/v1/workspaces', `X-Long: ${'a'.repeat(100_000)}`))
  })
})

/** A body within a request that says two things about its length is a second request to somebody. */
const SMUGGLED = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

test.each([
  ['a length and chunks', `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['a blank before the colon', `${POST}Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['an unknown coding', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['chunks that are not last', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['the same length twice', `${POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ['a length with a sign', `${POST}Content-Length: +2\r\n\r\n{}${SMUGGLED}`],
  ['a chunk size in C', `${POST}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`],
  ['line ends without CR', 'GET /nothing HTTP/1.1\nHost: x\n\nGET /healthz HTTP/1.1\nHost: x\n\n'],
  ['a CR within a header', `GET /nothing HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n${SMUGGLED}`],
  ['a folded header', `GET /nothing HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b: c\r\n\r\n${SMUGGLED}`],
])('%s ends the connection, and what follows is not served', async (_, bytes) => {
  const answer = await rawRequest(guddesk.origin, bytes)
  expect(answer.status).toBe(400)
  expect(answer.text).not.toContain('HTTP/1.1')
})

describe('unusual HTTP', () => {
  test.each([
    ['two Host headers', 'Host: other'],
    ['two Host headers, the same', 'HOST: x'],
  ])('%s are a 400', async (_, header) => {
    await expectContractError(get('/api/v1/workspaces', key(), header), 400)
  })

  test.each(['a b', 'a/b', 'user@a', 'a\\b', '<a>'])('Host: %s is a 400', async (host) => {
    const request = ['GET /api/v1/workspaces HTTP/1.1', `Host: ${host}`, key(), '', ''].join('\r\n')
    await expectContractError(rawRequest(guddesk.origin, request), 400)
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
    '%s makes no other method of a POST',
    async (name) => {
      const { data } = await guddesk.call('POST', '/api/v1/articles', { title: `Kept, ${name}` })
      const options = { headers: { [name]: 'DELETE' } }
      expect((await guddesk.call('POST', `/api/v1/articles/${data.id}?_method=DELETE`, {}, options)).status).toBe(405)
      expect((await guddesk.call('GET', `/api/v1/articles/${data.id}`)).status).toBe(200)
    },
  )

  test.each(['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix'])('%s leads nowhere else', async (name) => {
    const { status, headers } = await get('/healthz', `${name}: /api/v1/workspaces`)
    expect([status, headers['x-ratelimit-limit'] ?? null]).toEqual([200, null])
  })

  test.each([
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/..%5c..%5cpackage.json',
    '//api/v1/workspaces',
    '/public/../api/v1/workspaces',
  ])('%s is another path, and a 404', async (target) => {
    await expectContractError(get(target, key()), 404)
  })

  test('no Host header is a 400', async () => {
    await expectContractError(
      rawRequest(guddesk.origin, 'GET /api/v1/workspaces HTTP/1.1\r\nConnection: close\r\n\r\n'),
      400,
    )
  })

  test('an expectation that nobody can meet is refused', async () => {
    await expectContractError(get('/api/v1/workspaces', key(), 'Expect: miracles'))
  })

  test('an offer to upgrade is declined, as clients that try HTTP/2 first expect', async () => {
    const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA']
    const request = ['GET /api/v1/workspaces HTTP/1.1', 'Host: x', ...upgrade, key(), '', ''].join('\r\n')
    const { status, text } = await rawRequest(guddesk.origin, request)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ data: [{ id: guddesk.tenant.workspaceId }] })
  })

  test.each(['/nothing', '/', '//', '/api/v1/workspaces'])('a WebSocket at %s is refused', async (target) => {
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
    const nonce = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    const request = [`GET ${target} HTTP/1.1`, 'Host: x', ...upgrade, nonce, '', ''].join('\r\n')
    await expectContractError(rawRequest(guddesk.origin, request))
  })

  test.each([
    '//',
    '///x',
    '*',
    '/%',
    '/%00',
    '/api/%',
    '/api/v1/conversations/%',
    '/api/v1/customers/%E0%A4%A',
    '/?%',
  ])('GET %s is a 404', async (target) => {
    await expectContractError(get(target, key()), 404)
  })

  test('HTTP/1.0 and the absolute form of a request are served', async () => {
    const old = await rawRequest(guddesk.origin, `GET /api/v1/workspaces HTTP/1.0\r\n${key()}\r\n\r\n`)
    expect(old.status).toBe(200)
    expect((await get('http://example.com/api/v1/workspaces', key())).status).toBe(200)
  })

  test('a body that ends early is a 400 or no answer, and writes nothing', async () => {
    const { prisma } = guddesk.deps.db
    const before = await prisma.visitor.count()
    const head = ['POST /api/v1/customers HTTP/1.1', 'Host: x', key(), 'Content-Type: application/json']
    for (const framing of ['Content-Length: 500', 'Transfer-Encoding: chunked']) {
      const body = framing.startsWith('C') ? '{"name":"Half"}' : 'f\r\n{"name":"Half"}\r\n'
      await rawRequest(guddesk.origin, [...head, framing, '', body].join('\r\n'), 300)
    }
    expect(await prisma.visitor.count()).toBe(before)
    expect((await guddesk.call('GET', '/api/v1/workspaces')).status).toBe(200)
  })
})
