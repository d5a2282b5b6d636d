import { beforeEach, describe, expect, test } from 'vitest'
import { answer, type Received } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import {
  allAre,
  change,
  deliveries,
  endpoint,
  endpointId,
  failed,
  guddesk,
  ORDERINGS,
  receiver,
  say,
  sequences,
  tenant,
  upTo,
  useEndpoint,
  waiting,
} from './recovery-steps.ts'

useEndpoint()

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
    expect(await endpoint()).toMatchObject({ breakerOpenedAt: null, isProbeRequested: false })
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
    await guddesk.dispatched()
  }
  expect(receiver.received.length).toBeLessThan(20)
  expect((await deliveries()).map(({ attempts }) => attempts)).toEqual(Array(14).fill(1))
  expect((await endpoint()).breakerOpenedAt).toBeNull()
  receiver.behave(answer(200))
  const fresh = await guddesk.newConversation(tenant, 'new')
  await until(() => sequences(receiver.received, fresh).length > 0)
  const delivered = async () => (await deliveries()).filter(({ status }) => status === 'DELIVERED').length
  await until(async () => (await delivered()) > 0)
  await guddesk.dispatched()
  expect(await delivered()).toBe(1)
  // By a probe: nothing is due and nothing new comes.
  guddesk.advance(61_000)
  await allAre('DELIVERED')
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
    await guddesk.dispatched()
    expect(sequences(receiver.received)).toEqual(upTo(6))
  })

  test('of what is due, first attempts go behind the retries of their conversation', async () => {
    const id = await failed(guddesk.clock.now(), [1, 2, 3, 0, 0])
    guddesk.deps.bus.notify('endpoints', [endpointId])
    await allAre('DELIVERED')
    expect(sequences(receiver.received, id)).toEqual(upTo(5))
  })
})
