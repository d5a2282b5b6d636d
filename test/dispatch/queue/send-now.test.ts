import { describe, expect, test } from 'vitest'
import { answer, type Received } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import {
  allAre,
  change,
  deliveries,
  endpoint,
  endpointId,
  guddesk,
  receiver,
  register,
  reopenReceiver,
  replay,
  sequences,
  tenant,
  upTo,
  useEndpoint,
  waiting,
} from './recovery-steps.ts'

useEndpoint()

describe('sending now', () => {
  test('is asked of the first in its conversation alone with STRICT ordering, and what comes then goes on', async () => {
    await change({ ordering: 'STRICT' })
    const id = await waiting(3, 4)
    receiver.behave(answer(500))
    await replay((await deliveries())[1]?.id)
    await receiver.waitFor(1)
    await until(async () => !(await endpoint()).isProbeRequested)
    await guddesk.dispatched()
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
    await guddesk.dispatched()
    await change({ isProbeRequested: true, probeRequestedAt: guddesk.clock.now() })
    await until(async () => (await deliveries())[0]?.status === 'DELIVERED', 4000)
  })

  test('one that waits for a day goes at once, as a probe that spends no attempt, and its success makes the rest due', async () => {
    const id = await waiting(3, 5, 7)
    const [first, , last] = await deliveries()
    receiver.behave(answer(500))
    await replay(last?.id)
    // The first of its conversation, and then itself.
    await receiver.waitFor(2)
    await until(async () => !(await endpoint()).isProbeRequested)
    await guddesk.dispatched()
    expect(sequences(receiver.received)).toEqual([1, 3])
    expect(receiver.received.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual(['4', '8'])
    expect((await deliveries()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['PENDING', 3],
      ['PENDING', 5],
      ['PENDING', 7],
    ])
    expect((await deliveries())[0]?.nextAttemptAt).toEqual(first?.nextAttemptAt)
    // Once a minute.
    receiver.behave(answer(200))
    await replay(last?.id)
    await guddesk.dispatched()
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
    await reopenReceiver()
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
    await guddesk.dispatched()
    await guddesk.newConversation(tenant, 'new')
    const began = performance.now()
    await receiver.waitFor(1)
    expect(performance.now() - began).toBeLessThan(1000)
    await until(async () => !(await endpoint()).isProbeRequested && (await endpoint()).breakerOpenedAt === null)
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
    await change({ isEnabled: false, isProbeRequested: true, probeRequestedAt: guddesk.clock.now() })
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await guddesk.dispatched()
    expect(receiver.received).toEqual([])
    await register()
    await allAre('DELIVERED')
  })

  test('bulk replays come after what is live', async () => {
    const id = await waiting(1, 2, 0)
    const replayed = await waiting(8, 8)
    await guddesk.deps.db.prisma.delivery.updateMany({ where: { conversationId: replayed }, data: { priority: 1 } })
    await change({ maxInFlight: 1 })
    await register()
    await allAre('DELIVERED')
    expect(sequences(receiver.received.slice(0, 3), id)).toEqual(upTo(3))
    expect(sequences(receiver.received.slice(3), replayed)).toEqual(upTo(2))
  })
})
