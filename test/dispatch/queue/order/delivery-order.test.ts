import { describe, expect, test } from 'vitest'
import { DeliveryOrder, isEarlier, type Kind } from '../../../../src/dispatch/queue/order/delivery-order.ts'
import { delivery, retry } from '../deliveries.ts'

const inOne = (n: number, attempts = 0) => delivery(n, { conversationId: 'conv_1', attempts })
const replay = (n: number) => delivery(n, { conversationId: 'conv_1', priority: 'replay' })

function orderOf(...deliveries: readonly ReturnType<typeof delivery>[]): DeliveryOrder {
  const order = new DeliveryOrder({ count: 0 })
  for (const each of deliveries) order.add(each)
  return order
}

describe('the order of a conversation', () => {
  test('is that of its events, however they came', () => {
    const order = orderOf(inOne(3), inOne(10), inOne(2), inOne(7))
    const sent: string[] = []
    for (let next = order.take('firstAttempts'); next !== undefined; next = order.take('firstAttempts')) {
      sent.push(next.seq)
      order.finish(next, false)
    }
    expect(sent).toEqual(['2', '3', '7', '10'])
  })

  test('lets one go at a time, and others beside it', () => {
    const order = orderOf(inOne(1), inOne(2), delivery(3))
    expect([order.readyCount('firstAttempts'), order.waitingCount('firstAttempts')]).toEqual([2, 3])
    order.take('firstAttempts')
    expect([order.isBusy('conv_1'), order.isBusy('conv_3')]).toEqual([true, false])
    expect(order.take('firstAttempts')?.seq).toBe('3')
    expect(order.take('firstAttempts')).toBeUndefined()
  })

  test('is kept by replays among themselves', () => {
    const order = orderOf(inOne(5), replay(1), replay(2))
    expect([order.readyCount('firstAttempts'), order.readyCount('replays')]).toEqual([1, 1])
  })

  test('goes on after a blocking failure only when that is recorded, and reads the others again', () => {
    const order = orderOf(inOne(1), inOne(2))
    const failed = order.take('firstAttempts')
    if (failed === undefined) throw new Error('the first can be sent')
    order.finish(failed, true)
    expect([order.readyCount('firstAttempts'), order.seqs]).toEqual([0, ['1']])
    expect(order.recorded(failed)).toBe(true)
    expect([order.size, order.isDrained('conv_1')]).toEqual([0, true])
  })
})

describe('what is dropped', () => {
  test('is everything that waits but tests, and what is in flight keeps its place', () => {
    const order = orderOf(inOne(1), inOne(2), delivery(3, { isTest: true }), replay(4))
    const sent = order.take('firstAttempts')
    order.dropWaiting(sent === undefined ? [] : [sent.seq], false)
    expect([order.seqs, order.readyCount('tests')]).toEqual([['1', '3'], 1])
    order.add(inOne(2))
    expect(order.readyCount('firstAttempts')).toBe(0)
  })

  test('leaves the shared count, and nothing counts after that', () => {
    const count = { count: 0 }
    const order = new DeliveryOrder(count)
    for (const n of [1, 2, 3]) order.add(delivery(n))
    expect(count.count).toBe(3)
    order.stopCounting()
    order.dropWaiting([], true)
    expect(count.count).toBe(0)
  })
})

test('heads are added only for conversations of which nothing is prefetched', () => {
  const order = orderOf(inOne(1))
  order.addHead(inOne(2))
  order.addHead(delivery(3))
  expect(order.seqs).toEqual(['1', '3'])
})

test.each<[string, ReturnType<typeof delivery>, Kind]>([
  ['a test', delivery(1, { isTest: true }), 'tests'],
  ['a first attempt', delivery(1), 'firstAttempts'],
  ['a retry', retry(1, 0), 'retries'],
  ['a replay', replay(1), 'replays'],
  ['a replay that failed', retry(1, 0, { priority: 'replay' }), 'replays'],
])('%s waits for its turn as %3$s', (_, each, kind) => {
  expect(orderOf(each).readyCount(kind)).toBe(1)
})

test.each([
  ['1', '2', true],
  ['2', '10', true],
  ['10', '9', false],
  ['7', '7', false],
  ['9007199254740992', '9007199254740993', true],
])('%s is earlier than %s: %s', (a, b, expected) => {
  expect(isEarlier(a, b)).toBe(expected)
})
