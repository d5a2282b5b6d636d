import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { deliverySteps } from './delivery-steps.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
})
afterEach(() => receiver.close())

const { register, deliveryOf, finished, attempted } = deliverySteps(() => ({ guddesk, receiver, tenant }))

describe('failing receivers', () => {
  test('500, then 200: the same delivery with the next attempt number, 10 s later and not before', async () => {
    await register()
    receiver.behave((response, _request, count) => response.writeHead(count === 1 ? 500 : 200).end('try again'))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    // 10 s, give or take a tenth.
    guddesk.advance(8500)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    guddesk.advance(2500)
    await receiver.waitFor(2)
    await finished('conversation.created')
    const [first, second] = receiver.received
    expect(second?.headers['x-guddesk-delivery']).toBe(first?.headers['x-guddesk-delivery'])
    expect(second?.headers['x-guddesk-attempt']).toBe('2')
    expect(second?.text).toBe(first?.text)
    const delivery = await deliveryOf('conversation.created')
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: 2 })
    expect(delivery.attemptLog).toMatchObject([
      { number: 1, statusCode: 500, response: 'try again', error: null },
      { number: 2, statusCode: 200, error: null },
    ])
  })

  test('eight attempts, then FAILED', async () => {
    await register()
    receiver.behave(answer(503))
    await guddesk.newConversation(tenant)
    const waits = [0, 10, 30, 120, 600, 3600, 21_600, 86_400]
    for (const [i, seconds] of waits.entries()) {
      // Jitter adds up to a tenth.
      guddesk.advance(seconds * 1100)
      await attempted('conversation.created', i + 1)
    }
    expect(await deliveryOf('conversation.created')).toMatchObject({
      status: 'FAILED',
      attempts: 8,
      nextAttemptAt: null,
    })
    guddesk.advance(86_400_000)
    await guddesk.dispatched()
    expect(receiver.received.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual('12345678'.split(''))
  })

  test('Retry-After on 429 is honoured', async () => {
    await register()
    receiver.behave((response, _request, count) =>
      response.writeHead(count === 1 ? 429 : 200, { 'retry-after': '100' }).end(),
    )
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    guddesk.advance(90_000)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    // Jitter adds up to a tenth.
    guddesk.advance(20_100)
    await receiver.waitFor(2)
  })

  test('410 disables the endpoint at once, and ops see an event for it', async () => {
    const { id } = await register()
    receiver.behave(answer(410))
    await guddesk.newConversation(tenant)
    await finished('conversation.created')
    const { prisma } = guddesk.deps.db
    expect(await prisma.webhookEndpoint.findUnique({ where: { id } })).toMatchObject({
      isEnabled: false,
      disabledReason: 'gone',
    })
    const event = await prisma.event.findFirstOrThrow({
      where: { workspaceId: tenant.workspaceId, type: 'endpoint.disabled' },
    })
    expect(JSON.parse(event.body).data).toMatchObject({ endpointId: id, reason: 'gone' })
    await guddesk.newConversation(tenant)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(1)
    expect(await deliveryOf('conversation.created')).toMatchObject({ status: 'SKIPPED', attempts: 0 })
  })

  test('redirects are not followed and count as failures', async () => {
    const target = await startReceiver()
    await register()
    receiver.behave(answer(307, { location: target.url }))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    expect(target.received).toHaveLength(0)
    expect((await deliveryOf('conversation.created')).status).toBe('PENDING')
    await target.close()
  })

  test('an answer that does not end within 5 s is a failure, and delays no other endpoint', async () => {
    await register()
    receiver.behave((response) => void response.writeHead(200).write('never ends'))
    const good = await startReceiver()
    await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: tenant.key })
    const began = performance.now()
    await guddesk.newConversation(tenant)
    await good.waitFor(1, 1000)
    await attempted('conversation.created', 1).catch(() => undefined)
    await until(async () => {
      const log = await guddesk.deps.db.prisma.deliveryAttempt.findMany({
        where: { delivery: { endpoint: { url: receiver.url } } },
      })
      return (
        log.length === 1 &&
        log[0]?.error?.startsWith('No complete response within 5 seconds') === true &&
        log[0].durationMs < 5500
      )
    })
    expect(performance.now() - began).toBeGreaterThan(4500)
    await good.close()
  })

  test('only the first 4 kB of a long answer are kept', async () => {
    await register()
    receiver.behave(answer(500, {}, `${'é'.repeat(100_000)}\u0000`))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const [attempt] = (await deliveryOf('conversation.created')).attemptLog
    expect(attempt?.response).toBe('é'.repeat(2048))
  })

  test('a connection that is refused is retried', async () => {
    await register()
    await receiver.close()
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const [attempt] = (await deliveryOf('conversation.created')).attemptLog
    expect(attempt).toMatchObject({ statusCode: null, error: expect.stringContaining('connection was refused') })
    receiver = await startReceiver(receiver.port)
    guddesk.advance(11_000)
    await receiver.waitFor(1)
  })

  test('five days of nothing but failure disable the endpoint', async () => {
    const { id } = await register()
    receiver.behave(answer(500))
    const isEnabled = async () =>
      (await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).isEnabled
    for (let day = 0; day < 5; day++) {
      expect(await isEnabled()).toBe(true)
      await guddesk.newConversation(tenant)
      await attempted('conversation.created', 1)
      guddesk.advance(86_400_000)
      await guddesk.dispatched()
    }
    await until(async () => !(await isEnabled()))
    const where = { workspaceId: tenant.workspaceId, type: 'endpoint.disabled' }
    expect(await guddesk.deps.db.prisma.event.count({ where })).toBe(1)
  })
})

