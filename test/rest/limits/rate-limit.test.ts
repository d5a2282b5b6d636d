import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRateCounter } from '../../../src/infra/redis/rate-counter.ts'
import { backend } from '../../support/database.ts'
import { type Answer, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { METRICS_TOKEN, scrape } from '../../support/metrics.ts'
import { type RedisProxy, startRedisProxy } from '../../support/peers/redis-proxy.ts'
import { REDIS_URL } from '../../support/servers.ts'
import { makeObjects } from '../objects.ts'

const LIMITS = { RATE_LIMIT_PER_MINUTE: '20', RATE_LIMIT_PER_MINUTE_FREE: '5' }

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: LIMITS })
})

afterAll(() => guddesk?.stop())

const list = (key: string, on = guddesk): Promise<Answer> => on.call('GET', '/api/v1/conversations', undefined, { key })

function headersOf({ headers }: Answer) {
  const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) => {
    const value = headers.get(`x-ratelimit-${name}`)
    return value === null ? null : Number(value)
  })
  return { limit, remaining, reset }
}

test.each([
  ['a process', undefined],
  ...(backend === 'postgres' ? [['Redis', { url: REDIS_URL, prefix: 'guddesk:test:' }] as const] : []),
] as const)('%s counts what would go over a limit once', async (_where, redis) => {
  const rates = openRateCounter(redis, guddesk.deps.log)
  const key = randomUUID()
  const windows: [hits: number, fits: boolean][] = []
  for (const times of [3, 3, 1, 1, 4]) {
    const { hits, fits } = await rates.hit(key, 60_000, new Date(), times, 5)
    windows.push([hits, fits])
  }
  expect(windows).toEqual([
    [3, true],
    [4, false],
    [5, true],
    [6, false],
    [7, false],
  ])
  expect(rates.missedByRedis()).toBe(0)
  await rates.close()
})

describe('the limit', () => {
  test('every answer counts down, and the one too many is refused with the time to wait', async () => {
    const { key } = await guddesk.newTenant()
    const began = guddesk.clock.now().getTime() / 1000
    for (let left = 19; left >= 0; left--) {
      const answer = await list(key)
      expect([answer.status, headersOf(answer)]).toEqual([
        200,
        { limit: 20, remaining: left, reset: expect.any(Number) },
      ])
    }
    const refused = await list(key)
    expect([refused.status, refused.error.code, refused.error.status]).toEqual([429, 'rate_limited', 429])
    const { limit, remaining, reset } = headersOf(refused)
    expect([limit, remaining]).toEqual([20, 0])
    expect(reset).toBeGreaterThan(began)
    expect(reset).toBeLessThanOrEqual(began + 65)
    const wait = Number(refused.headers.get('retry-after'))
    expect(wait).toBeGreaterThanOrEqual(1)
    expect(wait).toBeLessThanOrEqual(60)
    expect(refused.error.message).toMatch(new RegExp(`Try again in (${wait} seconds?|1 minute)$`))
  })

  test('of the plan: FREE has less', async () => {
    const { key, workspaceId } = await guddesk.newTenant()
    await guddesk.deps.db.prisma.workspace.update({ where: { id: workspaceId }, data: { plan: 'FREE' } })
    for (let i = 0; i < 5; i++) expect(headersOf(await list(key)).limit).toBe(5)
    expect((await list(key)).status).toBe(429)
  })

  test('an all-workspaces key has the best plan among its workspaces', async () => {
    const tenant = await guddesk.newTenant()
    const other = await guddesk.newTenant()
    const { prisma } = guddesk.deps.db
    await prisma.workspace.update({ where: { id: tenant.workspaceId }, data: { plan: 'FREE' } })
    const key = await guddesk.newKey(tenant, 'READ_ONLY', 'all')
    const read = () => guddesk.call('GET', '/api/v1/workspaces', undefined, { key })
    expect(headersOf(await read()).limit).toBe(5)
    await prisma.member.update({ where: { id: other.memberId }, data: { userId: tenant.userId } })
    expect(headersOf(await read()).limit).toBe(20)
  })

  test('each key has its own, an agent’s too', async () => {
    const tenant = await guddesk.newTenant()
    const { agentKey } = await makeObjects(guddesk, tenant)
    const second = await guddesk.newKey(tenant, 'READ_ONLY')
    for (let i = 0; i < 20; i++) await list(second)
    expect((await list(second)).status).toBe(429)
    expect(headersOf(await list(agentKey))).toMatchObject({ limit: 20, remaining: 19 })
  })

  test('refusals count and carry the headers, too: bad input, unknown objects, missing permission', async () => {
    const tenant = await guddesk.newTenant()
    const key = await guddesk.newKey(tenant, 'READ_ONLY')
    const answers = [
      await guddesk.call('GET', '/api/v1/conversations?cursor=bad', undefined, { key }),
      await guddesk.call('GET', '/api/v1/conversations/conv_x', undefined, { key }),
      await guddesk.call('POST', '/api/v1/conversations', {}, { key }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 403])
    expect(answers.map((answer) => headersOf(answer).remaining)).toEqual([19, 18, 17])
  })

  test('answering has a budget of its own: reading cannot use it up, nor the other way round', async () => {
    const tenant = await guddesk.newTenant()
    const { agentKey: key, conversationId } = await makeObjects(guddesk, tenant)
    const read = () => list(key)
    while ((await read()).status === 200);
    const type = (typing: boolean) => guddesk.call('POST', '/api/agent/typing', { conversationId, typing }, { key })
    const replied = await guddesk.call('POST', '/api/agent/reply', { conversationId, body: 'Hi' }, { key })
    expect([replied.status, headersOf(replied)]).toMatchObject([200, { limit: 20, remaining: 19 }])
    expect(headersOf(await type(true)).remaining).toBe(18)
    const webhooks = await guddesk.call('GET', '/api/agent/webhooks', undefined, { key })
    expect([webhooks.status, headersOf(webhooks).remaining]).toEqual([200, 17])
    for (let i = 0; i < 17; i++) expect((await type(false)).status).toBe(200)
    const refused = await type(true)
    expect([refused.status, refused.error.code, headersOf(refused).remaining]).toEqual([429, 'rate_limited', 0])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const other = await guddesk.newKey(tenant, 'READ_WRITE')
    expect((await guddesk.call('GET', '/api/agent/webhooks', undefined, { key: other })).status).toBe(200)
    expect(headersOf(await list(other)).remaining).toBe(19)
  })

  test('who is not authenticated is not counted', async () => {
    const answer = await guddesk.call('GET', '/api/v1/conversations', undefined, { key: `gd_${'x'.repeat(43)}` })
    expect([answer.status, headersOf(answer).limit]).toEqual([401, null])
  })

  test('0 switches it off', async () => {
    const unlimited = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '0' } })
    const answer = await list(unlimited.tenant.key, unlimited)
    expect([answer.status, headersOf(answer)]).toEqual([200, { limit: null, remaining: null, reset: null }])
    await unlimited.stop()
  })

  // In Redis the windows follow its own time, which no test can move.
  test.runIf(backend === 'embedded')('a new window begins when the last one has ended', async () => {
    const { key } = await guddesk.newTenant()
    for (let i = 0; i < 21; i++) await list(key)
    guddesk.clock.advance(45_000)
    expect((await list(key)).status).toBe(429)
    guddesk.clock.advance(16_000)
    expect(headersOf(await list(key)).remaining).toBe(19)
  })
})

