import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { HostLimit, MAX_IN_FLIGHT_PER_HOST } from '../../../src/dispatch/send/host-limit.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { nextUrl, ok } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

// Many endpoints that lead to one host.

describe('an endpoint whose URL changes while it waits for its host', () => {
  const FULL = 'http://full.example/'
  const OTHER = 'http://other.example/'
  const queueTo = (url: string, workspaceId = 'ws_1') => ({ row: { url }, workspaceId }) as EndpointQueue
  const moved = (queue: EndpointQueue) => Object.assign(queue, { row: { url: OTHER } })

  /** A host with 50 requests in flight, and some that wait for it in this order. */
  function fullHost(...waiting: EndpointQueue[]) {
    const linedUp: EndpointQueue[] = []
    const hostLimit = new HostLimit((queue) => linedUp.push(queue))
    const places = Array.from({ length: MAX_IN_FLIGHT_PER_HOST }, () => {
      const queue = queueTo(FULL)
      expect(hostLimit.requestTurn(queue)).toBe(queue)
      return hostLimit.start(queue)
    })
    for (const queue of waiting) expect(hostLimit.requestTurn(queue)).toBeUndefined()
    const end = () => {
      const [place] = places.splice(0, 1)
      return place && hostLimit.finish(place)
    }
    return { hostLimit, linedUp, end }
  }

  test('leaves its turn there to the next, and waits at the other', () => {
    const [first, second] = [queueTo(FULL, 'ws_2'), queueTo(FULL, 'ws_3')]
    const { hostLimit, linedUp, end } = fullHost(first, second)
    moved(first)
    expect(end()).toBe(second)
    expect(linedUp).toEqual([first])
    // At the other host it has a place, and nobody's here.
    expect(hostLimit.requestTurn(first)).toBe(first)
    hostLimit.start(first)
    expect(hostLimit.requestTurn(second)).toBe(second)
    hostLimit.start(second)
    expect(hostLimit.requestTurn(queueTo(FULL))).toBeUndefined()
  })

  test('does so when it has been given its turn, too', () => {
    const [first, second] = [queueTo(FULL, 'ws_2'), queueTo(FULL, 'ws_3')]
    const { hostLimit, linedUp, end } = fullHost(first, second)
    expect(end()).toBe(first)
    moved(first)
    expect(hostLimit.requestTurn(first)).toBe(first)
    expect(linedUp).toEqual([second])
    hostLimit.start(first)
    expect(hostLimit.requestTurn(second)).toBe(second)
  })
})

let guddesk: TestGudDesk
let receiver: Receiver

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { WEBHOOK_ENDPOINTS_PER_WORKSPACE: '80' } })
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver?.close()
  await guddesk?.stop()
})

async function newTenant(path: string, endpoints: number, base = receiver.url): Promise<Tenant> {
  const tenant = await guddesk.newTenant()
  for (let i = 0; i < endpoints; i++) {
    const url = `${base}/${path}/${i}`
    await ok(guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key }))
  }
  return tenant
}

test('a host gets 50 requests at a time, workspaces in turn, and none above half while others wait', async () => {
  const open: { path: string; end: () => void }[] = []
  const arrived: string[] = []
  receiver.behave((response, { path }) => {
    arrived.push(path)
    open.push({ path, end: () => response.end() })
  })
  const openOf = (name: string) => open.filter(({ path }) => path.includes(`/${name}/`)).length
  const one = await newTenant('one', 80)
  const other = await newTenant('other', 60)

  await guddesk.newConversation(one, 'Hello')
  await until(() => open.length >= 50)
  await guddesk.dispatched()
  expect(open).toHaveLength(50)

  // The other workspace waits for the first one's places, and has half of them in the end.
  await guddesk.newConversation(other, 'Hello')
  await guddesk.dispatched()
  expect(open).toHaveLength(50)
  for (let count = 1; count <= 25; count++) {
    open.shift()?.end()
    await until(() => arrived.length === 50 + count)
    expect(open).toHaveLength(50)
  }
  expect([openOf('one'), openOf('other')]).toEqual([25, 25])

  // Alone at its host, another receiver does not wait for this one.
  const elsewhere = await startReceiver()
  const free = await newTenant('free', 1, elsewhere.url)
  await guddesk.newConversation(free, 'Hello')
  await elsewhere.waitFor(1)
  await elsewhere.close()

  let most = 0
  receiver.behave((response, { path }) => {
    arrived.push(path)
    most = Math.max(most, open.length)
    setImmediate(() => response.end())
  })
  for (const { end } of open.splice(0)) end()
  await until(
    () => new Set(arrived).size === 140,
    20_000,
    () => `${new Set(arrived).size} of 140 endpoints were reached`,
  )
})

const SENTENCE = 'A workspace may have 80 webhook endpoints, and this one has them all: remove one first'

test('however many are made at once, a workspace gets no more endpoints than it may have', async () => {
  const tenant = await newTenant('full', 77)
  const { key } = tenant
  const mutate = (text: string) => guddesk.graphql(`mutation { made: ${text} }`, {}, { key })
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => [
      guddesk.call('POST', '/api/agent/webhooks', { url: nextUrl() }, { key }),
      guddesk.call('POST', '/api/v1/agents', { name: 'Bot', webhookUrl: nextUrl() }, { key }),
      mutate(`registerWebhookEndpoint(input: { url: "${nextUrl()}" }) { error { code message } }`),
      mutate(`installAgent(input: { name: "Bot", webhookUrl: "${nextUrl()}" }) { error { code message } }`),
    ]).flat(),
  )
  const refusals = answers.flatMap(({ error, data }) => {
    const { code, message } = error ?? data?.made?.error ?? {}
    return code === undefined ? [] : [`${code.toLowerCase()}: ${message}`]
  })
  expect(refusals).toEqual(Array.from({ length: 13 }, () => `conflict: ${SENTENCE}`))
  const where = { workspaceId: tenant.workspaceId }
  expect(await guddesk.deps.db.prisma.webhookEndpoint.count({ where })).toBe(80)
  // What was refused left nothing behind.
  const agents = await guddesk.deps.db.prisma.agent.count({ where })
  expect(await guddesk.deps.db.prisma.webhookEndpoint.count({ where: { ...where, NOT: { agentId: null } } })).toBe(
    agents,
  )
})

test('what a workspace has above the limit stays, and removing one makes room only below it', async () => {
  const { deps } = guddesk
  const { key, workspaceId } = await newTenant('kept', 80)
  const { id: _, ...row } = await deps.db.prisma.webhookEndpoint.findFirstOrThrow({ where: { workspaceId } })
  await deps.db.prisma.webhookEndpoint.create({
    data: { ...row, id: newId('webhookEndpoint'), url: 'http://localhost:9/above' },
  })
  const register = (url: string) => guddesk.call('POST', '/api/agent/webhooks', { url }, { key })
  const remove = (url: string) => guddesk.call('DELETE', '/api/agent/webhooks', { url }, { key })
  expect((await register(row.url)).status).toBe(200)
  await ok(remove('http://localhost:9/above'))
  expect(await register(nextUrl())).toMatchObject({ status: 409, error: { code: 'conflict', message: SENTENCE } })
  await ok(guddesk.call('DELETE', '/api/agent/webhooks', { url: row.url, forget: true }, { key }))
  expect((await register(nextUrl())).status).toBe(201)
})
