import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES, send } from '../contract-routes.ts'
import { makeObjects, type Objects } from '../objects.ts'

const MIB = 1_048_576

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

function expectError(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status)
  expect(answer.body).toEqual({ error: expect.objectContaining({ code, status }) })
  expect(answer.error.message).toMatch(/\S/)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.headers.get('x-request-id')).toMatch(/\S/)
}

describe('success', () => {
  test.each(ROUTES)('$name answers {"data"}, and lists add {"meta"}', async (route) => {
    const own = await makeObjects(guddesk)
    const { status, body, headers } = await send(guddesk, route, own)
    const isList = Array.isArray(body.data)
    expect(status).toBeLessThan(300)
    expect(Object.keys(body)).toEqual(isList ? ['data', 'meta'] : ['data'])
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(headers.get('x-request-id')).toMatch(/\S/)
    if (!isList) return
    expect(body.meta).toMatchObject({ perPage: 25, total: expect.any(Number) })
    expect(body.meta.nextCursor === null || typeof body.meta.nextCursor === 'string').toBe(true)
    expect(body.meta.cursor).toBe(body.meta.nextCursor)
  })
})

describe('errors', () => {
  test('404 names what was not found', async () => {
    const answer = await guddesk.call('GET', `/api/v1/conversations/${newId('conversation')}`)
    expectError(answer, 404, 'not_found')
    expect(answer.error.message).toBe('Conversation not found')
  })

  test('unknown routes are 404 in the same form, with or without a key', async () => {
    const paths = [
      '/',
      '/api',
      '/api/',
      '/api/v1',
      '/api/v2/conversations',
      '/api/v1/nothing',
      '/agent/reply',
      '/x%00y',
    ]
    for (const path of [...paths, `/api/v1/conversations/${objects.conversationId}/nothing`, `/${'a'.repeat(5000)}`]) {
      for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'OPTIONS']) {
        expectError(await guddesk.call(method, path), 404, 'not_found')
        expectError(await guddesk.call(method, path, undefined, { key: null }), 404, 'not_found')
      }
    }
  })

  test.each([
    ['/v1/conversations', ['GET', 'POST']],
    ['/v1/conversations/:id', ['GET', 'PATCH']],
    ['/v1/conversations/:id/messages', ['GET', 'POST']],
    ['/v1/customers', ['GET', 'POST']],
    ['/v1/customers/:id', ['GET', 'PATCH']],
    ['/v1/agents', ['GET', 'POST']],
    ['/v1/agents/:id', ['DELETE', 'GET', 'PATCH']],
    ['/agent/reply', ['POST']],
    ['/agent/typing', ['POST']],
    ['/agent/webhooks', ['DELETE', 'GET', 'POST']],
  ])('%s with another method is 405 with Allow', async (path, allowed) => {
    const known = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
    const expected = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed
    for (const method of known.filter((candidate) => !expected.includes(candidate))) {
      const { status, headers, body } = await guddesk.call(method, `/api${path.replace(':id', newId('conversation'))}`)
      expect([method, status]).toEqual([method, 405])
      const allow = headers.get('allow')?.split(/\s*,\s*/)
      expect(allow?.sort()).toEqual([...expected].sort())
      if (method !== 'HEAD') expect(body.error).toMatchObject({ code: 'method_not_allowed', status: 405 })
    }
  })

  test('a validation error names every bad field', async () => {
    const answer = await guddesk.call('POST', '/api/v1/agents', {
      name: '',
      webhookUrl: 5,
      events: { onMessageCreated: 'yes' },
    })
    expectError(answer, 400, 'bad_request')
    const { fields = [] } = answer.error
    expect(fields.map(({ path }) => path).sort()).toEqual(['events.onMessageCreated', 'name', 'webhookUrl'])
    for (const { message } of fields) expect(message).toMatch(/\S/)
  })

  test('a missing field is named too', async () => {
    const answer = await guddesk.call('POST', '/api/agent/reply', {})
    expectError(answer, 400, 'bad_request')
    expect(answer.error.fields?.map(({ path }) => path).sort()).toEqual(['body', 'conversationId'])
  })

  test('a 500 shows no internals and can be found in the log by its request id', async () => {
    const { sql } = guddesk.deps.db
    await sql('ALTER TABLE visitors RENAME COLUMN avatar_url TO avatar_away')
    const answer = await guddesk.call('GET', '/api/v1/customers')
    await sql('ALTER TABLE visitors RENAME COLUMN avatar_away TO avatar_url')
    expectError(answer, 500, 'internal_error')
    expect(JSON.stringify(answer.body)).not.toMatch(
      /avatar|visitor|prisma|postgres|sql|column|stack|\.ts|node_modules/i,
    )
    const requestId = answer.headers.get('x-request-id')
    expect(guddesk.logs).toContainEqual(expect.objectContaining({ requestId, err: expect.anything() }))
    expect((await guddesk.call('GET', '/api/v1/customers')).status).toBe(200)
  })
})

