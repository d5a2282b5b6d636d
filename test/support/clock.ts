import type { Clock } from '../../src/infra/clock.ts'
import { seeded } from './setup/seed.ts'

/** Real time, moved forward at will; chance comes from a seed that differs from run to run. */
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
    random: seeded(Number(process.env['TEST_SEED'])),
    advance: (ms) => {
      ahead += ms
    },
    set: (ms) => {
      wrong += ms
    },
  }
}
