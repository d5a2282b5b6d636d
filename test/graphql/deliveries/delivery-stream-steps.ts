import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import type { Live } from '../live.ts'

export const DELIVERIES = graphql(`subscription ($filter: DeliveryFilter) {
  deliveries(filter: $filter) {
    from to created skipped delivered retrying failed durationP50Ms durationP95Ms omitted
    newest { id status eventType conversationId endpoint { id } attempts { number statusCode } }
  }
}`)

export const STEPS = ['created', 'skipped', 'delivered', 'retrying', 'failed'] as const

export interface Update extends Record<(typeof STEPS)[number], number> {
  readonly from: string
  readonly to: string
  readonly durationP50Ms: number | null
  readonly durationP95Ms: number | null
  readonly newest: { id: string; status: string; endpoint: { id: string }; attempts: { statusCode: number }[] }[]
  readonly omitted: number
}

export let guddesk: TestGudDesk
export let receiver: Receiver
/** A workspace of its own for every test. */
export let tenant: Tenant

export async function register(body: object = {}, key = tenant.key): Promise<string> {
  const events = { onMessageCreated: true, onConversationCreated: false }
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events, ...body }, { key })
  return data.endpoint.id
}

export const sum = (updates: readonly Update[]) =>
  Object.fromEntries(STEPS.map((step) => [step, updates.reduce((total, update) => total + update[step], 0)]))

export const NOTHING = { created: 0, skipped: 0, delivered: 0, retrying: 0, failed: 0 }

/** What is made is held back by any transaction on the server, and may come after what is delivered. */
export const untilSumIs = (live: Live<Update>, expected: object) =>
  until(
    () => isDeepStrictEqual(sum(live.events), expected),
    10_000,
    () => `${JSON.stringify(sum(live.events))} came, not ${JSON.stringify(expected)}`,
  )

/** A running server, and a workspace with a receiver for each test. */
export function useStreams(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(async () => {
    await guddesk?.stop()
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    tenant = await guddesk.newTenant()
    return () => receiver.close()
  })
}
