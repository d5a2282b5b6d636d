import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpointId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url }, { key: tenant.key })
  endpointId = data.endpoint.id
})
afterEach(() => receiver.close())

const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })

test('a clock that jumps ten days ahead between failures disables nothing, and five days do', async () => {
  receiver.behave(answer(500))
  await guddesk.newConversation(tenant)
  await until(async () => (await endpoint()).consecutiveFailures === 1)
  guddesk.clock.set(10 * DAY)
  for (let i = 0; i < 3; i++) await guddesk.newConversation(tenant)
  await until(async () => (await endpoint()).consecutiveFailures >= 4)
  await guddesk.dispatched()
  expect(await endpoint()).toMatchObject({ isEnabled: true, failingWarnedAt: null })
  guddesk.clock.set(-10 * DAY)
  guddesk.advance(5 * DAY)
  await guddesk.newConversation(tenant)
  await until(async () => !(await endpoint()).isEnabled)
  expect(await endpoint()).toMatchObject({ disabledReason: 'failing' })
})

test.each([-10, 10])('a clock that is set by %i days moves no retry, and no probe', async (days) => {
  receiver.behave(answer(503))
  await Promise.all(Array.from({ length: 12 }, () => guddesk.newConversation(tenant)))
  await until(async () => (await endpoint()).breakerOpenedAt !== null)
  await guddesk.dispatched()
  receiver.behave(answer(200))
  const tried = receiver.received.length
  guddesk.clock.set(days * DAY)
  guddesk.advance(0)
  await guddesk.dispatched()
  expect(receiver.received).toHaveLength(tried)
  const first = receiver.received.length
  guddesk.advance(6000)
  await receiver.waitFor(first + 1)
  guddesk.advance(12_000)
  const delivered = { workspaceId: tenant.workspaceId, status: 'DELIVERED' } as const
  await until(async () => (await guddesk.deps.db.prisma.delivery.count({ where: delivered })) === 12)
  guddesk.clock.set(-days * DAY)
})
