import type { PendingDelivery } from '../delivery.ts'
import type { EndpointRow } from '../store/endpoints.ts'
import type { ProbeCandidate } from '../store/probe-candidates.ts'
import { isEarlier } from './order/delivery-order.ts'

/** The part of an endpoint's row that requests a probe. */
export type ProbeRequest = Pick<EndpointRow, 'isProbeRequested' | 'probeRequestedAt'>

interface Probe {
  /** When it was requested; null: the circuit breaker allows it. */
  readonly requestedAt: Date | null
  /** What to send next when the current delivery fails. */
  rest: PendingDelivery[]
  /** The seq of the delivery that is sent as probe; null: it is being read. */
  current: string | null
}

/**
 * Requests that try the receiver of an endpoint, one at a time: those that the circuit breaker allows while it is open, and
 * one when "send now" was requested.
 */
export class Prober {
  #probe: Probe | null = null
  /** When the last requested probe that has ended was requested. */
  #probedAt: Date | null = null
  /** Probes that failed since the last success. The next takes another conversation: one delivery may always fail. */
  #failures = 0
  /** Nothing was found to send. */
  #isIdle = false

  get probedAt(): Date | null {
    return this.#probedAt
  }

  /** Whether a probe is being read or sent. */
  get isBusy(): boolean {
    return this.#probe !== null
  }

  get isIdle(): boolean {
    return this.#isIdle
  }

  /** The seq of the delivery that is sent as probe; null: none is. */
  get current(): string | null {
    return this.#probe?.current ?? null
  }

  /** Whether a probe is requested that has not ended. */
  isRequested({ isProbeRequested, probeRequestedAt }: ProbeRequest): boolean {
    return isProbeRequested && probeRequestedAt !== null && probeRequestedAt.getTime() !== this.#probedAt?.getTime()
  }

  /** Whether first attempts wait for a requested probe, because there is something to probe with. */
  isAwaited(request: ProbeRequest): boolean {
    return this.isRequested(request) && !this.#isIdle
  }

  /** Deliveries may be pending again. */
  wake(): void {
    this.#isIdle = false
  }

  /** A probe is being read from now on. */
  start(request: ProbeRequest): void {
    this.#probe = { requestedAt: this.isRequested(request) ? request.probeRequestedAt : null, rest: [], current: null }
  }

  /** Drops what was read. @param isInFlight a delivery that is in flight stays the probe */
  drop(isInFlight: (seq: string) => boolean): void {
    if (this.#probe === null) return
    const { current } = this.#probe
    if (current !== null && isInFlight(current)) this.#probe.rest = []
    else this.#probe = null
    this.#isIdle = false
  }

  /** @returns the ids of deliveries to send, one after the other until one succeeds */
  choose(candidates: readonly ProbeCandidate[]): string[] {
    if (this.#probe === null) return []
    const requested = candidates.filter(({ isRequested }) => isRequested).map(({ id }) => id)
    if (requested.length > 0) return requested
    const turn = this.#probe.requestedAt === null ? this.#failures % Math.max(1, candidates.length) : 0
    const chosen = candidates[turn]
    return chosen === undefined ? [] : [chosen.id]
  }

  /**
   * Takes what was read.
   * @param isDone if nothing was found, a requested probe has ended
   * @returns what to send first
   */
  take(found: readonly PendingDelivery[], isDone: boolean): PendingDelivery | undefined {
    if (this.#probe === null) return undefined
    this.#probe.rest = found.toSorted((a, b) => (isEarlier(a.seq, b.seq) ? -1 : 1))
    const first = this.#next()
    if (first === undefined) this.#end(isDone)
    this.#isIdle = first === undefined
    return first
  }

  #next(): PendingDelivery | undefined {
    if (this.#probe === null) return undefined
    const next = this.#probe.rest.shift()
    this.#probe.current = next?.seq ?? null
    return next
  }

  #end(isDone: boolean): void {
    if (isDone && this.#probe?.requestedAt) this.#probedAt = this.#probe.requestedAt
    this.#probe = null
  }

  /** Whether a delivery is the probe, and whether that was requested. */
  kindOf({ seq }: Pick<PendingDelivery, 'seq'>): 'requested' | 'automatic' | null {
    if (this.#probe?.current !== seq) return null
    return this.#probe.requestedAt === null ? 'automatic' : 'requested'
  }

  /** The probe has ended. @returns what to send next, because it failed */
  finish(hasSucceeded: boolean): PendingDelivery | undefined {
    this.#failures = hasSucceeded ? 0 : this.#failures + 1
    const next = hasSucceeded ? undefined : this.#next()
    if (next === undefined) this.#end(true)
    return next
  }
}
