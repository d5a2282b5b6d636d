import type { Clock } from '../../src/infra/clock.ts'

/** Real time, moved forward at will; chance stands still in the middle. */
export interface TestClock extends Clock {
  advance(ms: number): void
}

export function testClock(): TestClock {
  let ahead = 0
  return {
    now: () => new Date(Date.now() + ahead),
    random: () => 0.5,
    advance: (ms) => {
      ahead += ms
    },
  }
}
