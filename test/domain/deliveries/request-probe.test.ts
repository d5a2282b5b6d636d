import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Prisma } from '../../../src/generated/prisma/client.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let endpointId: string
let deliveryId: string
const URL = 'http://127.0.0.1:9/webhook'
const DAY_MS = 86_400_000

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  tenant = await guddesk.newTenant()
  endpointId = (await register()).endpoint.id
  await guddesk.newConversation(tenant)
  deliveryId = (await guddesk.deps.db.prisma.delivery.findFirstOrThrow({ where: { endpointId } })).id
  await delivery({ attempts: 7, nextAttemptAt: new Date(guddesk.clock.now().getTime() + DAY_MS) })
})

async function register(url = URL, key = tenant.key) {
  return (await guddesk.call('POST', '/api/agent/webhooks', { url }, { key })).data
}
const delivery = (data: Prisma.DeliveryUncheckedUpdateInput) =>
  guddesk.deps.db.prisma.delivery.update({ where: { id: deliveryId }, data })
const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
const change = (data: Prisma.WebhookEndpointUncheckedUpdateInput) =>
  guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data })

/** Whether it was asked since the last call, and by whom. */
async function asked() {
  const { isProbeRequested, probeDeliveryId } = await endpoint()
  await change({ isProbeRequested: false, probeDeliveryId: null })
  return isProbeRequested ? (probeDeliveryId ?? 'the first') : null
}

async function mutate(name: string, type: string, input: object): Promise<void> {
  const mutation = `mutation($input: ${type}!) { ${name}(input: $input) { error { message } } }`
  const { body } = await guddesk.graphql(mutation, { input }, { key: tenant.key })
  expect(body.errors).toBeUndefined()
  expect(body.data[name].message).toBeUndefined()
}
const update = (input: object) =>
  mutate('updateWebhookEndpoint', 'UpdateWebhookEndpointInput', { endpointId, ...input })

test.each<[string, () => Promise<unknown>, expected?: () => string]>([
  ['registering the same URL again', () => register()],
  ['another URL', () => update({ url: `${URL}/new` })],
  ['another secret', () => mutate('rotateWebhookSecret', 'RotateWebhookSecretInput', { endpointId, overlapHours: 0 })],
  ['replaying it', () => mutate('replayDelivery', 'ReplayDeliveryInput', { deliveryId }), () => deliveryId],
  [
    'replaying since a date',
    () =>
      mutate('replayFailedDeliveries', 'ReplayFailedDeliveriesInput', { endpointId, since: '2001-01-01T00:00:00Z' }),
  ],
])('%s asks that what waits be sent now', async (_, act, expected = () => 'the first') => {
  await act()
  expect(await asked()).toBe(expected())
})

test('enabling asks, disabling does not, and neither does registering while nothing waits', async () => {
  await update({ isEnabled: false })
  expect(await asked()).toBeNull()
  await update({ isEnabled: true })
  expect(await asked()).toBe('the first')
  await change({ probeRequestedAt: null })
  await delivery({ status: 'DELIVERED', nextAttemptAt: null })
  await register()
  expect(await asked()).toBeNull()
  // What comes next is to be sent at once.
  await change({ breakerOpenedAt: guddesk.clock.now(), breakerProbeAt: guddesk.clock.now(), breakerProbes: 3 })
  await register()
  expect(await asked()).toBe('the first')
})

test("an agent's endpoints: enabling it and another URL ask, its being disabled does not", async () => {
  const install = { name: 'Bot', webhookUrl: `${URL}/bot` }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  endpointId = agent.webhookEndpoint.id
  await delivery({ endpointId })
  const patch = (body: object) => guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, body, { key: tenant.key })
  await patch({ isEnabled: false })
  await register(install.webhookUrl)
  expect(await asked()).toBeNull()
  await patch({ isEnabled: true })
  expect(await asked()).toBe('the first')
  await change({ probeRequestedAt: null })
  await patch({ webhookUrl: `${URL}/moved` })
  expect(await asked()).toBe('the first')
})

test('an agent that crashes in a loop asks once a minute, also when it starts on many nodes at once', async () => {
  await Promise.all(Array.from({ length: 5 }, () => register()))
  const { probeRequestedAt } = await endpoint()
  expect(await asked()).toBe('the first')
  guddesk.advance(50_000)
  await register()
  expect(await asked()).toBeNull()
  expect((await endpoint()).probeRequestedAt).toEqual(probeRequestedAt)
  guddesk.advance(11_000)
  await register()
  expect(await asked()).toBe('the first')
  // A clock that was set back since.
  await change({ probeRequestedAt: new Date('2100-01-01') })
  await register()
  expect(await asked()).toBe('the first')
})
