import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { TRANSPORTS } from '../live.ts'

const LIMITS = { RATE_LIMIT_PER_MINUTE: '20', RATE_LIMIT_PER_MINUTE_FREE: '5', RATE_LIMIT_PER_MINUTE_SESSION: '7' }
/** 1 point. */
const CHEAP = '{ workspace { id } }'
/** More than three requests' worth of points. */
const DEAR = '{ conversations(first: 40) { edges { node { id messages { edges { cursor } } } } } }'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { ...LIMITS, GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const ask = (key: string, query = CHEAP): Promise<Answer> => guddesk.graphql(query, {}, { key })
const list = (key: string): Promise<Answer> => guddesk.call('GET', '/api/v1/conversations', undefined, { key })
const remaining = ({ headers }: Answer) => Number(headers.get('x-ratelimit-remaining') ?? Number.NaN)

async function useUp(key: string): Promise<void> {
  for (let i = 0; i < 20; i++) expect((await list(key)).status).toBe(200)
}

describe('over HTTP', () => {
  test('operations count in the budget of REST, by their cost', async () => {
    const { key } = await guddesk.newTenant()
    expect(remaining(await list(key))).toBe(19)
    const cheap = await ask(key)
    expect([cheap.status, remaining(cheap)]).toEqual([200, 18])
    const dear = await ask(key, DEAR)
    const { cost, rateLimit } = dear.body.extensions
    expect(remaining(dear)).toBe(18 - Math.ceil(cost.requested / 500))
    expect(cost.requested).toBeGreaterThan(1500)
    expect(rateLimit).toEqual({
      limit: Number(dear.headers.get('x-ratelimit-limit')),
      remaining: remaining(dear),
      reset: Number(dear.headers.get('x-ratelimit-reset')),
    })
    expect(remaining(await list(key))).toBe(remaining(dear) - 1)
  })

  test.each([
    ['a plain request', {}],
    ['an event stream', { accept: 'text/event-stream' }],
    ['a media type with parameters', { accept: 'application/json; charset=utf-8' }],
  ])('the one too many is refused before anything runs: %s', async (_what, headers) => {
    const { key, workspaceId } = await guddesk.newTenant()
    await useUp(key)
    const query = 'mutation { upsertVisitor(input: { name: "Late" }) { __typename } }'
    const response = await fetch(`${guddesk.origin}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    })
    expect(response.status).toBe(429)
    const text = await response.text()
    const seconds = Number(response.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(response.headers.get('x-ratelimit-remaining')).toBe('0')
    const json = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '')
    expect(json.errors).toEqual([
      {
        message: `More than 20 requests a minute. Try again in ${seconds} second${seconds === 1 ? '' : 's'}`,
        extensions: {
          code: 'rate_limited',
          retryAfterSeconds: seconds,
          rateLimit: { limit: 20, remaining: 0, reset: expect.any(Number) },
        },
      },
    ])
    expect(json.data ?? null).toBeNull()
    expect(await guddesk.deps.db.prisma.visitor.count({ where: { workspaceId } })).toBe(0)
  })

  test('a GET counts, too', async () => {
    const { key } = await guddesk.newTenant()
    const path = `/graphql?query=${encodeURIComponent(CHEAP)}`
    const answer = await guddesk.call('GET', path, undefined, { key })
    expect([answer.status, remaining(answer)]).toEqual([200, 19])
  })

  test('what costs more than a whole minute has, takes a whole minute', async () => {
    const { key, workspaceId } = await guddesk.newTenant()
    await guddesk.deps.db.prisma.workspace.update({ where: { id: workspaceId }, data: { plan: 'FREE' } })
    const answer = await ask(key, DEAR)
    expect([answer.status, remaining(answer)]).toEqual([200, 0])
    expect((await ask(key)).status).toBe(429)
  })

  test('what is more than is left counts as one request, and leaves the rest for what fits', async () => {
    const { key } = await guddesk.newTenant()
    for (let i = 0; i < 18; i++) expect((await list(key)).status).toBe(200)
    const dear = await ask(key, DEAR)
    expect([dear.status, remaining(dear)]).toEqual([429, 1])
    expect(dear.body.errors[0].message).toMatch(
      /^This operation counts as \d+ requests, and fewer of 20 a minute were left/,
    )
    expect([(await ask(key)).status, (await ask(key)).status]).toEqual([200, 429])
  })

  test('of what comes at once, as much runs as fits', async () => {
    const { key } = await guddesk.newTenant()
    const { cost } = (await ask(key, DEAR)).body.extensions
    const requests = Math.ceil(cost.requested / 500)
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(key, DEAR)))
    const served = answers.filter(({ status }) => status === 200).length
    expect(served).toBe(Math.floor((20 - requests) / requests))
  })

  test('people’s sessions have a budget of their own, each', async () => {
    const tenant = await guddesk.newTenant()
    const [one, two] = [await guddesk.newSession(tenant), await guddesk.newSession(tenant)]
    for (let left = 6; left >= 0; left--) {
      const answer = await ask(one)
      expect([answer.headers.get('x-ratelimit-limit'), remaining(answer)]).toEqual(['7', left])
    }
    expect((await ask(one)).status).toBe(429)
    expect((await ask(two)).status).toBe(200)
    expect(remaining(await ask(tenant.key))).toBe(19)
  })

  test('0 switches all of it off', async () => {
    const unlimited = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '0', GUDDESK_ROLES: 'api' } })
    const answer = await unlimited.graphql(CHEAP)
    expect(answer.headers.get('x-ratelimit-limit')).toBeNull()
    expect(answer.body.extensions).not.toHaveProperty('rateLimit')
    await unlimited.stop()
  })
})

describe('over a WebSocket', () => {
  test('results tell where the caller stands, and the one too many ends nothing else on it', async () => {
    const { key } = await guddesk.newTenant()
    const url = `${guddesk.origin.replace('http', 'ws')}/graphql`
    const connectionParams = { authorization: `Bearer ${key}` }
    const client = createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 })
    const events: unknown[] = []
    const end = client.subscribe(
      { query: 'subscription { inbox { cursor } }' },
      {
        next: (event) => void events.push(event),
        error: (error) => void events.push(error),
        complete: () => undefined,
      },
    )
    await until(() => events.length === 1)
    const result = await client.iterate({ query: CHEAP }).next()
    expect(result.value?.extensions).toMatchObject({
      rateLimit: { limit: 20, remaining: 18, reset: expect.any(Number) },
    })
    for (let i = 0; i < 18; i++) await list(key)
    await expect(client.iterate({ query: CHEAP }).next()).rejects.toMatchObject([
      {
        extensions: {
          code: 'rate_limited',
          retryAfterSeconds: expect.any(Number),
          rateLimit: { limit: 20, remaining: 0 },
        },
      },
    ])
    expect(events).toHaveLength(1)
    end()
    await client.dispose()
  })
})

test.each(TRANSPORTS)('a subscription counts as it begins, over %s', async (_name, open) => {
  const tenant = await guddesk.newTenant()
  const { key } = tenant
  const first = open(guddesk, {}, { key })
  await until(async () => remaining(await list(key)) <= 18)
  expect(first.errors).toEqual([])
  await first.stop()
  while ((await list(key)).status === 200);
  const refused = open(guddesk, {}, { key })
  await until(() => refused.errors.length === 1)
  expect(refused.errors[0]?.extensions).toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: expect.any(Number),
    rateLimit: { limit: 20, remaining: 0 },
  })
  await refused.stop()
})
