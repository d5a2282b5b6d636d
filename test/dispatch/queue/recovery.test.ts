import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EndpointOrdering } from '../../../src/generated/prisma/enums.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Received, type Receiver, startReceiver } from '../../support/receiver.ts'
import { seeded } from '../../support/setup/seed.ts'
import { quietPeriod, until } from '../../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant
let endpointId: string
const DAY_MS = 86_400_000
const ORDERINGS: readonly EndpointOrdering[] = ['RELAXED', 'STRICT']

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
  endpointId = await register()
})
afterEach(() => receiver.close())

async function register(): Promise<string> {
  const body = { url: receiver.url, events: { onMessageCreated: true, onConversationCreated: false } }
  return (await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })).data.endpoint.id
}
const change = (data: object) => guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data })
const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
const deliveries = () =>
  guddesk.deps.db.prisma.delivery.findMany({
    where: { endpointId },
    orderBy: { seq: 'asc' },
    include: { attemptLog: true },
  })

async function say(conversationId: string, count = 1): Promise<void> {
  const path = `/api/v1/conversations/${conversationId}/messages`
  for (let i = 0; i < count; i++) await guddesk.call('POST', path, { body: 'more', type: 'AGENT' }, { key: tenant.key })
}

async function replay(deliveryId: string | undefined): Promise<void> {
  const mutation = 'mutation($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { __typename } }'
  const { data } = await guddesk.graphql(mutation, { input: { deliveryId } }, { key: tenant.key })
  expect(data.replayDelivery.__typename).toBe('ReplayDeliveryPayload')
}

const allAre = (status: string) =>
  until(async () => (await deliveries()).every((delivery) => delivery.status === status))
const sequences = (requests: readonly Received[], conversationId?: unknown) =>
  requests
    .filter(({ data }) => conversationId === undefined || data['conversationId'] === conversationId)
    .map(({ data }) => data['sequence'])
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** As many messages in one conversation, of which each has failed as often as is said. The later they are, the earlier they are due. */
async function failed(firstDue: Date, attempts: readonly number[]): Promise<string> {
  const before = (await deliveries()).length
  await change({ isEnabled: false })
  const id = await guddesk.newConversation(tenant, 'one')
  await say(id, attempts.length - 1)
  for (const [i, delivery] of (await deliveries()).slice(before).entries()) {
    const due = new Date(firstDue.getTime() - 1000 * i)
    const row = { status: 'PENDING', finishedAt: null, attempts: attempts[i] ?? 0, due } as const
    await guddesk.deps.db.prisma.delivery.update({ where: { id: delivery.id }, data: row })
  }
  await change({ isEnabled: true })
  return id
}
const waiting = (...attempts: number[]) => failed(new Date(guddesk.clock.now().getTime() + DAY_MS), attempts)

describe.each(ORDERINGS)('after an outage, with %s ordering', (ordering) => {
  beforeEach(() => change({ ordering }))

  test('everything goes out at the first success, each conversation in its order', async () => {
    let isAway = true
    const good: Received[] = []
    receiver.behave((response, request) => {
      if (!isAway) good.push(request)
      response.writeHead(isAway ? 503 : 200).end()
    })
    const ids = await Promise.all(upTo(14).map(() => guddesk.newConversation(tenant, 'one')))
    for (let i = 0; i < 2; i++) await Promise.all(ids.map((id) => say(id)))
    await until(async () => (await endpoint()).breakerOpenedAt !== null)
    isAway = false
    // The breaker's first probe, and no retry's own time.
    guddesk.advance(6000)
    await allAre('DELIVERED')
    for (const id of ids) expect(sequences(good, id)).toEqual(upTo(3))
    await until(async () => !(await endpoint()).isRecovering)
    expect(await endpoint()).toMatchObject({ breakerOpenedAt: null, isProbeAsked: false })
  })

  test('a short one, that opens no breaker, too: what comes then waits for what failed', async () => {
    let isAway = true
    const good: Received[] = []
    receiver.behave((response, request) => {
      if (!isAway) good.push(request)
      response.writeHead(isAway ? 503 : 200).end()
    })
    const id = await guddesk.newConversation(tenant, 'one')
    const other = await guddesk.newConversation(tenant, 'one')
    const failures = ordering === 'STRICT' ? 2 : 4
    await say(id, 2)
    await until(async () => (await deliveries()).filter(({ attempts }) => attempts === 1).length === failures)
    isAway = false
    await say(id)
    // There it waits for the retry of the first in any case.
    if (ordering === 'STRICT') guddesk.advance(11_000)
    await allAre('DELIVERED')
    expect(sequences(good, id)).toEqual(upTo(4))
    expect(sequences(good, other)).toEqual([1])
    expect((await deliveries()).map(({ attempts }) => attempts)).toEqual(
      ordering === 'STRICT' ? [2, 2, 1, 1, 1] : [2, 2, 2, 2, 1],
    )
  })

  test('a process that takes over in the middle goes on', async () => {
    const ids = [await waiting(1, 3, 2, 0, 0), await waiting(4, 1, 0)]
    await change({ isRecovering: true, dispatcherId: null })
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await allAre('DELIVERED')
    expect(sequences(receiver.received, ids[0])).toEqual(upTo(5))
    expect(sequences(receiver.received, ids[1])).toEqual(upTo(3))
    await until(async () => !(await endpoint()).isRecovering)
  })
})

