import { expect, test } from 'vitest'
import { Backpressure, type LoadObservation, MIN_THROTTLE_RATIO } from '../../../src/dispatch/policy/backpressure.ts'

const IDLE: LoadObservation = { eventLoopDelayMs: 0, waitingForDatabase: 0 }
const SLOW_LOOP: LoadObservation = { eventLoopDelayMs: 41, waitingForDatabase: 0 }
const BUSY_DATABASE: LoadObservation = { eventLoopDelayMs: 0, waitingForDatabase: 4 }

const repeat = (observation: LoadObservation, times: number) => Array<LoadObservation>(times).fill(observation)

function after(...observations: readonly LoadObservation[]): Backpressure {
  const backpressure = new Backpressure()
  for (const observation of observations) backpressure.observe(observation)
  return backpressure
}

test.each<[string, LoadObservation[], number]>([
  ['nothing is throttled at first', [], 1],
  ['an idle process is not throttled', repeat(IDLE, 3), 1],
  ['a delay at the limit is no overload', [{ ...SLOW_LOOP, eventLoopDelayMs: 40 }], 1],
  ['the ratio halves with each overloaded observation', repeat(SLOW_LOOP, 3), 1 / 8],
  ['it stops at the minimum', repeat(SLOW_LOOP, 20), MIN_THROTTLE_RATIO],
  ['one busy observation of the database is no overload', [BUSY_DATABASE], 1],
  ['two in a row are', repeat(BUSY_DATABASE, 2), 1 / 2],
  ['two with an idle one between are not', [BUSY_DATABASE, IDLE, BUSY_DATABASE], 1],
  ['few waiting requests are no overload', repeat({ ...BUSY_DATABASE, waitingForDatabase: 3 }, 5), 1],
  ['it grows back by a sixteenth', [...repeat(SLOW_LOOP, 2), IDLE, IDLE], 1 / 4 + 2 / 16],
  ['it grows back to one and no further', [...repeat(SLOW_LOOP, 20), ...repeat(IDLE, 20)], 1],
])('%s', (_, observations, ratio) => {
  expect(after(...observations).throttleRatio).toBe(ratio)
})

test('drains after fifteen overloaded observations at the minimum ratio, and stops with the first that is not', () => {
  const toMinimum = 6
  expect(after(...repeat(SLOW_LOOP, toMinimum + 13)).isDraining).toBe(false)
  const backpressure = after(...repeat(SLOW_LOOP, toMinimum + 14))
  expect(backpressure.isDraining).toBe(true)
  backpressure.observe(IDLE)
  expect(backpressure.isDraining).toBe(false)
})
