import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type Call, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { nextUrl, ok } from '../objects.ts'

export const PATH = '/api/agent/webhooks'
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export let guddesk: TestGudDesk
export let receiver: Receiver

export const register = (body: unknown, call?: Call) => guddesk.call('POST', PATH, body, call)
export const remove = (body: unknown, call?: Call) => guddesk.call('DELETE', PATH, body, call)
export const urls = async (call?: Call): Promise<string[]> =>
  (await guddesk.call('GET', `${PATH}?limit=100`, undefined, call)).data.map(({ url }: { url: string }) => url)

/** Of the endpoint with that id, as it stands in its row. */
export const row = (id: string) => guddesk.deps.db.prisma.webhookEndpoint.findUnique({ where: { id } })

/** An agent, and its key. */
export async function anAgent(url = nextUrl()): Promise<{ agentId: string; key: string }> {
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', { name: 'Agent', webhookUrl: url }))
  return { agentId: data.id, key: data.credentials.apiKey }
}

/** Nothing is on its way to it. */
export async function settled(endpointId: string): Promise<void> {
  const where = { endpointId, nextAttemptAt: { not: null } }
  await until(
    async () => (await guddesk.deps.db.prisma.delivery.count({ where })) === 0,
    5000,
    () => 'deliveries are waiting',
  )
}

/** A running server, and a receiver for each test. */
export function useReceiver(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(() => guddesk?.stop())
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await receiver.close()
    // A later receiver may get the same port.
    await remove({ url: receiver.url, forget: true })
  })
}
