import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type OwnOrigins, requireOwnOrigin } from '../../../src/auth/own-origin.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const PRODUCTION: OwnOrigins = {
  origins: new Set(['https://desk.example.com', 'https://www.example.com']),
  allowHost: false,
}
const DEVELOPMENT: OwnOrigins = { origins: new Set(['http://localhost:3000']), allowHost: true }
const host = 'desk.example.com'

describe.each([
  // method, headers, in production
  ['POST', { origin: 'https://desk.example.com' }, true],
  ['POST', { origin: 'https://www.example.com', 'sec-fetch-site': 'same-site' }, true],
  ['POST', { origin: 'https://evil.example' }, false],
  ['POST', { origin: 'http://desk.example.com' }, false],
  ['POST', { origin: 'https://desk.example.com.evil.example' }, false],
  ['POST', { origin: 'https://desk.example.com:8443' }, false],
  ['POST', { origin: 'null' }, false],
  ['POST', { origin: '' }, false],
  ['POST', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, false],
  ['POST', { 'sec-fetch-site': 'same-origin' }, true],
  ['POST', { 'sec-fetch-site': 'same-site' }, false],
  ['POST', { 'sec-fetch-site': 'cross-site' }, false],
  ['POST', { 'sec-fetch-site': 'none' }, false],
  ['POST', {}, false],
  ['GET', {}, true],
  ['GET', { 'sec-fetch-site': 'none' }, true],
  ['GET', { 'sec-fetch-site': 'same-origin' }, true],
  ['GET', { 'sec-fetch-site': 'cross-site' }, false],
  ['GET', { 'sec-fetch-site': 'same-site' }, false],
  ['GET', { origin: 'https://evil.example' }, false],
  ['GET', { upgrade: 'websocket' }, false],
  ['GET', { upgrade: 'websocket', origin: 'https://evil.example' }, false],
  ['GET', { upgrade: 'websocket', origin: 'https://desk.example.com' }, true],
] as const)('%s with %j', (method, headers, isAllowed) => {
  test(isAllowed ? 'is accepted' : 'is refused', () => {
    const check = () => requireOwnOrigin(PRODUCTION, { method, headers: { ...headers, host } })
    if (isAllowed) expect(check).not.toThrow()
    else expect(check).toThrow('A cookie is accepted only from pages of this deployment')
  })
})

test('in development, the name that this machine was called by is its own; in production only the configured one is', () => {
  const from = (origin: string, own: OwnOrigins) => () =>
    requireOwnOrigin(own, { method: 'POST', headers: { origin, host: '127.0.0.1:3000' } })
  expect(from('http://127.0.0.1:3000', DEVELOPMENT)).not.toThrow()
  expect(from('http://127.0.0.1:3001', DEVELOPMENT)).toThrow('A cookie')
  expect(from('http://127.0.0.1:3000', PRODUCTION)).toThrow('A cookie')
})

let guddesk: TestGudDesk
let cookie: string
const VIEWER = graphql(`{ viewer { actor { __typename } } }`)

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', TRUSTED_ORIGINS: 'https://tools.example.com' } })
  cookie = `other=1; guddesk.session_token=${encodeURIComponent(await guddesk.newSession(guddesk.tenant))}; more=2`
})

afterAll(() => guddesk?.stop())

describe('GraphQL with a cookie', () => {
  const post = async (headers: Record<string, string>) => {
    const { body } = await guddesk.graphql(VIEWER, {}, { key: null, headers: { cookie, ...headers } })
    return body.errors?.[0].extensions.code ?? body.data.viewer.actor.__typename
  }

  test('answers our own pages and trusted ones, and refuses others', async () => {
    expect(await post({ origin: guddesk.origin })).toBe('Member')
    expect(await post({ origin: 'https://tools.example.com' })).toBe('Member')
    expect(await post({ origin: 'https://evil.example' })).toBe('forbidden')
    expect(await post({})).toBe('forbidden')
  })

  test('an API key or a bearer token needs no origin', async () => {
    const headers = { origin: 'https://evil.example', cookie }
    expect((await guddesk.graphql(VIEWER, {}, { headers })).data.viewer.actor.__typename).toBe('ApiKey')
    const token = await guddesk.newSession(guddesk.tenant)
    const { data } = await guddesk.graphql(VIEWER, {}, { key: token, headers })
    expect(data.viewer.actor.__typename).toBe('Member')
  })
})

describe('a WebSocket', () => {
  async function ask(headers: Record<string, string>, connectionParams: Record<string, string> = {}) {
    class Browser extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers })
      }
    }
    const url = `${guddesk.origin.replace('http', 'ws')}/graphql`
    const client = createClient({ url, webSocketImpl: Browser, connectionParams, retryAttempts: 0 })
    try {
      const { value } = await client.iterate<{ viewer: { actor: { __typename: string } } }>({ query: VIEWER }).next()
      return value?.errors?.[0]?.extensions?.['code'] ?? value?.data?.viewer.actor.__typename
    } finally {
      await client.dispose()
    }
  }

  test('with a cookie is for our own pages', async () => {
    expect(await ask({ cookie, origin: guddesk.origin })).toBe('Member')
    expect(await ask({ cookie, origin: 'https://evil.example' })).toBe('forbidden')
    expect(await ask({ cookie })).toBe('forbidden')
  })

  test('does not let the page say where it is from', async () => {
    expect(await ask({ cookie, origin: 'https://evil.example' }, { origin: guddesk.origin })).toBe('forbidden')
    expect(await ask({ origin: 'https://evil.example' }, { cookie })).toBe('unauthorized')
  })

  test('takes a session or a key from its connection parameters, whatever its origin', async () => {
    const token = await guddesk.newSession(guddesk.tenant)
    const origin = 'https://evil.example'
    expect(await ask({ origin }, { authorization: `Bearer ${token}` })).toBe('Member')
    expect(await ask({ origin, cookie }, { authorization: `Bearer ${guddesk.tenant.key}` })).toBe('ApiKey')
  })
})
