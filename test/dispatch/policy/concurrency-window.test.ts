import { describe, expect, test } from 'vitest'
import { ConcurrencyWindow } from '../../../src/dispatch/policy/concurrency-window.ts'

type Step = 'grow' | 'shrink'

/** The limit after each step. */
function limits(maxInFlight: number, steps: readonly Step[]): number[] {
  const window = new ConcurrencyWindow()
  return steps.map((step) => {
    if (step === 'grow') window.grow(maxInFlight)
    else window.shrink()
    return window.limit(maxInFlight)
  })
}

describe('the concurrency window', () => {
  test('starts at two, and never exceeds the limit of the endpoint', () => {
    expect([10, 2, 1].map((maxInFlight) => new ConcurrencyWindow().limit(maxInFlight))).toEqual([2, 2, 1])
  })

  test.each<[string, number, Step[], number[]]>([
    ['doubles with every success, up to the limit', 10, ['grow', 'grow', 'grow', 'grow'], [4, 8, 10, 10]],
    ['halves with every overload signal, down to one', 10, ['shrink', 'shrink', 'shrink'], [1, 1, 1]],
    ['grows back from one', 10, ['shrink', 'grow', 'grow', 'grow', 'grow'], [1, 2, 4, 8, 10]],
    ['rounds down', 7, ['grow', 'grow', 'shrink', 'shrink'], [4, 7, 3, 1]],
    ['stays at one where the endpoint allows one', 1, ['grow', 'grow', 'shrink'], [1, 1, 1]],
  ])('%s', (_, maxInFlight, steps, expected) => {
    expect(limits(maxInFlight, steps)).toEqual(expected)
  })

  test('follows a limit that is raised later', () => {
    const window = new ConcurrencyWindow()
    for (let i = 0; i < 5; i++) window.grow(4)
    expect(window.limit(20)).toBe(4)
    window.grow(20)
    expect(window.limit(20)).toBe(8)
  })
})