describe.runIf(backend === 'postgres')('Redis', () => {
  let proxy: RedisProxy

  beforeAll(async () => {
    proxy = await startRedisProxy()
  })

  afterAll(() => proxy?.close())

  test('is shared by all nodes; without it nobody is turned away for that, and the log says so once', async () => {
    const node = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '20', REDIS_URL: proxy.url } })
    const { key } = node.tenant
    expect(headersOf(await list(key, node)).remaining).toBe(19)
    proxy.cut()
    for (let i = 0; i < 15; i++) expect((await list(key, node)).status).toBe(200)
    const warnings = node.logs.filter(({ msg }) => String(msg).startsWith('Redis not responding; rate limits counted'))
    expect(warnings).toHaveLength(1)
    proxy.mend()
    const end = performance.now() + 10_000
    // The shared count goes on where it was: the first hit, and what comes now.
    let remaining: number | null | undefined = null
    while (remaining !== 18 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 1100))
      remaining = headersOf(await list(key, node)).remaining
    }
    expect(remaining).toBe(18)
    await node.stop()
  })

  test('counts the first request of a process, too, which comes before the connection stands', async () => {
    const key = randomUUID()
    const rates = [1, 2].map(() => openRateCounter({ url: proxy.url, prefix: 'guddesk:test:' }, guddesk.deps.log))
    const hits = await Promise.all(rates.map((counter) => counter.hit(key, 60_000, new Date())))
    expect(hits.map((window) => window.hits).sort()).toEqual([1, 2])
    expect(rates.map((counter) => counter.missedByRedis())).toEqual([0, 0])
    await Promise.all(rates.map((counter) => counter.close()))
  })

  test('that hangs lets everybody through, late at most once', async () => {
    const node = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '20', REDIS_URL: proxy.url, METRICS_TOKEN } })
    const { key } = node.tenant
    expect(headersOf(await list(key, node)).remaining).toBe(19)
    proxy.hang()
    for (let i = 0; i < 10; i++) expect((await list(key, node)).status).toBe(200)
    expect(
      node.logs.filter(({ msg }) => String(msg).startsWith('Redis not responding; rate limits counted')),
    ).toHaveLength(1)
    expect(await (await scrape(node)).text()).toContain('\nguddesk_rate_limit_fallbacks_total 10\n')
    proxy.mend()
    await node.stop()
  })
})