describe('request ids', () => {
  test('each request has its own', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => guddesk.call('GET', '/api/v1/workspaces')))
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(20)
  })

  test('a client cannot write into the log with one', async () => {
    for (const given of ['<script>alert(1)</script>', 'x'.repeat(5000), 'a b c d e f g']) {
      const { status, headers } = await guddesk.call('GET', '/api/v1/workspaces', undefined, {
        headers: { 'x-request-id': given },
      })
      expect(status).toBe(200)
      expect(headers.get('x-request-id')).not.toBe(given)
    }
  })
})

describe('HEAD', () => {
  test('answers as GET does, without a body', async () => {
    const path = `/api/v1/conversations/${objects.conversationId}`
    const get = await guddesk.call('GET', path)
    const head = await guddesk.call('HEAD', path)
    expect([head.status, head.body]).toEqual([200, {}])
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
    expect(head.headers.get('x-request-id')).toMatch(/\S/)
    expect((await guddesk.call('HEAD', path, undefined, { key: null })).status).toBe(401)
    expect((await guddesk.call('HEAD', `/api/v1/conversations/${newId('conversation')}`)).status).toBe(404)
  })
})

describe('bodies', () => {
  const customers = (raw: string | Buffer, headers: Record<string, string> = {}) =>
    guddesk.call('POST', '/api/v1/customers', undefined, { raw, headers })

  test('malformed JSON and JSON that is not an object are 400', async () => {
    const malformed = [
      '{',
      '{"name":}',
      "{'name':'x'}",
      '{"name":"x"',
      'name=x',
      '{"a":1}{"b":2}',
      '\u0000',
      '{"a":01}',
    ]
    for (const raw of [...malformed, 'null', '5', '"text"', 'true', '[]', '[{"name":"x"}]', ' ']) {
      expectError(await customers(raw), 400, 'bad_request')
    }
  })

  test('no body at all is 400', async () => {
    expectError(await guddesk.call('POST', '/api/v1/customers'), 400, 'bad_request')
    expectError(await customers(''), 400, 'bad_request')
  })

  test('bytes that are not UTF-8 are 400', async () => {
    const broken = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]
    for (const bytes of broken) {
      const raw = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')])
      expectError(await customers(raw), 400, 'bad_request')
    }
  })

  test('JSON in any case of the media type, with parameters', async () => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON']) {
      expect((await customers('{"name":"Typed"}', { 'content-type': type })).status).toBe(201)
    }
  })

  test('another media type is 415', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json-not',
    ]
    for (const type of types) {
      expectError(await customers('{"name":"x"}', { 'content-type': type }), 415, 'unsupported_media_type')
    }
    expectError(await customers('{"name":"x"}', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type')
  })

  test('1 MiB is read, one byte more is 413', async () => {
    const json = '{"name":"Big"}'
    expect((await customers(json.padEnd(MIB, ' '))).status).toBe(201)
    expectError(await customers(json.padEnd(MIB + 1, ' ')), 413, 'payload_too_large')
  })

  test('much too large a body is 413 as well, with and without Content-Length', async () => {
    for (let i = 0; i < 5; i++) {
      expectError(await customers(Buffer.alloc(8 * MIB, ' ')), 413, 'payload_too_large')
    }
    const response = await fetch(`${guddesk.origin}/api/v1/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${guddesk.tenant.key}`, 'content-type': 'application/json' },
      body: new Blob([Buffer.alloc(4 * MIB, ' ')]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'payload_too_large', status: 413 } })
  })
})
