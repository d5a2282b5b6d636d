import type { PendingDelivery } from '../delivery.ts'
import type { ProbeCandidate } from '../store/probe-candidates.ts'
import type { QueueParts } from './queue-parts.ts'

/** When to probe the receiver of one endpoint, and with what. */
export class ProbePlan {
  readonly #parts: QueueParts
  readonly #restartFetch: () => void

  /** @param restartFetch reads everything again: what waited for the probe need not wait any more */
  constructor(parts: QueueParts, restartFetch: () => void) {
    this.#parts = parts
    this.#restartFetch = restartFetch
  }

  /** Whether a probe should be read. */
  isNeeded(now: Date): boolean {
    const { state, inFlight, prober, recovery } = this.#parts
    if (state.isStopped || state.isStale || prober.isBusy || prober.isIdle) return false
    const busy = inFlight.sizeWithoutTests
    const isRequested = prober.isRequested(state.row)
    if (!state.breaker.isOpen) return (isRequested || recovery.mayResume(now)) && busy < state.row.maxInFlight
    return busy === 0 && (isRequested || state.breaker.allows(now, 0) > 0)
  }

  /** A probe is being read from now on. @returns what to look for */
  start(): { deliveryId: string | null; withFirstAttempts: boolean } {
    const { state, prober } = this.#parts
    const deliveryId = prober.isRequested(state.row) ? state.row.probeDeliveryId : null
    prober.start(state.row)
    // While the circuit breaker is closed, first attempts are sent anyway.
    return { deliveryId, withFirstAttempts: state.breaker.isOpen }
  }

  /** It could not be read. */
  cancel(): void {
    this.#parts.prober.drop(() => false)
  }

  /** @returns the ids of deliveries to read */
  choose(candidates: readonly ProbeCandidate[]): string[] {
    const { state, order, prober } = this.#parts
    // A conversation with a delivery in flight tries the receiver already.
    const free = candidates.filter(({ conversationId }) => conversationId === null || !order.isBusy(conversationId))
    const chosen = prober.choose(free)
    // With STRICT ordering, a failed delivery holds back the others.
    return state.row.isStrict ? chosen.slice(0, 1) : chosen
  }

  /** Takes what was read. @param isNothingPending there is nothing to probe with, and nothing to recover */
  fetched(found: readonly PendingDelivery[], isNothingPending: boolean, now: Date): void {
    const { state, prober, recovery } = this.#parts
    if (isNothingPending) recovery.clear()
    this.#send(prober.take(found, isNothingPending && !state.breaker.isOpen), now)
  }

  /** The probe has ended. When it failed, the next delivery of a requested probe is sent. */
  finish(hasSucceeded: boolean, now: Date): void {
    this.#send(this.#parts.prober.finish(hasSucceeded), now)
  }

  #send(delivery: PendingDelivery | undefined, now: Date): void {
    if (delivery === undefined) {
      this.#restartFetch()
      return
    }
    const isEarly = delivery.nextAttemptAt !== null && delivery.nextAttemptAt > now
    this.#parts.order.add({ ...delivery, isEarly }, 'probes')
  }
}
