import type { Clock } from '../../src/infra/clock.ts'

/** Real time, moved forward at will; chance stands still in the middle. */
export interface TestClock extends Clock {
  advance(ms: number): void
  /** Sets the time of day, as an operator or a time server does: nothing has taken longer by that. */
  set(ms: number): void
}

export function testClock(): TestClock {
  let ahead = 0
  let wrong = 0
  return {
    now: () => new Date(Date.now() + ahead + wrong),
    steady: () => new Date(Date.now() + ahead),
    random: () => 0.5,
    advance: (ms) => {
      ahead += ms
    },
    set: (ms) => {
      wrong += ms
    },
  }
}
