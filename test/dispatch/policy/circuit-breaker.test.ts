import { expect, test } from 'vitest'
import { CircuitBreaker } from '../../../src/dispatch/policy/circuit-breaker.ts'
import { isOverloadSignal } from '../../../src/dispatch/policy/outcome.ts'

const START = new Date('2026-01-15T10:30:00.000Z')
const at = (seconds: number) => new Date(START.getTime() + 1000 * seconds)
const closed = { openedAt: null, probeAt: null, probes: 0 }
const MIDDLE = 0.5

function failing(times: number, breaker = new CircuitBreaker(closed)): CircuitBreaker {
  for (let i = 0; i < times; i++) breaker.failed(at(0), MIDDLE)
  return breaker
}

test('ten failures open it, nine do not', () => {
  expect(failing(9).allows(at(0), 10)).toBe(10)
  const breaker = failing(10)
  expect(breaker.row).toEqual({ openedAt: at(0), probeAt: at(5), probes: 0 })
  expect(breaker.allows(at(4.9), 10)).toBe(0)
})

test('failures among enough successes do not open it', () => {
  const breaker = new CircuitBreaker(closed)
  for (let i = 0; i < 40; i++) {
    breaker.failed(at(0), MIDDLE)
    breaker.succeeded(at(0))
  }
  expect(breaker.isOpen).toBe(false)
})

test('old failures do not count', () => {
  const breaker = failing(9)
  breaker.failed(at(61), MIDDLE)
  expect(breaker.isOpen).toBe(false)
})

test('one probe at a time, after 5, 10, 20, 40, 60, 60 seconds; a success closes it', () => {
  const breaker = failing(10)
  let now = 0
  for (const wait of [5, 10, 20, 40, 60, 60]) {
    now += wait
    expect(breaker.allows(at(now - 0.001), 10)).toBe(0)
    expect(breaker.allows(at(now), 10)).toBe(1)
    breaker.failed(at(now), MIDDLE)
  }
  expect(breaker.row).toMatchObject({ openedAt: at(0), probes: 6 })
  breaker.succeeded(at(now + 60))
  expect(breaker.row).toEqual(closed)
  expect(breaker.allows(at(now + 60), 10)).toBe(10)
})

test('requests that were under way when it opened do not put off the probe', () => {
  const breaker = failing(20)
  expect(breaker.row).toMatchObject({ probeAt: at(5), probes: 0 })
})

test('another process goes on where one left off', () => {
  const breaker = new CircuitBreaker({ openedAt: at(0), probeAt: at(40), probes: 3 })
  expect(breaker.allows(at(39), 10)).toBe(0)
  expect(breaker.allows(at(40), 10)).toBe(1)
})

test('it counts a receiver that is away or overloaded, not one that refuses what it got', () => {
  const answered = (statusCode: number) =>
    isOverloadSignal({ kind: 'answered', statusCode, retryAfter: undefined, response: '' })
  expect([200, 301, 400, 404, 410, 422].map(answered)).toEqual(Array(6).fill(false))
  expect([429, 500, 503].map(answered)).toEqual(Array(3).fill(true))
  expect(isOverloadSignal({ kind: 'failed', error: '' })).toBe(true)
  expect(isOverloadSignal({ kind: 'refused', error: '' })).toBe(false)
})
