import { describe, expect, test } from 'vitest'
import type { HttpResult } from '../../../src/dispatch/delivery.ts'
import { decide } from '../../../src/dispatch/policy/outcome.ts'
import { parseRetryAfter, RETRY_DELAYS, retryDelay } from '../../../src/dispatch/policy/retry.ts'

const now = new Date('2026-01-15T10:30:00.000Z')
const MIDDLE = 0.5
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)

describe('the schedule', () => {
  test.each([
    [1, 10],
    [2, 30],
    [3, 120],
    [4, 600],
    [5, 3600],
    [6, 21_600],
    [7, 86_400],
  ])('after attempt %i comes the next in %i s', (attempt, seconds) => {
    expect(retryDelay(attempt, MIDDLE)).toBe(seconds * 1000)
  })

  test('the eighth attempt is the last', () => {
    expect(RETRY_DELAYS).toHaveLength(7)
    expect(retryDelay(8, MIDDLE)).toBeNull()
  })

  test('jitter is ten per cent each way', () => {
    expect(retryDelay(1, 0)).toBe(9000)
    expect(retryDelay(1, 0.999_999)).toBe(11_000)
  })
})

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    [' 7 ', 7000],
    ['0', 0],
    ['999999999', 86_400_000],
    ['Thu, 15 Jan 2026 10:31:00 GMT', 60_000],
    ['Thu, 15 Jan 2026 10:29:00 GMT', 0],
    ['Fri, 15 Jan 2027 10:31:00 GMT', 86_400_000],
    ['soon', null],
    ['-5', null],
    ['', null],
    [undefined, null],
  ])('%j is %j ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})

const answered = (statusCode: number, retryAfter?: string): HttpResult => ({
  kind: 'answered',
  statusCode,
  retryAfter,
  response: '',
})

describe('outcomes', () => {
  test.each<[string, HttpResult, number, ReturnType<typeof decide>]>([
    ['200', answered(200), 1, { next: 'delivered' }],
    ['204', answered(204), 8, { next: 'delivered' }],
    ['299', answered(299), 1, { next: 'delivered' }],
    ['a redirect is a failure', answered(301), 1, { next: 'retry', at: inSeconds(10) }],
    ['307 too', answered(307), 2, { next: 'retry', at: inSeconds(30) }],
    ['404 may be mended', answered(404), 1, { next: 'retry', at: inSeconds(10) }],
    ['410 is final', answered(410), 1, { next: 'gone' }],
    ['500', answered(500), 7, { next: 'retry', at: inSeconds(86_400) }],
    ['500 at the end', answered(500), 8, { next: 'failed' }],
    ['429 asks for longer, and gets a little more', answered(429, '100'), 1, { next: 'retry', at: inSeconds(105) }],
    ['503 asks for longer, and gets a little more', answered(503, '3600'), 3, { next: 'retry', at: inSeconds(3780) }],
    ['a shorter wish changes nothing', answered(503, '1'), 1, { next: 'retry', at: inSeconds(10) }],
    ['500 cannot ask', answered(500, '100'), 1, { next: 'retry', at: inSeconds(10) }],
    ['429 at the end', answered(429, '100'), 8, { next: 'failed' }],
    ['no answer', { kind: 'failed', error: 'x' }, 1, { next: 'retry', at: inSeconds(10) }],
    ['a refused address is final', { kind: 'refused', error: 'x' }, 1, { next: 'failed' }],
    ['our own fault spends nothing', { kind: 'fault', error: 'x' }, 3, { next: 'release' }],
  ])('%s', (_name, exchange, attempt, expected) => {
    expect(decide(exchange, attempt, now, () => MIDDLE)).toEqual(expected)
  })
})
