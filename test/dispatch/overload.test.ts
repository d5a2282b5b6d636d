import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openConnection } from '../../src/dispatch/store/connection.ts'
import { DISPATCH_TOPIC } from '../../src/domain/events/events.ts'
import { backend } from '../support/database.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { METRICS_TOKEN, metric } from '../support/metrics.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { METRICS_TOKEN } })
})
afterAll(() => guddesk?.stop())

const NOW = { name: 'test_now', text: 'SELECT 1' }

describe.runIf(backend === 'embedded')('the one connection of the embedded database', () => {
  test('goes to the API first, whoever came first', async () => {
    const api = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    const { db } = api.deps
    const session = openConnection(db, () => true)
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
    const session = openConnection(db, () => true)
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

/** Takes the event loop for a while at every turn, as requests do that compute much. */
function occupy(ms: number): { readonly turns: number; end(): void } {
  let [turns, isOver] = [0, false]
  const turn = () => {
    if (isOver) return
    for (const until = performance.now() + ms; performance.now() < until; );
    turns++
    setImmediate(turn)
  }
  setImmediate(turn)
  return {
    get turns() {
      return turns
    },
    end() {
      isOver = true
    },
  }
}

describe('deliveries to many endpoints', () => {
  const ENDPOINTS = 40
  const LEAST_SHARE = 1 / 64
  /** Requests that are in flight at most at the least share. */
  const FEW = 32
  let tenant: Tenant
  let receiver: Receiver
  /** Of the requests that waited for the receiver's answer at once, the most. */
  let most: number

  beforeEach(async () => {
    tenant = await guddesk.newTenant()
    receiver = await startReceiver()
    for (let i = 0; i < ENDPOINTS; i++) {
      // Two hosts: each has a limit of its own.
      const url = i % 2 === 0 ? receiver.url : receiver.url.replace('127.0.0.1', 'localhost')
      await guddesk.call('POST', '/api/agent/webhooks', { url: `${url}/${i}` }, { key: tenant.key })
    }
  })
  afterEach(() => receiver.close())

  function answerAfter(ms: number): void {
    let open = 0
    receiver.behave((response) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        response.writeHead(200).end()
      }, ms)
    })
  }

  /** So many deliveries to each endpoint, at once. */
  async function makeDue(count: number): Promise<void> {
    const { db, bus } = guddesk.deps
    await db.sql(
      `WITH event AS (
         INSERT INTO events (id, workspace_id, type, body)
         SELECT 'evt_' || gen_random_uuid(), $1, 'ping', '{"event":"ping","data":{}}' FROM generate_series(1, $2::int)
         RETURNING id, seq
       )
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, due)
       SELECT 'dlv_' || gen_random_uuid(), $1, event.id, endpoint.id, event.seq, $3
         FROM event, webhook_endpoints endpoint WHERE endpoint.workspace_id = $1`,
      [tenant.workspaceId, count, guddesk.clock.now()],
    )
    bus.notify(DISPATCH_TOPIC)
  }

  const count = (where: object) =>
    guddesk.deps.db.prisma.delivery.count({ where: { workspaceId: tenant.workspaceId, ...where } })

  /** @returns how many requests were answered, one after the other, until it was over */
  async function askUntil(isOver: () => boolean | Promise<boolean>): Promise<number> {
    let answered = 0
    for (; !(await isOver()); answered++) {
      const { status } = await guddesk.call('GET', '/api/agent/webhooks', undefined, { key: tenant.key })
      expect(status).toBe(200)
    }
    return answered
  }

  async function shareIs(expected: number): Promise<void> {
    let last = Number.NaN
    const isReached = async () => {
      last = await metric(guddesk, 'guddesk_dispatch_share')
      return last === expected
    }
    await until(isReached, 30_000, () => `the share is ${last}, not ${expected}`)
  }

  async function isDraining(): Promise<boolean> {
    const [dispatcher] = await guddesk.deps.db.prisma.dispatcher.findMany()
    return dispatcher?.isDraining === true
  }

  test('wait while requests take the event loop; afterwards they go on, and each arrives once', async () => {
    answerAfter(200)
    // Every endpoint is known to be well, so that it may have many requests in flight.
    most = 0
    await makeDue(15)
    await receiver.waitFor(ENDPOINTS * 15, 30_000)
    expect(most).toBeGreaterThan(2 * FEW)
    await until(async () => (await count({ nextAttemptAt: { not: null } })) === 0)
    await shareIs(1)

    const load = occupy(60)
    try {
      await shareIs(LEAST_SHARE)
      const began = load.turns
      const alone = await askUntil(() => load.turns >= began + 60)
      most = 0
      await makeDue(50)
      const due = load.turns
      const beside = await askUntil(() => load.turns >= due + 60)
      // A request takes no longer than with nothing to send.
      expect(beside).toBeGreaterThan(alone / 2)
      // A few go all the same.
      const sent = receiver.received.length - ENDPOINTS * 15
      expect(sent).toBeGreaterThan(0)
      expect(sent).toBeLessThan((ENDPOINTS * 50) / 8)
      expect(most).toBeLessThanOrEqual(FEW)
      await until(isDraining, 10_000, () => 'its endpoints are not given to others')
    } finally {
      load.end()
    }

    await shareIs(1)
    await until(
      async () => !(await isDraining()),
      10_000,
      () => 'its endpoints are still given to others',
    )
    await receiver.waitFor(ENDPOINTS * 65, 30_000)
    expect(most).toBeGreaterThan(2 * FEW)
    await until(async () => (await count({ nextAttemptAt: { not: null } })) === 0)
    expect(await count({ status: 'DELIVERED', attempts: 1 })).toBe(ENDPOINTS * 65)
    const ids = receiver.received.map(({ headers }) => headers['x-guddesk-delivery'])
    expect([ids.length, new Set(ids).size]).toEqual([ENDPOINTS * 65, ENDPOINTS * 65])
  }, 90_000)

  test('leave the API its turns, without any other load', async () => {
    await makeDue(100)
    const answered = await askUntil(() => receiver.received.length >= ENDPOINTS * 100)
    // Some hundred deliveries for each request, and fewer on the embedded database.
    expect(answered).toBeGreaterThan(10)
  })

  test('that nobody serves go to each of them, and requests are answered meanwhile', async () => {
    await receiver.close()
    await makeDue(30)
    await askUntil(async () => {
      const where = { workspaceId: tenant.workspaceId, attempts: { gt: 0 } }
      const tried = await guddesk.deps.db.prisma.delivery.groupBy({ by: ['endpointId'], where })
      return tried.length === ENDPOINTS
    })
  })
})
