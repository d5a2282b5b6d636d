/** What a dispatcher has done since it started. */
export interface Counters {
  /** Deliveries that were read. */
  claimed: number
  /** Attempts by what came of them. */
  delivered: number
  retried: number
  failed: number
  /** Failed ahead of their time: no attempt was spent. */
  unspent: number
  /** Not sent, by our own fault. */
  released: number
  breakersOpened: number
  breakersClosed: number
  /** Statements that read what is next, and that record results; and how long they took together, in milliseconds. */
  claims: number
  claimMs: number
  settlements: number
  settleMs: number
  /** How long attempts took together, in milliseconds. */
  attemptMs: number
}

/** What a dispatcher has done, and does now. */
export interface Reading extends Readonly<Counters> {
  /** Endpoints that belong to it, and those of them whose breaker is open. */
  readonly endpoints: number
  readonly openBreakers: number
  /** Deliveries in its memory; requests in flight. */
  readonly held: number
  readonly inFlight: number
  /** Of its usual capacity, what the API leaves to it now: up to 1. */
  readonly share: number
}

export function newCounters(): Counters {
  return {
    claimed: 0,
    delivered: 0,
    retried: 0,
    failed: 0,
    unspent: 0,
    released: 0,
    breakersOpened: 0,
    breakersClosed: 0,
    claims: 0,
    claimMs: 0,
    settlements: 0,
    settleMs: 0,
    attemptMs: 0,
  }
}