test('events that always fail open no breaker after an outage, and are tried again no more than once a minute', async () => {
  for (let i = 0; i < 14; i++) await waiting(1)
  receiver.behave(answer(500))
  await change({ isRecovering: true, dispatcherId: null })
  guddesk.deps.bus.notify('endpoints', [endpointId])
  await until(async () => receiver.received.length >= 10 && !(await endpoint()).isRecovering)
  for (let i = 0; i < 5; i++) {
    guddesk.advance(9000)
    await quietPeriod(20)
  }
  expect(receiver.received.length).toBeLessThan(20)
  expect((await deliveries()).map(({ attempts }) => attempts)).toEqual(Array(14).fill(1))
  expect((await endpoint()).breakerOpenedAt).toBeNull()
  receiver.behave(answer(200))
  const fresh = await guddesk.newConversation(tenant, 'new')
  await until(() => sequences(receiver.received, fresh).length > 0)
  await quietPeriod(100)
  expect((await deliveries()).filter(({ status }) => status === 'DELIVERED')).toHaveLength(1)
  // By a probe: nothing is due and nothing new comes.
  guddesk.advance(61_000)
  await allAre('DELIVERED')
})

describe('sending now', () => {
  test('is asked of the first in its conversation alone with STRICT ordering, and what comes then goes on', async () => {
    await change({ ordering: 'STRICT' })
    const id = await waiting(3, 4)
    receiver.behave(answer(500))
    await replay((await deliveries())[1]?.id)
    await receiver.waitFor(1)
    await until(async () => !(await endpoint()).isProbeAsked)
    await quietPeriod()
    expect(sequences(receiver.received, id)).toEqual([1])
    receiver.behave(answer(200))
    guddesk.advance(61_000)
    await register()
    await allAre('DELIVERED')
    expect(sequences(receiver.received, id)).toEqual([1, 1, 2])
  })

  test('needs no wake-up', async () => {
    await waiting(2)
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await quietPeriod()
    await change({ isProbeAsked: true, probeAskedAt: guddesk.clock.now() })
    await until(async () => (await deliveries())[0]?.status === 'DELIVERED', 4000)
  })

  test('one that waits for a day goes at once, as a probe that spends no attempt, and its success makes the rest due', async () => {
    const id = await waiting(3, 5, 7)
    const [first, , last] = await deliveries()
    receiver.behave(answer(500))
    await replay(last?.id)
    // The first of its conversation, and then itself.
    await receiver.waitFor(2)
    await until(async () => !(await endpoint()).isProbeAsked)
    await quietPeriod()
    expect(sequences(receiver.received)).toEqual([1, 3])
    expect(receiver.received.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual(['4', '8'])
    expect((await deliveries()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['PENDING', 3],
      ['PENDING', 5],
      ['PENDING', 7],
    ])
    expect((await deliveries())[0]?.due).toEqual(first?.due)
    // Once a minute.
    receiver.behave(answer(200))
    await replay(last?.id)
    await quietPeriod()
    expect(receiver.received).toHaveLength(2)
    guddesk.advance(61_000)
    await replay(last?.id)
    await allAre('DELIVERED')
    expect(sequences(receiver.received.slice(2), id)).toEqual(upTo(3))
    expect((await deliveries()).map(({ attempts }) => attempts)).toEqual([4, 6, 8])
  })

  test('registering again wakes an endpoint whose receiver is back, and what is new arrives within a second', async () => {
    await receiver.close()
    const ids = await Promise.all(upTo(14).map(() => guddesk.newConversation(tenant, 'one')))
    await until(async () => (await endpoint()).breakerOpenedAt !== null)
    // The breaker waits for a minute.
    await change({ breakerProbes: 6, breakerProbeAt: new Date(guddesk.clock.now().getTime() + 60_000) })
    const { behave, ...back } = await startReceiver(receiver.port)
    receiver = { behave, ...back }
    await register()
    const fresh = await guddesk.newConversation(tenant, 'new')
    const began = performance.now()
    await until(() => sequences(receiver.received, fresh).length > 0)
    expect(performance.now() - began).toBeLessThan(1000)
    await allAre('DELIVERED')
    for (const id of ids) expect(sequences(receiver.received, id)).toEqual([1])
  })

  test('while nothing waits, what comes next tries the receiver', async () => {
    await change({ breakerOpenedAt: guddesk.clock.now(), breakerProbeAt: new Date('2100-01-01'), breakerProbes: 6 })
    await register()
    await quietPeriod(50)
    await guddesk.newConversation(tenant, 'new')
    const began = performance.now()
    await receiver.waitFor(1)
    expect(performance.now() - began).toBeLessThan(1000)
    await until(async () => !(await endpoint()).isProbeAsked && (await endpoint()).breakerOpenedAt === null)
  })

  test('a probe that fails lets the breaker try again soon', async () => {
    await waiting(2)
    receiver.behave(answer(503))
    await change({ breakerOpenedAt: guddesk.clock.now(), breakerProbeAt: new Date('2100-01-01'), breakerProbes: 6 })
    await register()
    await receiver.waitFor(1)
    await until(async () => (await endpoint()).breakerProbes === 0)
    const { breakerProbeAt } = await endpoint()
    expect((breakerProbeAt?.getTime() ?? 0) - guddesk.clock.now().getTime()).toBeLessThan(6000)
    receiver.behave(answer(200))
    guddesk.advance(6000)
    await allAre('DELIVERED')
  })

  test('it also goes beside live traffic, and an event that always fails delays none', async () => {
    const stuck = await waiting(2)
    const isStuck = (request: Received) => request.data['conversationId'] === stuck
    receiver.behave((response, request) => {
      // It hangs.
      if (!isStuck(request)) response.writeHead(200).end()
    })
    await register()
    await receiver.waitFor(1)
    await guddesk.newConversation(tenant, 'new')
    const began = performance.now()
    await receiver.waitFor(2)
    expect(performance.now() - began).toBeLessThan(1000)
    expect(receiver.received.map(isStuck)).toEqual([true, false])
  })

  test('a disabled endpoint gets nothing', async () => {
    await waiting(2)
    await change({ isEnabled: false, isProbeAsked: true, probeAskedAt: guddesk.clock.now() })
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await quietPeriod()
    expect(receiver.received).toEqual([])
    await register()
    await allAre('DELIVERED')
  })

  test('bulk replays come after what is live', async () => {
    const id = await waiting(1, 2, 0)
    const replayed = await waiting(8, 8)
    await guddesk.deps.db.prisma.delivery.updateMany({ where: { conversationId: replayed }, data: { lane: 1 } })
    await change({ maxInFlight: 1 })
    await register()
    await allAre('DELIVERED')
    expect(sequences(receiver.received.slice(0, 3), id)).toEqual(upTo(3))
    expect(sequences(receiver.received.slice(3), replayed)).toEqual(upTo(2))
  })
})

describe('without an outage', () => {
  test('an event that fails alone steps aside, and is not hurried', async () => {
    receiver.behave((response, { data }) => response.writeHead(data['sequence'] === 1 ? 500 : 200).end())
    const id = await guddesk.newConversation(tenant, 'one')
    await receiver.waitFor(1)
    for (let i = 0; i < 5; i++) {
      await say(id)
      await receiver.waitFor(2 + i)
    }
    await quietPeriod()
    expect(sequences(receiver.received)).toEqual(upTo(6))
  })

  test('of what is due, first attempts go behind the retries of their conversation', async () => {
    const id = await failed(guddesk.clock.now(), [1, 2, 3, 0, 0])
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await allAre('DELIVERED')
    expect(sequences(receiver.received, id)).toEqual(upTo(5))
  })
})

describe.each(ORDERINGS)('whatever happens, with %s ordering', (ordering) => {
  beforeEach(() => change({ ordering }))

  test.each([5, 24, Number(process.env['TEST_SEED'])])(
    'everything arrives, in order, and nothing is left under way (seed %i)',
    async (seed) => {
      const random = seeded(seed)
      const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
      let failing = 0
      const arrived: { id: string; data: Received['data']; isGood: boolean }[] = []
      receiver.behave((response, { headers, data }) => {
        const isGood = random() >= failing
        arrived.push({ id: String(headers['webhook-id']), data, isGood })
        response.writeHead(isGood ? 200 : 500).end()
      })
      const ids = await Promise.all(upTo(6).map(() => guddesk.newConversation(tenant, 'one')))
      let takeovers = 0
      const actions: readonly (() => unknown)[] = [
        () => say(pick(ids)),
        () => say(pick(ids), 3),
        () => guddesk.newConversation(tenant, 'one').then((id) => ids.push(id)),
        () => {
          failing = pick([0, 0, 0.2, 0.5, 1])
        },
        () => guddesk.advance(pick([500, 5000, 11_000])),
        () => register(),
        () => change({ isEnabled: pick([true, true, false]) }),
        () => change({ maxInFlight: pick([1, 2, 10]) }),
        () => {
          takeovers++
          return change({ dispatcherId: null })
        },
      ]
      for (let step = 0; step < 80; step++) {
        await pick(actions)()
        if (random() < 0.5) guddesk.deps.bus.notify('endpoints', [endpointId])
        await quietPeriod(Math.floor(20 * random()))
      }
      // An outage, and its end.
      await change({ isEnabled: true })
      guddesk.deps.bus.notify('endpoints', [endpointId])
      failing = 1
      await until(async () => {
        await Promise.all(ids.map((id) => say(id)))
        guddesk.advance(1000)
        return (await endpoint()).breakerOpenedAt !== null
      })
      await quietPeriod(50)
      const before = arrived.length
      failing = 0
      guddesk.advance(61_000)
      // What happens while an endpoint is disabled is skipped.
      await until(async () =>
        (await deliveries()).every(({ status }) => status === 'DELIVERED' || status === 'SKIPPED'),
      )
      await until(async () => {
        const { isRecovering, isProbeAsked, breakerOpenedAt } = await endpoint()
        return !isRecovering && !isProbeAsked && breakerOpenedAt === null
      })
      await quietPeriod(50)
      const good = arrived.filter(({ isGood }) => isGood)
      const firsts = [...new Map(good.toReversed().map((one) => [one.id, one])).values()].toReversed()
      expect(good.length - firsts.length).toBeLessThanOrEqual(10 * takeovers)
      const late = new Set((await deliveries()).filter(({ attempts }) => attempts > 5).map(({ id }) => id))
      for (const id of ids) {
        const ofOne = (all: typeof arrived) =>
          all.filter(({ data }) => data['conversationId'] === id).map(({ data }) => Number(data['sequence']))
        const inOrder = (sent: number[]) => expect(sent).toEqual(sent.toSorted((a, b) => a - b))
        inOrder(ofOne(arrived.slice(before).filter(({ isGood }) => isGood)))
        if (ordering === 'STRICT') inOrder(ofOne(firsts.filter((one) => !late.has(one.id))))
      }
    },
  )
})
