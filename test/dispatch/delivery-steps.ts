import { ENDPOINTS_TOPIC } from '../../src/domain/events/events.ts'
import type { Tenant, TestGudDesk } from '../support/guddesk.ts'
import type { Receiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

const ALL = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: true,
  onConversationAssigned: true,
}

/**
 * Steps of tests that follow deliveries of one tenant to one receiver.
 * @param current read at each step, because every test has its own tenant and receiver
 */
export function deliverySteps(current: () => { guddesk: TestGudDesk; receiver: Receiver; tenant: Tenant }) {
  async function register(events: Partial<typeof ALL> = ALL): Promise<{ id: string; secret: string }> {
    const { guddesk, receiver, tenant } = current()
    const body = { url: receiver.url, events }
    const { data } = await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
    return data.endpoint
  }

  /** The one delivery of the tenant's newest event of a type. */
  async function deliveryOf(type: string) {
    const { guddesk, tenant } = current()
    return guddesk.deps.db.prisma.delivery.findFirstOrThrow({
      where: { workspaceId: tenant.workspaceId, event: { type } },
      orderBy: { seq: 'desc' },
      include: { attemptLog: { orderBy: { number: 'asc' } } },
    })
  }

  const finished = (type: string) => until(async () => (await deliveryOf(type)).nextAttemptAt === null)
  const attempted = (type: string, times: number) =>
    until(async () => {
      const { attempts } = await deliveryOf(type)
      return attempts === times
    })
  return { register, deliveryOf, finished, attempted }
}

/**
 * Makes a change of endpoints, and waits until the dispatcher has heard of it. With Redis, that may be after the answer: until
 * then, what the dispatcher has read ahead is still sent.
 */
export async function heardByDispatcher<T>({ deps: { bus } }: TestGudDesk, change: () => Promise<T>): Promise<T> {
  let isHeard = false
  // Listeners are called in the order in which they subscribed: the dispatcher's was the first.
  const stop = bus.subscribe(ENDPOINTS_TOPIC, () => {
    isHeard = true
  })
  try {
    const answer = await change()
    await until(
      () => isHeard,
      10_000,
      () => 'the change of the endpoints was not announced',
    )
    return answer
  } finally {
    stop()
  }
}
