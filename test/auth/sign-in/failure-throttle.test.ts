import { randomInt } from 'node:crypto'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { newApiKey, sha256 } from '../../../src/infra/secrets.ts'
import { backend } from '../../support/database.ts'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'
import { until } from '../../support/until.ts'

const MAX = 10
const ENV = { GUDDESK_ROLES: 'api', TRUST_PROXY: '1', RATE_LIMIT_FAILURES_PER_MINUTE: String(MAX) }
const QUERY = '{ viewer { actor { id } } }'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: ENV })
})

afterAll(() => guddesk?.stop())

/** Each test comes from an address of its own, and each run: Redis remembers for a minute. */
const run = [randomInt(256), randomInt(256)]
let address = ''
let addresses = 0
beforeEach(() => {
  addresses += 1
  address = `10.${run.join('.')}.${addresses}`
})

type Ask = (credential: string | null) => Promise<Answer>

const headers = () => ({ 'x-forwarded-for': address })
const overRest: Ask = (key) => guddesk.call('GET', '/api/v1/workspaces', undefined, { key, headers: headers() })
const overGraphql: Ask = (key) => guddesk.graphql(QUERY, {}, { key, headers: headers() })

/** What an operation's errors say, by a connection of its own. */
async function overWebSocket(credential: string): Promise<string> {
  class FromAddress extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols, { headers: headers() })
    }
  }
  const client = createClient({
    url: `${guddesk.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: FromAddress,
    connectionParams: { authorization: `Bearer ${credential}` },
    retryAttempts: 0,
  })
  const codeOf = (errors: readonly unknown[] = []) => JSON.stringify(errors)
  const answered = client.iterate({ query: QUERY }).next()
  const text = await answered.then(({ value }) => codeOf(value?.errors), codeOf)
  await client.dispose()
  return text
}

async function failOften(): Promise<void> {
  for (let i = 0; i < MAX; i++) expect((await overRest(newApiKey())).status).toBe(401)
}

/** After it, some seconds pass until the server asks again. */
async function askForKeysInUse(): Promise<void> {
  guddesk.clock.advance(5000)
  const statements = await statementsOf(guddesk, async () => {
    const tries = Array.from({ length: 20 }, () => overRest(newApiKey()))
    for (const { status } of await Promise.all(tries)) expect(status).toBe(429)
  })
  expect(statements).toEqual([expect.stringContaining('SELECT hash FROM api_keys')])
}

const MADE_UP: [what: string, credential: string | null][] = [
  ['no key', null],
  ['an unknown key', newApiKey()],
  ['a malformed key', 'gd_short'],
  ['a made-up session', `${'a'.repeat(32)}.${'b'.repeat(44)}`],
]

describe('after too many failures from one address', () => {
  test.each(MADE_UP)('%s is refused without a statement, over REST and GraphQL', async (_what, credential) => {
    await failOften()
    await askForKeysInUse()
    const statements = await statementsOf(guddesk, async () => {
      const rest = await overRest(credential)
      expect([rest.status, rest.error.code]).toEqual([429, 'rate_limited'])
      const seconds = Number(rest.headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
      const answer = await overGraphql(credential)
      expect(answer.status).toBe(429)
      expect(answer.headers.get('retry-after')).not.toBeNull()
      const extensions = { code: 'rate_limited', retryAfterSeconds: expect.any(Number) }
      expect(answer.body.errors).toMatchObject([{ extensions }])
    })
    expect(statements).toEqual([])
  })

  test('operations of a WebSocket are refused, too', async () => {
    for (let i = 0; i < MAX; i++) expect(await overWebSocket(newApiKey())).toContain('unauthorized')
    await askForKeysInUse()
    const statements = await statementsOf(guddesk, async () => {
      expect(await overWebSocket(newApiKey())).toContain('rate_limited')
    })
    expect(statements).toEqual([])
  })

  test('sign-in links and invitations are not looked for', async () => {
    await failOften()
    const statements = await statementsOf(guddesk, async () => {
      const link = await fetch(`${guddesk.origin}/api/auth/sign-in/link?token=x`, {
        method: 'POST',
        headers: headers(),
        redirect: 'manual',
      })
      expect(link.status).toBe(429)
      const offer = '{ invitationOffer(token: "x") { email } }'
      expect((await guddesk.graphql(offer, {}, { key: null, headers: headers() })).status).toBe(429)
    })
    expect(statements).toEqual([])
  })

  test('guessing sign-in links counts, too', async () => {
    const guess = () =>
      guddesk.call('POST', '/api/auth/sign-in/link?token=x', undefined, { key: null, headers: headers() })
    const open = async () => {
      const url = `${guddesk.origin}/api/auth/sign-in/link?token=x`
      return (await fetch(url, { method: 'POST', headers: headers(), redirect: 'manual' })).status
    }
    for (let i = 0; i < MAX; i++) expect(await open()).toBe(303)
    expect((await guess()).error.code).toBe('rate_limited')
  })

  test('credentials that were valid a moment ago go on, however many fail beside them', async () => {
    const { key } = await guddesk.newTenant()
    const session = await guddesk.newSession(guddesk.tenant)
    expect((await overRest(key)).status).toBe(200)
    await failOften()
    expect((await overRest(null)).status).toBe(429)
    expect([(await overRest(key)).status, (await overGraphql(key)).status]).toEqual([200, 200])
    // Signed here, so no guess: also one that was never used yet.
    expect((await overGraphql(session)).status).toBe(200)
  })

  test('a key that was used on another node, or before a restart, goes on as well', async () => {
    const tenant = await guddesk.newTenant()
    const [used, unused, revoked] = [
      tenant.key,
      await guddesk.newKey(tenant, 'READ_ONLY'),
      await guddesk.newKey(tenant, 'READ_ONLY'),
    ]
    for (const key of [used, revoked]) expect((await overRest(key)).status).toBe(200)
    const { prisma } = guddesk.deps.db
    await until(async () => (await prisma.apiKey.count({ where: { lastUsedAt: null, userId: tenant.userId } })) === 1)
    const where = { hash: sha256(revoked) }
    await prisma.apiKey.update({ where, data: { revokedAt: new Date() } })
    // One that is not in use has not been for a while.
    const longAgo = new Date(Date.now() - 25 * 3_600_000)
    await prisma.apiKey.update({ where: { hash: sha256(unused) }, data: { createdAt: longAgo } })

    const other = await startGudDesk({ env: ENV, db: { ...guddesk.deps.db, close: async () => undefined } })
    onTestFinished(() => other.stop())
    const ask = (key: string) =>
      other.call('GET', '/api/v1/workspaces', undefined, { key, headers: headers() }).then(({ status }) => status)
    for (let i = 0; i < MAX; i++) await ask(newApiKey())
    expect(await ask(newApiKey())).toBe(429)
    expect([await ask(used), await ask(unused), await ask(revoked)]).toEqual([200, 429, 429])
    // What has begun since then is known a few seconds later.
    const later = await guddesk.newKey(tenant, 'READ_ONLY')
    expect(await ask(later)).toBe(429)
    other.clock.advance(5000)
    expect(await ask(later)).toBe(200)
  })

  test('a revoked key and an ended session are looked at once more, and then refused like others', async () => {
    const tenant = await guddesk.newTenant()
    const { prisma } = guddesk.deps.db
    const session = await guddesk.newSession(tenant)
    expect([(await overRest(tenant.key)).status, (await overGraphql(session)).status]).toEqual([200, 200])
    await prisma.apiKey.updateMany({ where: { userId: tenant.userId }, data: { revokedAt: new Date() } })
    await prisma.session.deleteMany({ where: { userId: tenant.userId } })
    await failOften()
    await Promise.all([overRest(tenant.key), overGraphql(session)])
    const statements = await statementsOf(guddesk, async () => {
      expect([(await overRest(tenant.key)).status, (await overGraphql(session)).status]).toEqual([429, 429])
    })
    expect(statements).toEqual([])
  })

  test('other addresses are not concerned', async () => {
    await failOften()
    expect((await overRest(null)).status).toBe(429)
    address = `10.${run.join('.')}.${100 + addresses}`
    expect((await overRest(null)).status).toBe(401)
  })

  test('all of an IPv6 network of 64 bits is one address', async () => {
    address = `2001:db8:${run.join(':')}::1`
    await failOften()
    address = `2001:db8:${run.join(':')}:1:2:3:4`
    expect((await overRest(null)).status).toBe(429)
  })

  // In Redis the minutes follow its own time, which no test can move.
  test.runIf(backend === 'embedded')('the next minute begins anew', async () => {
    await failOften()
    expect((await overRest(null)).status).toBe(429)
    guddesk.clock.advance(61_000)
    expect((await overRest(null)).status).toBe(401)
  })
})

test('valid requests count for nothing, and a failure says what it always said', async () => {
  for (let i = 0; i < 2 * MAX; i++) expect((await overRest(guddesk.tenant.key)).status).toBe(200)
  for (let i = 0; i < MAX; i++) expect((await overRest(null)).error.code).toBe('unauthorized')
})

test('0 switches it off', async () => {
  const open = await startGudDesk({ env: { GUDDESK_ROLES: 'api', RATE_LIMIT_FAILURES_PER_MINUTE: '0' } })
  for (let i = 0; i < 150; i++) {
    expect((await open.call('GET', '/api/v1/workspaces', undefined, { key: null })).status).toBe(401)
  }
  await open.stop()
})
