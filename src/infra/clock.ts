/** Time and chance, so that tests can hold both still. */
export interface Clock {
  now(): Date
  /** A number in [0, 1), as Math.random. */
  random(): number
}

export const systemClock: Clock = {
  now: () => new Date(),
  random: () => Math.random(),
}
