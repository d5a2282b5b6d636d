import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { EndpointOrdering } from '../../../src/generated/prisma/enums.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Received, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

/*
 * What tests of outages and recoveries begin with. These are live bindings: each file has its own, and sees what the hooks
 * have put there.
 */

export let guddesk: TestGudDesk
export let receiver: Receiver
/** A workspace of its own for every test, with one endpoint. */
export let tenant: Tenant
export let endpointId: string
export const DAY_MS = 86_400_000
export const ORDERINGS: readonly EndpointOrdering[] = ['RELAXED', 'STRICT']

/** A running server, and an endpoint for each test. */
export function useEndpoint(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(() => guddesk?.stop())
  beforeEach(async () => {
    receiver = await startReceiver()
    tenant = await guddesk.newTenant()
    endpointId = await register()
    // What is written into its rows from here on is not found by a look that the registration has caused.
    await guddesk.dispatched()
  })
  afterEach(() => receiver.close())
}

/** The receiver comes back at the same address after it was closed. */
export async function reopenReceiver(): Promise<void> {
  receiver = await startReceiver(receiver.port)
}

export async function register(): Promise<string> {
  const body = { url: receiver.url, events: { onMessageCreated: true, onConversationCreated: false } }
  return (await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })).data.endpoint.id
}
export const change = (data: object) =>
  guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data })
export const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
export const deliveries = () =>
  guddesk.deps.db.prisma.delivery.findMany({
    where: { endpointId },
    orderBy: { seq: 'asc' },
    include: { attemptLog: true },
  })

export async function say(conversationId: string, count = 1): Promise<void> {
  const path = `/api/v1/conversations/${conversationId}/messages`
  for (let i = 0; i < count; i++) await guddesk.call('POST', path, { body: 'more', type: 'AGENT' }, { key: tenant.key })
}

export async function replay(deliveryId: string | undefined): Promise<void> {
  const mutation = 'mutation($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { __typename } }'
  const { data } = await guddesk.graphql(mutation, { input: { deliveryId } }, { key: tenant.key })
  expect(data.replayDelivery.__typename).toBe('ReplayDeliveryPayload')
}

export const allAre = (status: string) =>
  until(async () => (await deliveries()).every((delivery) => delivery.status === status))
export const sequences = (requests: readonly Received[], conversationId?: unknown) =>
  requests
    .filter(({ data }) => conversationId === undefined || data['conversationId'] === conversationId)
    .map(({ data }) => data['sequence'])
export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** As many messages in one conversation, of which each has failed as often as is said. The later they are, the earlier they are due. */
export async function failed(firstDue: Date, attempts: readonly number[]): Promise<string> {
  const before = (await deliveries()).length
  await change({ isEnabled: false })
  const id = await guddesk.newConversation(tenant, 'one')
  await say(id, attempts.length - 1)
  for (const [i, delivery] of (await deliveries()).slice(before).entries()) {
    const due = new Date(firstDue.getTime() - 1000 * i)
    const row = { status: 'PENDING', finishedAt: null, attempts: attempts[i] ?? 0, nextAttemptAt: due } as const
    await guddesk.deps.db.prisma.delivery.update({ where: { id: delivery.id }, data: row })
  }
  await change({ isEnabled: true })
  return id
}
export const waiting = (...attempts: number[]) => failed(new Date(guddesk.clock.now().getTime() + DAY_MS), attempts)
