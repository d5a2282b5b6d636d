/** Early sends that fail one after the other until a recovery is suspended. */
const MAX_FAILURES = 10
/** A suspended recovery resumes no earlier than this, in milliseconds, and only when a request succeeds. */
const SUSPENDED_MS = 60_000

/**
 * Suspends a recovery in which everything fails. A delivery may fail by itself, which says nothing about the receiver: if it
 * counted for the circuit breaker, a few such deliveries would open it at the end of every outage.
 */
export class RecoveryLimit {
  #failures = 0
  /** Null: no recovery is suspended. */
  #resumeAt: Date | null = null

  get isSuspended(): boolean {
    return this.#resumeAt !== null
  }

  /** Whether a suspended recovery may start again. */
  mayResume(now: Date): boolean {
    return this.#resumeAt !== null && now >= this.#resumeAt
  }

  /** An early send failed. @returns whether that suspends the recovery */
  failed(now: Date): boolean {
    if (++this.#failures < MAX_FAILURES) return false
    this.#failures = 0
    this.#resumeAt = suspendedFrom(now)
    return true
  }

  /** Any request succeeded. */
  succeeded(): void {
    this.#failures = 0
  }

  /** A probe failed: a suspended recovery waits again. */
  probeFailed(now: Date): void {
    if (this.#resumeAt !== null) this.#resumeAt = suspendedFrom(now)
  }

  /** The recovery starts again, or nothing is left to recover. */
  clear(): void {
    this.#resumeAt = null
  }
}

function suspendedFrom(now: Date): Date {
  return new Date(now.getTime() + SUSPENDED_MS)
}
