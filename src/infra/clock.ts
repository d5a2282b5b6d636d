import { uptime } from 'node:os'
import type { Database } from './database/db.ts'

/** Time and randomness, so that tests can control both. */
export interface Clock {
  /** The time of day: for times that people and other machines see, and for times that a caller named. */
  now(): Date
  /**
   * A time that setting the machine's clock does not change: for durations. It starts at the database's time when the
   * process starts, which all nodes share.
   */
  steady(): Date
  /** A number in [0, 1), like Math.random. */
  random(): number
}

/** The clock of a process without a server: steady since its start. */
export const systemClock: Clock = clockFrom(Date.now())

/** The machine's clock. Its steady time starts at the database's time. */
export async function openClock(db: Pick<Database, 'sql'>): Promise<Clock> {
  const [row] = await db.sql<{ now: Date }>('SELECT clock_timestamp() AS now')
  return clockFrom(row?.now.getTime() ?? Date.now())
}

function clockFrom(startedAt: number): Clock {
  const elapsedMs = stopwatch()
  return {
    now: () => new Date(),
    steady: () => new Date(startedAt + elapsedMs()),
    random: () => Math.random(),
  }
}

const LOOK_MS = 1000
/** The uptime has a resolution of a second. */
const SLEPT_MS = 3000

/** Milliseconds since the call. Timers stop while the machine sleeps; its uptime does not. */
function stopwatch(): () => number {
  const began = { timer: performance.now(), uptime: uptime() * 1000 }
  let slept = 0
  let lookedAt = 0
  return () => {
    const ticked = performance.now() - began.timer
    if (ticked - lookedAt > LOOK_MS) {
      lookedAt = ticked
      const missing = uptime() * 1000 - began.uptime - ticked
      if (missing - slept > SLEPT_MS) slept = missing
    }
    return ticked + slept
  }
}
