import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { heardByDispatcher } from './delivery-steps.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
/** Ends the answers that are held back. */
let finish: () => void

beforeAll(async () => {
  guddesk = await startGudDesk()
})
beforeEach(async () => {
  receiver = await startReceiver()
  const held: (() => void)[] = []
  receiver.behave((response) => held.push(() => response.end()))
  finish = () => {
    for (const end of held.splice(0)) end()
    receiver.behave((response) => response.end())
  }
  tenant = await guddesk.newTenant()
  guddesk.logs.length = 0
})
afterEach(() => receiver.close())
afterAll(() => guddesk?.stop())

const call = (method: string, path: string, body?: unknown) => guddesk.call(method, path, body, { key: tenant.key })

/** Everything that can be deleted through the API while something is sent because of it, and how. */
const DELETED: [what: string, remove: (agentId: string) => Promise<{ status: number }>][] = [
  ['an agent', (agentId) => call('DELETE', `/api/v1/agents/${agentId}`)],
  ['an endpoint', () => call('DELETE', '/api/agent/webhooks', { url: `${receiver.url}/own`, forget: true })],
  ['a workspace', () => call('DELETE', `/api/v1/workspaces/${tenant.workspaceId}`)],
]

test.each(DELETED)('%s deleted while its deliveries are in flight', async (what, remove) => {
  const { data: agent } = await call('POST', '/api/v1/agents', { name: 'A', webhookUrl: `${receiver.url}/agent` })
  await call('POST', '/api/agent/webhooks', { url: `${receiver.url}/own` })
  for (let i = 0; i < 10; i++) await guddesk.newConversation(tenant, 'Hello')
  // Some are in flight, the others wait behind them.
  await receiver.waitFor(4)
  expect((await heardByDispatcher(guddesk, () => remove(agent.id))).status).toBe(200)
  const goneTo = (path: string) => (what === 'an agent' ? path.endsWith('/agent') : path.endsWith('/own'))
  const isGone = (path: string) => what === 'a workspace' || goneTo(path)
  const before = receiver.received.filter(({ path }) => isGone(path)).length
  finish()
  const { prisma } = guddesk.deps.db
  const where = { workspaceId: tenant.workspaceId }
  await until(
    async () => (await prisma.delivery.count({ where: { ...where, status: 'PENDING' } })) === 0,
    10_000,
    () => 'deliveries are stuck',
  )
  // Nothing new went there, and nothing is left of it.
  expect(receiver.received.filter(({ path }) => isGone(path))).toHaveLength(before)
  const endpoints = await prisma.webhookEndpoint.count({ where })
  expect(endpoints).toBe(what === 'a workspace' ? 0 : 1)
  // What was in flight ends as delivered, and is drained with the rest of its workspace.
  await until(
    async () => (await prisma.delivery.count({ where })) === 20 * endpoints,
    10_000,
    () => 'deliveries are left of what was deleted',
  )
  expect(await prisma.delivery.count({ where: { ...where, status: 'DELIVERED' } })).toBe(20 * endpoints)
  const attempts = await prisma.deliveryAttempt.findMany({ select: { delivery: { select: { endpointId: true } } } })
  for (const { delivery } of attempts) expect(delivery).not.toBe(null)
  // The dispatcher is well: no error in the log, and it goes on.
  expect(guddesk.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  const elsewhere = await guddesk.newTenant()
  await guddesk.call('POST', '/api/agent/webhooks', { url: `${receiver.url}/elsewhere` }, { key: elsewhere.key })
  await guddesk.newConversation(elsewhere)
  await until(
    () => receiver.received.some(({ path }) => path.endsWith('/elsewhere')),
    10_000,
    () => 'nothing is sent any more',
  )
})
