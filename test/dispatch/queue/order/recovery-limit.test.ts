import { expect, test } from 'vitest'
import { RecoveryLimit } from '../../../../src/dispatch/queue/order/recovery-limit.ts'
import { at, NOW } from '../deliveries.ts'

function suspended(): RecoveryLimit {
  const limit = new RecoveryLimit()
  for (let i = 0; i < 10; i++) limit.failed(NOW)
  return limit
}

test('the tenth failure in a row suspends a recovery', () => {
  const limit = new RecoveryLimit()
  const results = Array.from({ length: 10 }, () => limit.failed(NOW))
  expect(results).toEqual([...Array(9).fill(false), true])
  expect(limit.isSuspended).toBe(true)
})

test('a success between starts the count again', () => {
  const limit = new RecoveryLimit()
  for (let i = 0; i < 9; i++) limit.failed(NOW)
  limit.succeeded()
  expect(Array.from({ length: 9 }, () => limit.failed(NOW))).toEqual(Array(9).fill(false))
  expect(limit.isSuspended).toBe(false)
})

test.each([
  ['not before a minute', () => undefined, 59.999, false],
  ['after a minute', () => undefined, 60, true],
  ['a minute after a probe failed', (limit: RecoveryLimit) => limit.probeFailed(at(30)), 89, false],
  ['then', (limit: RecoveryLimit) => limit.probeFailed(at(30)), 90, true],
  ['never when nothing is left to recover', (limit: RecoveryLimit) => limit.clear(), 600, false],
])('it may resume %s', (_, change, seconds, expected) => {
  const limit = suspended()
  change(limit)
  expect(limit.mayResume(at(seconds))).toBe(expected)
})

test('a probe that fails suspends nothing by itself', () => {
  const limit = new RecoveryLimit()
  limit.probeFailed(NOW)
  expect(limit.isSuspended).toBe(false)
})
