import { describe, expect, test } from 'vitest'
import type { FetchedDelivery } from '../../../src/dispatch/delivery.ts'
import { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { EndpointQueues } from '../../../src/dispatch/queue/endpoint-queues.ts'
import { ConversationRetries } from '../../../src/dispatch/queue/order/conversation-retries.ts'
import type { FetchRequest } from '../../../src/dispatch/store/fetch-due.ts'
import { ROW as STORED_ROW } from './deliveries.ts'

const NOW = new Date()
/** The version that these deliveries were read with. */
const ROW = { ...STORED_ROW, version: '1' }
const first = (n: number, endpointId: string): FetchedDelivery => ({
  id: `dlv_${n}`,
  endpointId,
  seq: String(n),
  conversationId: `conv_${n % 2}`,
  attempts: 0,
  nextAttemptAt: null,
  isDeferred: false,
  priority: 'live',
  isTest: false,
  createdAt: new Date(0),
  type: 'message.created',
  body: '{}',
  version: '1',
})

const requestFor = (endpointId: string, firstAttempts: number): FetchRequest => ({
  endpointId,
  firstAttempts,
  firstAttemptsAfter: '0',
  holdBack: 'due',
  retries: 0,
  retriesFrom: new Date(0),
  replays: 0,
  prefetched: [],
})

function takeFrom(queue: EndpointQueue): FetchedDelivery {
  const taken = queue.take()
  if (taken === undefined) throw new Error('something can go')
  return { ...taken, isDeferred: false }
}

/** Two endpoints, and five deliveries read for each, in two conversations. */
function filled() {
  const queues = new EndpointQueues()
  const ids = ['whk_1', 'whk_2']
  for (const id of ids) queues.add({ ...ROW, id })
  const [one, two] = ids.map((id) => {
    const queue = queues.get(id)
    const wanted = queue?.fetch.nextFetch()
    if (!queue || !wanted) throw new Error('it fetches what it can have')
    const found = [1, 2, 3, 4, 5].map((n) => first(n, id))
    queue.fetch.fetched(found, wanted)
    return queue
  })
  if (one === undefined || two === undefined) throw new Error('there are two')
  return { queues, one, two }
}

describe('what is prefetched, of all endpoints together', () => {
  test('counts from reading until it is recorded', () => {
    const { queues, one, two } = filled()
    expect([queues.prefetchedCount, one.prefetchedCount, two.prefetchedCount]).toEqual([10, 5, 5])
    const taken = takeFrom(one)
    one.finish(taken, { isRetried: false })
    expect(queues.prefetchedCount).toBe(10)
    one.recorded(taken)
    one.recorded(taken)
    expect([queues.prefetchedCount, one.prefetchedCount]).toEqual([9, 4])
  })

  test('does not count twice what was read twice', () => {
    const { queues, one } = filled()
    one.fetch.fetched([first(1, one.id), first(6, one.id)], requestFor(one.id, 2))
    expect(queues.prefetchedCount).toBe(11)
  })

  test('is, when everything is dropped, what is in flight', () => {
    const { queues, one } = filled()
    one.take()
    one.drop()
    expect([queues.prefetchedCount, one.prefetchedCount]).toEqual([6, 1])
  })

  test('leaves out an endpoint that was removed, whatever becomes of what it has in flight', () => {
    const { queues, one, two } = filled()
    const taken = takeFrom(one)
    queues.remove(one)
    expect(queues.prefetchedCount).toBe(5)
    queues.remove(one)
    one.finish(taken, { isRetried: false })
    one.recorded(taken)
    expect(queues.prefetchedCount).toBe(5)
    queues.remove(two)
    expect(queues.prefetchedCount).toBe(0)
  })
})

describe('what was read while things happened', () => {
  /** An endpoint whose ten events all belong to one conversation, the first of which is in flight. */
  function stalled() {
    const queues = new EndpointQueues()
    queues.add(ROW)
    const queue = queues.get(ROW.id)
    const wanted = queue?.fetch.nextFetch()
    if (!queue || !wanted) throw new Error('it fetches what it can have')
    queue.fetch.fetchStarted(wanted)
    const events = [2, 4, 6, 8, 10, 12, 14, 16].map((n) => first(n, ROW.id))
    queue.fetch.fetched(events, wanted)
    const taken = takeFrom(queue)
    return { queue, taken, events, wanted }
  }

  test('is not sent again when it was recorded before the heads came back', async () => {
    const { queue, taken } = stalled()
    expect(queue.fetch.startHeads()).toMatchObject({ after: '' })
    queue.finish(taken, { isRetried: false })
    queue.recorded(taken)
    queue.drop()
    queue.fetch.headsFetched([taken, first(1, ROW.id)], '')
    expect(queue.take()?.seq).toBe('1')
    expect(queue.canSend()).toBe(false)
  })

  test('does not overtake what was prefetched and has been dropped since', () => {
    const { queue, taken, events } = stalled()
    const later = first(18, ROW.id)
    queue.wake()
    const wanted = { ...requestFor(ROW.id, 1), prefetched: events.map(({ seq }) => seq) }
    queue.fetch.fetchStarted(wanted)
    queue.drop()
    queue.finish(taken, { isRetried: false })
    queue.recorded(taken)
    queue.fetch.fetched([later], wanted)
    expect(queue.canSend()).toBe(false)
    const again = queue.fetch.nextFetch()
    if (again === null) throw new Error('it reads them again')
    queue.fetch.fetchStarted(again)
    queue.fetch.fetched([...events.slice(1), later], again)
    expect(queue.take()?.seq).toBe('4')
  })
})

describe('conversations that are read by themselves', () => {
  const end = { last: null, isBlocked: false }
  const deferred = (n: number): FetchedDelivery => ({
    ...first(n, 'whk_1'),
    conversationId: `conv_${n}`,
    isDeferred: true,
  })

  test('end a recovery also when nothing of the last is left', () => {
    const queue = new EndpointQueue({ ...ROW, isRecovering: true }, { count: 0 })
    queue.fetch.replaysMadeDue()
    queue.fetch.recoverPage(['conv_1'], { conversationId: 'conv_1', seq: '0' })
    const [asked] = queue.fetch.startConversations()
    if (asked === undefined) throw new Error('it is asked for')
    expect(queue.isRecovering).toBe(true)
    queue.fetch.conversationFetched(asked, [], NOW)
    expect(queue.isRecovering).toBe(false)
  })

  test('with STRICT ordering wait for the record of the failure, and not of what went before', () => {
    const queue = new EndpointQueue({ ...ROW, isStrict: true }, { count: 0 })
    const wanted = queue.fetch.nextFetch()
    if (wanted === null) throw new Error('it fetches what it can have')
    queue.fetch.fetched([first(1, 'whk_1'), first(3, 'whk_1'), first(5, 'whk_1')], wanted)
    const good = takeFrom(queue)
    queue.finish(good, { isRetried: false })
    queue.finish(takeFrom(queue), { isRetried: true })
    queue.recorded(good)
    expect(queue.fetch.startConversations()).toEqual([])
    expect(queue.canSend()).toBe(false)
  })

  test('hold back what was being read when the end of a recovery forgot them', () => {
    const queue = new EndpointQueue({ ...ROW, isStrict: true, isRecovering: true }, { count: 0 })
    queue.fetch.replaysMadeDue()
    queue.fetch.recoverPage(['conv_1'], { conversationId: 'conv_1', seq: '0' })
    const [asked] = queue.fetch.startConversations()
    if (asked === undefined) throw new Error('it is asked for')
    queue.fetch.conversationFetched(asked, [first(1, 'whk_1')], NOW)
    const failed = takeFrom(queue)
    const wanted = queue.fetch.nextFetch()
    if (wanted === null) throw new Error('it fetches what it can have')
    queue.fetch.fetchStarted(wanted)
    queue.finish(failed, { isRetried: true })
    queue.recorded(failed)
    expect(queue.isRecovering).toBe(false)
    // It was read before the failure was recorded.
    queue.fetch.fetched([first(3, 'whk_1')], wanted)
    expect(queue.canSend()).toBe(false)
  })

  test('are no more than can be read soon, and no more than that are remembered', () => {
    const conversations = new ConversationRetries()
    const many = Array.from({ length: 1000 }, (_, i) => deferred(i))
    conversations.addFirstAttempts(many, true, 'none')
    expect(conversations.hasRoom).toBe(false)
    const waits = new ConversationRetries()
    for (let i = 0; i < 11_000; i += 1000) {
      waits.addFirstAttempts(
        many.map((_, j) => deferred(i + j)),
        true,
        null,
      )
    }
    expect(waits.has('conv_999')).toBe(false)
    expect(waits.has('conv_1000')).toBe(true)
    // What was passed is passed all the same.
    expect(waits.firstAttemptsAfter).toBe('10999')
  })

  test('are read again when a retry came due that was read before', () => {
    const conversations = new ConversationRetries()
    const retry = { ...deferred(1), attempts: 5, nextAttemptAt: NOW }
    conversations.addRetries([retry], false, 'none')
    const [[id, part] = ['', undefined]] = conversations.startReads(1)
    if (part === undefined) throw new Error('it is wanted')
    conversations.finishRead(id, part, { last: '2', isBlocked: false })
    conversations.addRetries([retry], false, 'none')
    conversations.drained(id)
    const [[, rest] = ['', undefined]] = conversations.startReads(1)
    if (rest === undefined) throw new Error('it goes on')
    conversations.finishRead(id, rest, { ...end, isBlocked: true })
    expect(conversations.startReads(1).map(([again, { after }]) => [again, after])).toEqual([['conv_1', '0']])
  })

  test('are noticed again when what was sent ahead of its time came due meanwhile', () => {
    const conversations = new ConversationRetries()
    const early = { ...deferred(1), attempts: 1, nextAttemptAt: NOW }
    conversations.addRetries(
      [{ ...deferred(2), attempts: 1, nextAttemptAt: new Date(NOW.getTime() + 60_000) }],
      false,
      'none',
    )
    expect(conversations.retriesFrom > early.nextAttemptAt).toBe(true)
    conversations.earlySendEnded(early)
    expect(conversations.retriesFrom).toEqual(early.nextAttemptAt)
  })
})
