import type { PendingDelivery } from '../delivery.ts'
import type { EndpointRow } from '../store/endpoints.ts'
import type { ProbeCandidate } from '../store/fetch-due.ts'

/**
 * Requests that try an endpoint's receiver, one at a time: those that the breaker allows while it is open, and one when somebody
 * asked that what waits be sent now.
 */
export class Prober {
  /** Null: none is under way. */
  #probe: { readonly askedAt: Date | null; rest: PendingDelivery[]; current: string | null } | null = null
  /** When the last one was asked that has ended. */
  #probedAt: Date | null = null
  /** Probes that failed since the last success: the next takes another conversation, lest an event that always fails stand in the way. */
  #failed = 0
  /** There was nothing to send at the last look. */
  #isIdle = false

  get probedAt(): Date | null {
    return this.#probedAt
  }

  /** Whether one is read, or under way. */
  get isBusy(): boolean {
    return this.#probe !== null
  }

  get isIdle(): boolean {
    return this.#isIdle
  }

  /** Whether somebody waits for one. */
  isAsked({ isProbeAsked, probeAskedAt }: EndpointRow): boolean {
    return isProbeAsked && probeAskedAt !== null && probeAskedAt.getTime() !== this.#probedAt?.getTime()
  }

  /** Something new may wait. */
  look(): void {
    this.#isIdle = false
  }

  /** What is to be sent as one. */
  get current(): string | null {
    return this.#probe?.current ?? null
  }

  /** One is read from now on. */
  begin(row: EndpointRow): void {
    this.#probe = { askedAt: this.isAsked(row) ? row.probeAskedAt : null, rest: [], current: null }
  }

  /** What was read is dropped. @param isInFlight whether a delivery is on its way: it stays what it is */
  drop(isInFlight: (seq: string) => boolean): void {
    if (this.#probe === null) return
    const { current } = this.#probe
    if (current !== null && isInFlight(current)) this.#probe.rest = []
    else this.#probe = null
    this.#isIdle = false
  }

  /** Which of the candidates to send, one after the other until one succeeds. */
  choose(candidates: readonly ProbeCandidate[]): string[] {
    if (this.#probe === null) return []
    const named = candidates.filter(({ isNamed }) => isNamed).map(({ id }) => id)
    if (named.length > 0) return named
    const turn = this.#probe.askedAt === null ? this.#failed % Math.max(1, candidates.length) : 0
    const chosen = candidates[turn]
    return chosen === undefined ? [] : [chosen.id]
  }

  /**
   * Takes what was read.
   * @param isOver there is nothing to wait for either: what was asked is done
   * @returns what goes first
   */
  take(found: readonly PendingDelivery[], isOver: boolean): PendingDelivery | undefined {
    if (this.#probe === null) return undefined
    this.#probe.rest = found.toSorted((a, b) => (BigInt(a.seq) < BigInt(b.seq) ? -1 : 1))
    const first = this.#next()
    if (first === undefined) this.#end(isOver)
    this.#isIdle = first === undefined
    return first
  }

  #next(): PendingDelivery | undefined {
    if (this.#probe === null) return undefined
    const next = this.#probe.rest.shift()
    this.#probe.current = next?.seq ?? null
    return next
  }

  #end(isOver: boolean): void {
    if (isOver && this.#probe?.askedAt) this.#probedAt = this.#probe.askedAt
    this.#probe = null
  }

  /** Whether a delivery is the probe, and whether that was asked for. */
  of({ seq }: PendingDelivery): 'asked' | 'own' | null {
    if (this.#probe?.current !== seq) return null
    return this.#probe.askedAt === null ? 'own' : 'asked'
  }

  /** The probe has ended. @returns what goes next, because it failed */
  ended(hasSucceeded: boolean): PendingDelivery | undefined {
    this.#failed = hasSucceeded ? 0 : this.#failed + 1
    const next = hasSucceeded ? undefined : this.#next()
    if (next === undefined) this.#end(true)
    return next
  }
}
