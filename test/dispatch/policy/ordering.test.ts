import { expect, test } from 'vitest'
import { type EarlySends, readyNow, STRICT_ATTEMPTS } from '../../../src/dispatch/policy/ordering.ts'
import { delivery, NOW, retry } from '../queue/deliveries.ts'

const FIRST = delivery(9)
const DUE = retry(1, 0)
const LATER = retry(2, 60)
const LATE = retry(3, 60, { attempts: STRICT_ATTEMPTS })

test.each<[string, (typeof FIRST)[], boolean, EarlySends, string[], boolean]>([
  ['first attempts and what is due', [DUE, FIRST], false, 'none', ['1', '9'], false],
  ['not a retry that is not due', [LATER, FIRST], false, 'none', ['9'], false],
  ['with STRICT ordering nothing after it', [DUE, LATER, FIRST], true, 'none', ['1'], true],
  ['with STRICT ordering what follows a late retry', [LATE, FIRST], true, 'none', ['9'], false],
  ['the first early', [LATER, LATE, FIRST], false, 'first', ['2 early', '9'], false],
  ['only the first early', [DUE, LATER, FIRST], false, 'first', ['1', '9'], false],
  [
    'with STRICT ordering the first early, and nothing after the next',
    [LATER, retry(5, 60), FIRST],
    true,
    'first',
    ['2 early'],
    true,
  ],
  ['all early', [LATER, LATE, FIRST], true, 'all', ['2 early', '3 early', '9'], false],
  ['nothing of nothing', [], true, 'all', [], false],
])('sends %s', (_, rows, isStrict, early, expected, blocks) => {
  const { ready, isBlocked } = readyNow(rows, { now: NOW, isStrict, early })
  expect(ready.map(({ seq, isEarly }) => (isEarly ? `${seq} early` : seq))).toEqual(expected)
  expect(isBlocked).toBe(blocks)
})
