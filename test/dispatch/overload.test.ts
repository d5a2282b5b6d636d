import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSession } from '../../src/dispatch/session.ts'
import { backend } from '../support/database.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

const NOW = { name: 'test_now', text: 'SELECT 1' }

describe.runIf(backend === 'embedded')('the one connection of the embedded database', () => {
  test('goes to the API first, whoever came first', async () => {
    const api = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    const { db } = api.deps
    const session = openSession(db, () => true)
    const order: string[] = []
    const client = await db.pool.connect()
    const dispatcher = session.run(NOW, []).then(() => order.push('dispatcher'))
    const requests = ['first', 'second', 'third'].map((name) => db.sql('SELECT 1').then(() => order.push(name)))
    client.release()
    await Promise.all([dispatcher, ...requests])
    expect(order).toEqual(['first', 'second', 'third', 'dispatcher'])
    await api.stop()
  })

  test('does not keep the dispatcher waiting for ever', async () => {
    const { db } = guddesk.deps
    const session = openSession(db, () => true)
    let isDone = false
    const requests = Array.from({ length: 8 }, async () => {
      while (!isDone) {
        await db.sql('SELECT 1')
        // As a request does that comes by a socket.
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await session.run(NOW, []).finally(() => {
      isDone = true
    })
    await Promise.all(requests)
  })
})

test('people are answered while thousands of deliveries go to endpoints that nobody serves', async () => {
  const tenant = await guddesk.newTenant()
  const as = { key: tenant.key }
  const ENDPOINTS = 100
  for (let i = 0; i < ENDPOINTS; i++) {
    // Port 9 (discard) of this machine: connections are refused at once.
    await guddesk.call('POST', '/api/agent/webhooks', { url: `http://127.0.0.1:9/${i}` }, as)
  }
  const MESSAGES = 30
  const conversations = await Promise.all(
    Array.from({ length: MESSAGES }, () => guddesk.newConversation(tenant, 'Hello')),
  )
  const { prisma } = guddesk.deps.db
  const unattempted = () => prisma.delivery.count({ where: { workspaceId: tenant.workspaceId, attempts: 0 } })
  // More than that would have been attempted, had the dispatcher not made way.
  let answered = 0
  while ((await unattempted()) > 0 && answered < 50) {
    const { status } = await guddesk.call('GET', `/api/v1/conversations/${conversations[0]}`, undefined, as)
    expect(status).toBe(200)
    answered++
  }
  expect(answered).toBeGreaterThan(10)
  // Every endpoint was tried in the end: breakers hold the rest back.
  await until(
    async () => {
      const tried = await prisma.delivery.findMany({
        where: { workspaceId: tenant.workspaceId, attempts: { gt: 0 } },
        distinct: ['endpointId'],
        select: { endpointId: true },
      })
      return tried.length === ENDPOINTS
    },
    30_000,
    () => 'not every endpoint was tried',
  )
})
