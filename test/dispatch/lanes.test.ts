import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Claimed, claim } from '../../src/dispatch/claim.ts'
import { type Result, settle } from '../../src/dispatch/settle.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'

/** An API node alone: nothing claims but this file. */
let guddesk: TestGudDesk
let tenant: Tenant
let endpointId: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  await guddesk.deps.db.prisma.delivery.deleteMany()
  tenant = await guddesk.newTenant()
  const body = { url: 'http://127.0.0.1:9/webhook' }
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
  endpointId = data.endpoint.id
})

let lease = 0
function take(): Promise<Claimed[]> {
  const now = guddesk.clock.now()
  const leaseEnds = new Date(now.getTime() + 15_000)
  const limits = { batch: 100, perEndpoint: 10, free: new Map<string, number>() }
  return claim(guddesk.deps.db, { lease: `lease-${++lease}`, now, leaseEnds, ...limits })
}

const deliveries = () => guddesk.deps.db.prisma.delivery
const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })

test('what is replayed in bulk does not hold up what is live in the same conversation', async () => {
  const conversationId = await guddesk.newConversation(tenant)
  await deliveries().updateMany({ where: { endpointId }, data: { lane: 1, due: new Date('2100-01-01') } })
  const message = { body: 'Hello', type: 'AGENT' }
  await guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, message, { key: tenant.key })
  expect((await take()).map(({ type }) => type)).toEqual(['message.created'])
})

test('a test goes to a disabled endpoint, and what it meets there says nothing about the endpoint', async () => {
  await guddesk.newConversation(tenant)
  await guddesk.newConversation(tenant)
  const [first] = await deliveries().findMany({ where: { endpointId }, orderBy: { seq: 'asc' } })
  await deliveries().update({ where: { id: first?.id ?? '' }, data: { isTest: true } })
  await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled: false } })
  const before = await endpoint()
  const claimed = await take()
  expect(claimed).toMatchObject([{ id: first?.id, isTest: true }])
  expect(await take()).toEqual([])
  const outcome = { statusCode: 410, response: '', error: null, status: 'FAILED', due: null, gone: true } as const
  const results: Result[] = claimed.map(({ id, lease, attempt }) => {
    return { id, lease, endpointId, number: attempt, startedAt: guddesk.clock.now(), durationMs: 1, ...outcome }
  })
  await settle(guddesk.deps, results, guddesk.clock.now())
  expect(await deliveries().findUnique({ where: { id: first?.id ?? '' } })).toMatchObject({ status: 'FAILED' })
  expect(await endpoint()).toEqual(before)
})

test('the secret before is claimed with the delivery until the overlap ends', async () => {
  const secretOverlapEndsAt = new Date(guddesk.clock.now().getTime() + 60_000)
  const rotation = { previousSealedSecret: 'v1.before', secretOverlapEndsAt }
  await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data: rotation })
  await guddesk.newConversation(tenant)
  expect(await take()).toMatchObject([{ previousSealedSecret: 'v1.before' }])
  guddesk.clock.advance(60_000)
  expect(await take()).toMatchObject([{ previousSealedSecret: null }])
})
