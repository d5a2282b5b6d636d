import { describe, expect, test } from 'vitest'
import type { EarlySends } from '../../../../src/dispatch/policy/ordering.ts'
import { ConversationRetries } from '../../../../src/dispatch/queue/order/conversation-retries.ts'
import { at, delivery, retry } from '../deliveries.ts'

const deferred = (n: number) => delivery(n, { isDeferred: true })
const started = (retries: ConversationRetries) => retries.startReads(100).map(([id, { early }]) => [id, early])
const DONE = { last: null, isBlocked: false }

/** One conversation that is being read. */
function reading() {
  const retries = new ConversationRetries()
  retries.addRetries([retry(1, 0)], false, 'none')
  const [first] = retries.startReads(1)
  if (first === undefined) throw new Error('a retry that is due is wanted')
  return { retries, read: first[1] }
}

describe('first attempts', () => {
  test('are sent, unless they are deferred or their conversation is', () => {
    const retries = new ConversationRetries()
    const found = [
      delivery(1),
      deferred(2),
      delivery(3, { conversationId: 'conv_2' }),
      delivery(4, { conversationId: null }),
    ]
    expect(retries.addFirstAttempts(found, false, 'none').map(({ seq }) => seq)).toEqual(['1', '4'])
    expect([retries.has('conv_1'), retries.has('conv_2')]).toEqual([false, true])
  })

  test.each<[EarlySends | null, [string, string][]]>([
    ['none', [['conv_1', 'none']]],
    ['first', [['conv_1', 'first']]],
    [null, []],
  ])('that are deferred with %j: their conversation is read so', (early, expected) => {
    const retries = new ConversationRetries()
    retries.addFirstAttempts([deferred(1)], false, early)
    expect(started(retries)).toEqual(expected)
  })

  test('are read from the beginning again when no conversation is deferred', () => {
    const retries = new ConversationRetries()
    retries.addFirstAttempts([delivery(1), delivery(2)], true, 'none')
    expect([retries.firstAttemptsAfter, retries.overlap]).toEqual(['0', 0])
    retries.addFirstAttempts([deferred(3)], true, null)
    expect([retries.firstAttemptsAfter, retries.overlap]).toEqual(['3', 50])
  })
})

describe('retries', () => {
  test.each<[string, number[], boolean, number]>([
    ['a second before the last, when all were read', [1, 5], false, 4],
    ['at the last, when there may be more', [1, 5], true, 5],
  ])('are read next from %s', (_, seconds, isFull, from) => {
    const retries = new ConversationRetries()
    retries.addRetries(
      seconds.map((second) => retry(second, second)),
      isFull,
      'none',
    )
    expect(retries.retriesFrom).toEqual(at(from))
  })

  test('that all came due at one moment are passed', () => {
    const retries = new ConversationRetries()
    for (let i = 0; i < 2; i++) retries.addRetries([retry(1, 5), retry(2, 5)], true, 'none')
    expect(retries.retriesFrom).toEqual(new Date(at(5).getTime() + 1))
  })
})

describe('a conversation that was read', () => {
  test.each<[string, { last: string | null; isBlocked: boolean }, [string, string][]]>([
    ['is not read again when it was read to its end', DONE, []],
    ['waits when a retry holds it back', { last: null, isBlocked: true }, []],
    ['waits for what was read to be sent, when there may be more', { last: '9', isBlocked: false }, []],
  ])('%s', (_, result, expected) => {
    const { retries, read } = reading()
    expect(retries.finishRead('conv_1', read, result)).toBe(true)
    expect(started(retries)).toEqual(expected)
  })

  test('is read on after what was read has been sent', () => {
    const { retries, read } = reading()
    retries.finishRead('conv_1', read, { last: '9', isBlocked: false })
    retries.drained('conv_1')
    expect(retries.startReads(1).map(([id, { after }]) => [id, after])).toEqual([['conv_1', '9']])
  })

  test('is read again when a retry that held it back was recorded, meanwhile or later', () => {
    const meanwhile = reading()
    meanwhile.retries.recorded('conv_1', false, false)
    meanwhile.retries.finishRead('conv_1', meanwhile.read, { last: null, isBlocked: true })
    expect(started(meanwhile.retries)).toEqual([['conv_1', 'none']])
    const later = reading()
    later.retries.finishRead('conv_1', later.read, { last: null, isBlocked: true })
    later.retries.recorded('conv_1', false, false)
    expect(started(later.retries)).toEqual([['conv_1', 'none']])
  })

  test('is dropped when everything was forgotten meanwhile', () => {
    const { retries, read } = reading()
    retries.clear()
    expect(retries.finishRead('conv_1', read, DONE)).toBe(false)
  })

  test('is wanted again when it could not be read', () => {
    const { retries, read } = reading()
    retries.cancelRead('conv_1', read)
    expect(retries.startReads(1)).toEqual([['conv_1', read]])
  })
})

describe('a recovery', () => {
  const END = { conversationId: 'conv_3', seq: '100' }

  test('reads every conversation that it lists, and is done when all were', () => {
    const retries = new ConversationRetries()
    retries.startRecovery()
    retries.replaysMadeDue()
    retries.recoverPage(['conv_1', 'conv_2', 'conv_3'], END)
    expect(retries.hasRecovered).toBe(false)
    for (const [id, read] of retries.startReads(100)) {
      expect(read.early).toBe('all')
      retries.finishRead(id, read, DONE)
    }
    expect(retries.hasRecovered).toBe(true)
  })

  test('takes first attempts that are new from its beginning on', () => {
    const retries = new ConversationRetries()
    retries.startRecovery()
    retries.recoverPage(['conv_1'], END)
    expect(retries.firstAttemptsAfter).toBe('100')
  })

  test('makes conversations wait that it has yet to list, and reads the others without early sends', () => {
    const retries = new ConversationRetries()
    retries.startRecovery()
    retries.recoverPage(['conv_1'], END)
    retries.startReads(100)
    retries.addFirstAttempts([deferred(2), deferred(4)], false, 'first')
    expect(started(retries)).toEqual([['conv_4', 'none']])
  })

  test('of some conversations reads those', () => {
    const retries = new ConversationRetries()
    retries.recoverSome(['conv_1', 'conv_2'])
    expect(started(retries)).toEqual([
      ['conv_1', 'all'],
      ['conv_2', 'all'],
    ])
    expect(retries.isRecovering).toBe(false)
  })
})
