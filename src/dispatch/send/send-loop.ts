import type { Roster } from '../cluster/membership.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { Queues } from '../queue/endpoint-queues.ts'
import type { Claimed } from '../store/fetch-due.ts'
import { Hosts } from './host-limit.ts'
import { Capacity, YOUNG_MS } from './in-flight-limit.ts'
import type { Sending, Sent } from './sender.ts'

export interface PumpDeps {
  readonly queues: Queues
  readonly roster: Roster
  readonly sending: Sending
  /** Results that wait to be written. */
  readonly backlog: () => number
  /** What cannot be recorded is not sent. */
  readonly isPaused: () => boolean
  /** How much of the usual capacity may be used now, up to 1. */
  readonly share: () => number
  readonly ended: (queue: EndpointQueue, claimed: Claimed, sent: Sent) => void
}

/** Results that may wait to be written: a receiver that refuses at once is answered faster than that can be recorded. */
const MAX_BACKLOG = 1000
/** Requests that begin before others get a turn of the event loop. */
const BURST = 32

/** Begins requests, for one endpoint after the other, as long as there is capacity. */
export class Pump {
  readonly #deps: PumpDeps
  readonly #capacity = new Capacity()
  readonly #hosts = new Hosts((queue) => this.#line(queue))
  #timer: NodeJS.Timeout | undefined
  #isAwake = false
  #isStopping = false

  constructor(deps: PumpDeps) {
    this.#deps = deps
  }

  get inFlight(): number {
    return this.#capacity.inFlight
  }

  /** Something may be sent now. */
  wake(): void {
    if (this.#isAwake || this.#isStopping) return
    this.#isAwake = true
    // Everything of this turn of the event loop first: completions, then what they make room for.
    setImmediate(() => {
      this.#isAwake = false
      this.#burst()
    })
  }

  stop(): void {
    this.#isStopping = true
    clearTimeout(this.#timer)
  }

  #burst(): void {
    const { queues, roster } = this.#deps
    if (this.#isStopping || !roster.isTrusted || this.#deps.isPaused()) return
    const share = this.#deps.share()
    // What has been written wakes this again.
    if (this.#deps.backlog() >= share * MAX_BACKLOG) return
    const passedOver: EndpointQueue[] = []
    for (let begun = 0; begun < BURST && !this.#capacity.isFull(share); ) {
      const first = queues.sendable.next()
      if (first === undefined) break
      const queue = this.#hosts.turn(first)
      // It comes back when a request to its host has ended.
      if (queue === undefined) continue
      if (!this.#capacity.hasRoomFor(queue, share)) {
        passedOver.push(queue)
        continue
      }
      const claimed = queue.take()
      if (claimed === undefined) {
        this.#line(this.#hosts.afterNone(queue))
        continue
      }
      begun++
      this.#send(queue, claimed)
      if (queue.canSend()) queues.sendable.add(queue)
    }
    const mayGoOn = queues.sendable.size > 0 && !this.#capacity.isFull(share)
    for (const queue of passedOver) queues.sendable.add(queue)
    if (mayGoOn) this.wake()
    // What is in flight grows older, or ends and comes here again.
    else if (queues.sendable.size > 0) this.#timer ??= setTimeout(() => this.#wakeLater(), YOUNG_MS)
  }

  #wakeLater(): void {
    this.#timer = undefined
    this.wake()
  }

  #line(queue: EndpointQueue | undefined): void {
    const { queues } = this.#deps
    let next = queue
    // One that was removed while it waited passes its turn on.
    while (next !== undefined && !queues.has(next)) next = this.#hosts.afterNone(next)
    if (next !== undefined) queues.sendable.add(next)
  }

  #send(queue: EndpointQueue, claimed: Claimed): void {
    const request = this.#capacity.begin()
    const place = this.#hosts.begin(queue)
    void this.#deps.sending.send(claimed, queue.row).then((sent) => {
      this.#capacity.end(request)
      this.#line(this.#hosts.end(place))
      this.#deps.ended(queue, claimed, sent)
      this.wake()
    })
  }
}
