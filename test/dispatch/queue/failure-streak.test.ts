import { describe, expect, test } from 'vitest'
import { FailureStreak } from '../../../src/dispatch/queue/failure-streak.ts'
import { delivery } from './deliveries.ts'

describe('a streak of failures', () => {
  test.each<[string, number[], boolean]>([
    ['none', [], false],
    ['one delivery', [1], false],
    ['one delivery, several times', [1, 1, 1], false],
    ['two deliveries', [1, 2], true],
    ['many', [1, 2, 3, 4, 5], true],
  ])('with %s', (_, seqs, isSuspect) => {
    const failures = new FailureStreak()
    for (const n of seqs) failures.failed(delivery(n))
    expect(failures.isSuspect).toBe(isSuspect)
  })

  test('ends when it is reset', () => {
    const failures = new FailureStreak()
    for (const n of [1, 2]) {
      failures.failed(delivery(n))
      failures.jitter(delivery(n), 0.5)
    }
    failures.reset()
    expect(failures.isSuspect).toBe(false)
    expect(failures.conversations).toEqual([])
  })
})

describe('jitter', () => {
  test('is that of the first failure for all of a conversation', () => {
    const failures = new FailureStreak()
    const inOne = (n: number) => delivery(n, { conversationId: 'conv_1' })
    expect([failures.jitter(inOne(1), 0.1), failures.jitter(inOne(2), 0.9)]).toEqual([0.1, 0.1])
    expect(failures.jitter(delivery(3), 0.7)).toBe(0.7)
    expect(failures.conversations).toEqual(['conv_1', 'conv_3'])
  })

  test.each([
    ['tests', { isTest: true }],
    ['deliveries without a conversation', { conversationId: null }],
  ])('of %s is their own, and is not remembered', (_, changes) => {
    const failures = new FailureStreak()
    expect([failures.jitter(delivery(1, changes), 0.1), failures.jitter(delivery(1, changes), 0.9)]).toEqual([0.1, 0.9])
    expect(failures.conversations).toEqual([])
  })

  test('is remembered for a thousand conversations', () => {
    const failures = new FailureStreak()
    for (let n = 0; n < 1001; n++) failures.jitter(delivery(n), 0.1)
    expect(failures.conversations).toHaveLength(1000)
    expect([failures.jitter(delivery(999), 0.9), failures.jitter(delivery(1000), 0.9)]).toEqual([0.1, 0.9])
  })
})
