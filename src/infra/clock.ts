import { uptime } from 'node:os'
import type { Database } from './database/db.ts'

/** Time and chance, so that tests can hold both still. */
export interface Clock {
  /** The time of day, as people and other machines have it: for what they see, and for moments that somebody named. */
  now(): Date
  /**
   * The same time, except that setting the machine's clock moves it neither forward nor back: for how long something takes
   * or lasts. It was the database's time when the process started, which all nodes share.
   */
  steady(): Date
  /** A number in [0, 1), as Math.random. */
  random(): number
}

/** The clock of a process without a server, and of what only tells the time: steady since its start. */
export const systemClock: Clock = clockFrom(Date.now())

/** This machine's clock, whose steady time begins with the database's. */
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
/** The uptime comes in whole seconds. */
const SLEPT_MS = 3000

/** Milliseconds since the call. Timers stand still while the machine sleeps, which its uptime does not. */
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
