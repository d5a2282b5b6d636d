import { expect, test } from 'vitest'
import { FirstAttemptScan, OVERLAP } from '../../../../src/dispatch/queue/order/first-attempt-scan.ts'
import { delivery } from '../deliveries.ts'

/** First attempts with the seqs `from` to `to`. */
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => delivery(from + i))

test.each<[string, [from: number, to: number, hasMore: boolean][], string]>([
  ['nothing was read', [], '0'],
  ['there is more: after the last', [[1, 10, true]], '10'],
  ['a short backlog ended: from the beginning', [[1, 10, false]], '0'],
  ['a long one ended: so that the last fifty are read again', [[1, 200, false]], '151'],
  [
    'it was long in several parts',
    [
      [1, 30, true],
      [31, 60, false],
    ],
    '11',
  ],
  [
    'more came after the end',
    [
      [1, 200, false],
      [201, 300, true],
    ],
    '300',
  ],
])('when %s', (_, parts, after) => {
  const scan = new FirstAttemptScan()
  for (const [from, to, hasMore] of parts) scan.advance(range(from, to), hasMore)
  expect(scan.after).toBe(after)
})

test('counts what it passed until it starts again', () => {
  const scan = new FirstAttemptScan()
  scan.advance(range(1, 2 * OVERLAP), true)
  expect(scan.passed).toBe(2 * OVERLAP)
  scan.restart()
  expect([scan.passed, scan.after]).toEqual([0, '0'])
})
