import { describe, expect, test } from 'vitest'
import type { Found, Wanted } from '../../src/dispatch/claim.ts'
import type { EndpointQueue } from '../../src/dispatch/endpoint-queue.ts'
import type { EndpointRow } from '../../src/dispatch/endpoints.ts'
import { Queues } from '../../src/dispatch/queues.ts'
import { settle } from '../support/until.ts'

const NOW = new Date()
const ROW: EndpointRow = {
  id: 'whk_1',
  workspaceId: 'ws_1',
  agentId: null,
  url: 'https://example.com',
  sealedSecret: '',
  previousSealedSecret: null,
  secretOverlapEndsAt: null,
  isEnabled: true,
  maxInFlight: 10,
  isStrict: false,
  failingSince: null,
  breakerOpenedAt: null,
  breakerProbeAt: null,
  breakerProbes: 0,
  isProbeAsked: false,
  probeAskedAt: null,
  probeDeliveryId: null,
  isRecovering: false,
  version: '1',
}

const first = (n: number, endpointId: string): Found => ({
  id: `dlv_${n}`,
  endpointId,
  seq: String(n),
  conversationId: `conv_${n % 2}`,
  attempts: 0,
  due: NOW,
  isNoticed: false,
  lane: 0,
  isTest: false,
  type: 'message.created',
  body: '{}',
  version: '1',
})

const wish = (endpointId: string, firsts: number): Wanted => ({
  endpointId,
  firsts,
  firstsAfter: '0',
  holdBack: 'due',
  retries: 0,
  retriesFrom: new Date(0),
  replays: 0,
  held: [],
})

function takeFrom(queue: EndpointQueue): Found {
  const taken = queue.take()
  if (taken === undefined) throw new Error('something can go')
  return { ...taken, isNoticed: false }
}

/** Two endpoints, and five deliveries read for each, in two conversations. */
function filled() {
  const queues = new Queues({ hungry: () => undefined, sendable: () => undefined })
  const ids = ['whk_1', 'whk_2']
  for (const id of ids) queues.add({ ...ROW, id })
  const [one, two] = ids.map((id) => {
    const queue = queues.get(id)
    const wanted = queue?.wants()
    if (!queue || !wanted) throw new Error('it wants what it can have')
    const found = [1, 2, 3, 4, 5].map((n) => first(n, id))
    queue.add(found, wanted)
    return queue
  })
  if (one === undefined || two === undefined) throw new Error('there are two')
  return { queues, one, two }
}

describe('what is held, of all endpoints together', () => {
  test('counts from reading until it is recorded', () => {
    const { queues, one, two } = filled()
    expect([queues.heldCount, one.heldCount, two.heldCount]).toEqual([10, 5, 5])
    const taken = takeFrom(one)
    one.ended(taken, { isRetried: false })
    expect(queues.heldCount).toBe(10)
    one.forget(taken)
    one.forget(taken)
    expect([queues.heldCount, one.heldCount]).toEqual([9, 4])
  })

  test('does not count twice what was read twice', () => {
    const { queues, one } = filled()
    one.add([first(1, one.id), first(6, one.id)], wish(one.id, 2))
    expect(queues.heldCount).toBe(11)
  })

  test('is, when everything is dropped, what is in flight', () => {
    const { queues, one } = filled()
    one.take()
    one.drop()
    expect([queues.heldCount, one.heldCount]).toEqual([6, 1])
  })

  test('leaves out an endpoint that was removed, whatever becomes of what it has in flight', () => {
    const { queues, one, two } = filled()
    const taken = takeFrom(one)
    queues.remove(one)
    expect(queues.heldCount).toBe(5)
    queues.remove(one)
    one.ended(taken, { isRetried: false })
    one.forget(taken)
    expect(queues.heldCount).toBe(5)
    queues.remove(two)
    expect(queues.heldCount).toBe(0)
  })
})

describe('what was read while things happened', () => {
  /** An endpoint whose ten events all belong to one conversation, the first of which is in flight. */
  function stalled() {
    const queues = new Queues({ hungry: () => undefined, sendable: () => undefined })
    queues.add(ROW)
    const queue = queues.get(ROW.id)
    const wanted = queue?.wants()
    if (!queue || !wanted) throw new Error('it wants what it can have')
    queue.asking(wanted)
    const events = [2, 4, 6, 8, 10, 12, 14, 16].map((n) => first(n, ROW.id))
    queue.add(events, wanted)
    const taken = takeFrom(queue)
    return { queue, taken, events, wanted }
  }

  test('is not sent again when it was recorded before the heads came back', async () => {
    const { queue, taken } = stalled()
    await settle(60)
    expect(queue.askHeads()).toMatchObject({ after: '' })
    queue.ended(taken, { isRetried: false })
    queue.forget(taken)
    queue.drop()
    queue.addHeads([taken, first(1, ROW.id)], '')
    expect(queue.take()?.seq).toBe('1')
    expect(queue.canSend()).toBe(false)
  })

  test('does not overtake what was held and has been dropped since', () => {
    const { queue, taken, events } = stalled()
    const later = first(18, ROW.id)
    queue.look()
    const wanted = { ...wish(ROW.id, 1), held: events.map(({ seq }) => seq) }
    queue.asking(wanted)
    queue.drop()
    queue.ended(taken, { isRetried: false })
    queue.forget(taken)
    queue.add([later], wanted)
    expect(queue.canSend()).toBe(false)
    const again = queue.wants()
    if (again === null) throw new Error('it reads them again')
    queue.asking(again)
    queue.add([...events.slice(1), later], again)
    expect(queue.take()?.seq).toBe('4')
  })
})