describe('the breaker', () => {
  const breaker = async (id: string) => {
    const query =
      'query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { breaker { state openedAt nextProbeAt } } } }'
    return (await guddesk.graphql(query, { id }, { key: tenant.key })).data.node.breaker
  }

  test('ten failures open it; then one probe goes out, and its success lets everything through', async () => {
    const { id } = await register()
    receiver.behave(answer(503))
    expect(await breaker(id)).toEqual({ state: 'CLOSED', openedAt: null, nextProbeAt: null })
    await Promise.all(Array.from({ length: 14 }, () => guddesk.newConversation(tenant)))
    await until(async () => (await breaker(id)).state === 'OPEN')
    await guddesk.dispatched()
    const tried = receiver.received.length
    expect(tried).toBeLessThan(14)
    receiver.behave(answer(200))
    guddesk.advance(4000)
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(tried)
    guddesk.advance(2000)
    await until(async () => (await breaker(id)).state === 'CLOSED')
    // What waited spent no attempts, and what failed goes with it.
    await until(
      async () =>
        (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id, nextAttemptAt: null } })) === 14,
    )
    const firsts = receiver.received.filter(({ headers }) => headers['x-guddesk-attempt'] === '1')
    expect(firsts).toHaveLength(14)
    expect(receiver.received).toHaveLength(tried + 14)
  })
})

describe('endpoints that fail for days', () => {
  test('half of the time before they are disabled, ops are warned once', async () => {
    const { id } = await register()
    receiver.behave(answer(500))
    const where = { workspaceId: tenant.workspaceId, type: 'endpoint.failing' }
    const warnings = () => guddesk.deps.db.prisma.event.findMany({ where })
    for (let halfDay = 0; halfDay < 7; halfDay++) {
      if (halfDay < 5) expect(await warnings()).toEqual([])
      await guddesk.newConversation(tenant)
      await attempted('conversation.created', 1)
      guddesk.advance(43_200_000)
      await guddesk.dispatched()
    }
    await until(async () => (await warnings()).length > 0)
    await guddesk.dispatched()
    const [warning, ...more] = await warnings()
    expect(more).toEqual([])
    const { data } = JSON.parse(warning?.body ?? '{}')
    expect(data).toMatchObject({ endpointId: id, url: receiver.url })
    expect(Date.parse(data.disabledAt) - Date.parse(data.failingSince)).toBe(5 * 86_400_000)
    receiver.behave(answer(200))
    await guddesk.newConversation(tenant)
    await finished('conversation.created')
    const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })
    await until(async () => (await endpoint()).failingSince === null)
    expect(await endpoint()).toMatchObject({ isEnabled: true, failingWarnedAt: null, consecutiveFailures: 0 })
  })
})
