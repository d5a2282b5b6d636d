import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Claimed, claim, release, releaseAbandoned } from '../../src/dispatch/claim.ts'
import { type Result, settle } from '../../src/dispatch/settle.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'

/** An API node alone: nothing claims but this file. */
let guddesk: TestGudDesk
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  await guddesk.deps.db.prisma.delivery.deleteMany()
  tenant = await guddesk.newTenant()
})

const URL = 'http://127.0.0.1:9/webhook'
let lease = 0

async function register(url = URL): Promise<string> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key })
  return data.endpoint.id
}

function take(options: Partial<Parameters<typeof claim>[1]> = {}): Promise<Claimed[]> {
  const now = guddesk.clock.now()
  const leaseEnds = new Date(now.getTime() + 15_000)
  const request = {
    lease: `lease-${++lease}`,
    now,
    leaseEnds,
    batch: 100,
    perEndpoint: 10,
    free: new Map(),
    ...options,
  }
  return claim(guddesk.deps.db, request)
}

function delivered({ id, lease, endpointId, attempt }: Claimed, startedAt = guddesk.clock.now()): Result {
  const outcome = { statusCode: 200, response: 'ok', error: null, status: 'DELIVERED', due: null, gone: false } as const
  return { id, lease, endpointId, number: attempt, startedAt, durationMs: 1, ...outcome }
}

const row = (id: string) =>
  guddesk.deps.db.prisma.delivery.findUniqueOrThrow({ where: { id }, include: { attemptLog: true } })

test('what is leased is not claimed again until the lease ends', async () => {
  await register()
  await guddesk.newConversation(tenant)
  const [first] = await take()
  expect(first).toMatchObject({ attempt: 1, type: 'conversation.created', url: URL, agentId: null })
  expect(await take()).toEqual([])
  guddesk.clock.advance(14_000)
  expect(await take()).toEqual([])
  guddesk.clock.advance(1000)
  const [again] = await take()
  expect(again).toMatchObject({ id: first?.id, attempt: 1 })
  expect(again?.lease).not.toBe(first?.lease)
})

test('a worker that lost its lease cannot settle', async () => {
  await register()
  await guddesk.newConversation(tenant)
  const [slow] = await take()
  guddesk.clock.advance(15_000)
  const [quick] = await take()
  if (slow === undefined || quick === undefined) throw new Error('nothing was claimed')
  await settle(guddesk.deps, [delivered(slow)], guddesk.clock.now())
  expect(await row(slow.id)).toMatchObject({ status: 'PENDING', attempts: 0, lease: quick.lease, attemptLog: [] })
  await settle(guddesk.deps, [delivered(quick)], guddesk.clock.now())
  expect(await row(quick.id)).toMatchObject({ status: 'DELIVERED', attempts: 1, lease: null, due: null })
  // Settling the same result twice (an answer of the database that was lost) changes nothing either.
  await settle(guddesk.deps, [delivered(quick)], guddesk.clock.now())
  expect((await row(quick.id)).attemptLog).toHaveLength(1)
})

test('one endpoint gets its share, another is not kept waiting by its backlog', async () => {
  const busy = await register()
  for (let i = 0; i < 15; i++) await guddesk.newConversation(tenant)
  const quiet = await register('http://127.0.0.1:9/other')
  await guddesk.newConversation(tenant)
  const claimed = await take()
  const countOf = (id: string) => claimed.filter(({ endpointId }) => endpointId === id).length
  expect(countOf(busy)).toBe(10)
  expect(countOf(quiet)).toBe(1)
  expect(await take({ free: new Map([[busy, 0]]) })).toEqual([])
  expect(await take({ free: new Map([[busy, 4]]) })).toHaveLength(4)
  expect(await take({ batch: 1 })).toHaveLength(1)
})

test('a first attempt waits for the first attempt of the event before it in its conversation', async () => {
  await register()
  await guddesk.newConversation(tenant, 'Hello')
  const [created, ...none] = await take()
  expect(created?.type).toBe('conversation.created')
  expect(none).toEqual([])
  if (created === undefined) throw new Error('nothing was claimed')
  const due = new Date(guddesk.clock.now().getTime() + 10_000)
  const failed = { statusCode: 500, status: 'PENDING', due } as const
  await settle(guddesk.deps, [{ ...delivered(created), ...failed }], guddesk.clock.now())
  // It has had its first attempt: it steps aside, and its retry holds up nobody.
  expect((await take()).map(({ type }) => type)).toEqual(['message.created'])
  guddesk.clock.advance(10_000)
  expect(await take()).toMatchObject([{ id: created.id, attempt: 2 }])
})

test('disabled endpoints and agents keep what waits for them', async () => {
  const id = await register()
  await guddesk.newConversation(tenant)
  const { prisma } = guddesk.deps.db
  await prisma.webhookEndpoint.update({ where: { id }, data: { isEnabled: false } })
  expect(await take()).toEqual([])
  await prisma.webhookEndpoint.update({ where: { id }, data: { isEnabled: true } })
  expect(await take()).toHaveLength(1)
})

test('leases are given back, by their owner or by a lone successor', async () => {
  await register()
  await guddesk.newConversation(tenant)
  const [first] = await take()
  if (first === undefined) throw new Error('nothing was claimed')
  await release(guddesk.deps.db, [{ ...first, lease: 'stolen' }], guddesk.clock.now())
  expect(await take()).toEqual([])
  await release(guddesk.deps.db, [first], guddesk.clock.now())
  expect(await take()).toHaveLength(1)
  await releaseAbandoned(guddesk.deps.db, guddesk.clock.now())
  expect(await take()).toHaveLength(1)
})

test('claims that race take each delivery once', async () => {
  await register()
  for (let i = 0; i < 40; i++) await guddesk.newConversation(tenant)
  const claimed = (await Promise.all(Array.from({ length: 8 }, () => take({ perEndpoint: 5 })))).flat()
  expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length)
  expect(claimed.length).toBeGreaterThanOrEqual(5)
})
