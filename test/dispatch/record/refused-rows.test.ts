import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { METRICS_TOKEN, metric } from '../../support/metrics.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { refuseRows } from '../../support/rows/refuse.ts'
import { until } from '../../support/until.ts'

const DAY = 86_400_000

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let allow: () => Promise<void> = async () => undefined

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { METRICS_TOKEN } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
})
afterEach(async () => {
  await allow()
  allow = async () => undefined
  await receiver.close()
})

const refuse = async (...rows: [change: 'INSERT' | 'UPDATE', table: string, when: string]) => {
  allow = await refuseRows(guddesk.deps.db, ...rows)
}

async function register(url = receiver.url, more = {}): Promise<string> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url, ...more }, { key: tenant.key })
  return data.endpoint.id
}

const deliveries = () =>
  guddesk.deps.db.prisma.delivery.findMany({
    where: { workspaceId: tenant.workspaceId },
    include: { attemptLog: true },
    orderBy: { seq: 'asc' },
  })
const endpoint = (id: string) => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })
const setAside = () => metric(guddesk, 'guddesk_rows_set_aside_total')
const logged = (msg: string) => guddesk.logs.filter((line) => line['msg'] === msg)

describe('a result that the database refuses', () => {
  test('loses what the receiver answered, and is recorded with the others', async () => {
    await register()
    const before = await setAside()
    await refuse('INSERT', 'delivery_attempts', "NEW.response = 'poison'")
    receiver.behave((response, _, count) => response.end(count === 4 ? 'poison' : 'fine'))
    await Promise.all(Array.from({ length: 12 }, () => guddesk.newConversation(tenant)))
    await until(async () => (await deliveries()).filter(({ status }) => status === 'DELIVERED').length === 12)
    const attempts = (await deliveries()).map(({ attemptLog }) => attemptLog)
    expect(attempts.map((each) => each.length)).toEqual(Array(12).fill(1))
    const bad = attempts.flat().filter(({ response }) => response !== 'fine')
    expect(bad).toMatchObject([{ statusCode: 200, response: null, error: expect.stringContaining('(22023)') }])
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(12)
    expect(await setAside()).toBe(before + 1)
    expect(logged('attempt refused by the database; set aside').at(-1)).toMatchObject({
      deliveryId: bad[0]?.deliveryId,
      attempt: 1,
    })
  })

  test('ends its delivery when the attempt cannot be logged at all, and is not sent again', async () => {
    await register()
    await guddesk.newConversation(tenant)
    await until(async () => (await deliveries())[0]?.status === 'DELIVERED')
    receiver.behave((response) => response.writeHead(500).end())
    await refuse('INSERT', 'delivery_attempts', 'NEW.status_code = 500')
    await guddesk.newConversation(tenant)
    await until(async () => (await deliveries())[1]?.nextAttemptAt === null)
    expect((await deliveries())[1]).toMatchObject({ status: 'FAILED', attempts: 1, attemptLog: [] })
    await guddesk.dispatched()
    expect(receiver.received).toHaveLength(2)
  })

  test('waits in memory when its delivery cannot be changed, and is neither sent again nor in the way', async () => {
    await register()
    const hanging: ServerResponse[] = []
    receiver.behave((response) => hanging.push(response))
    await guddesk.newConversation(tenant)
    await receiver.waitFor(1)
    const [bad] = await deliveries()
    await refuse('UPDATE', 'deliveries', `OLD.id = '${bad?.id}'`)
    receiver.behave(answer(200))
    for (const response of hanging) response.end()
    await guddesk.newConversation(tenant)
    await until(async () => (await deliveries())[1]?.status === 'DELIVERED')
    await guddesk.dispatched()
    expect((await deliveries())[0]).toMatchObject({ status: 'PENDING', attempts: 0, attemptLog: [] })
    expect(receiver.received).toHaveLength(2)
  })
})

describe('an endpoint whose health the database refuses', () => {
  test('keeps no other from being counted', async () => {
    receiver.behave(answer(500))
    const bad = await register(`${receiver.url}/bad`)
    const good = await register(`${receiver.url}/good`)
    const before = await setAside()
    await refuse('UPDATE', 'webhook_endpoints', `NEW.id = '${bad}' AND NEW.consecutive_failures > 0`)
    await Promise.all(Array.from({ length: 3 }, () => guddesk.newConversation(tenant)))
    await until(async () => (await endpoint(good)).consecutiveFailures === 3)
    expect(await endpoint(bad)).toMatchObject({ consecutiveFailures: 0 })
    expect(await setAside()).toBeGreaterThan(before)
    expect((await deliveries()).map(({ attempts }) => attempts)).toEqual(Array(6).fill(1))
  })

  test('and which cannot be disabled has its 410 recorded', async () => {
    receiver.behave(answer(410))
    const id = await register()
    await refuse('UPDATE', 'webhook_endpoints', `NEW.id = '${id}' AND NOT NEW.is_enabled`)
    await guddesk.newConversation(tenant)
    await until(async () => (await deliveries())[0]?.status === 'FAILED')
    expect((await deliveries())[0]?.attemptLog).toMatchObject([{ statusCode: 410 }])
    expect(logged('webhook endpoint not disabled').at(-1)).toMatchObject({ endpointId: id })
  })
})

test('a judgement that fails counts no failure twice, and is made when it can be', async () => {
  receiver.behave(answer(500))
  const id = await register()
  for (let i = 0; i < 2; i++) await guddesk.newConversation(tenant)
  await until(async () => (await endpoint(id)).consecutiveFailures === 2)
  guddesk.clock.advance(5 * DAY)
  await refuse('UPDATE', 'webhook_endpoints', `NEW.id = '${id}' AND NOT NEW.is_enabled`)
  const failed = () => logged('endpoint health not evaluated; retrying').length
  const before = failed()
  await guddesk.newConversation(tenant)
  await until(() => failed() > before + 1)
  const attempts = async () => (await deliveries()).reduce((sum, each) => sum + each.attempts, 0)
  // Counted twice, they would never be equal again.
  const isCounted = async () => (await endpoint(id)).consecutiveFailures === (await attempts())
  await until(isCounted)
  await allow()
  await until(async () => !(await endpoint(id)).isEnabled)
  // What was in flight meanwhile is counted by the write after its own.
  await until(isCounted)
  expect((await endpoint(id)).disabledReason).toBe('failing')
})
