import type { Membership } from '../cluster/membership.ts'
import type { PendingDelivery, TimedResult } from '../delivery.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { EndpointQueues } from '../queue/endpoint-queues.ts'
import { HostLimit } from './host-limit.ts'
import { InFlightLimit, RECENT_MS } from './in-flight-limit.ts'
import type { Sender } from './sender.ts'

export interface SendLoopDeps {
  readonly queues: EndpointQueues
  readonly membership: Membership
  readonly sender: Sender
  /** Results that wait to be written. */
  readonly backlog: () => number
  /** What cannot be recorded is not sent. */
  readonly isPaused: () => boolean
  /** How much of the usual capacity may be used now, up to 1. */
  readonly throttleRatio: () => number
  readonly onResult: (queue: EndpointQueue, delivery: PendingDelivery, sent: TimedResult) => void
}

/** Results that may wait to be written: a receiver that refuses at once is answered faster than that can be recorded. */
const MAX_BACKLOG = 1000
/** Requests that begin before others get a turn of the event loop. */
const MAX_BATCH = 32

/** Begins requests, for one endpoint after the other, as long as there is capacity. */
export class SendLoop {
  readonly #deps: SendLoopDeps
  readonly #inFlightLimit = new InFlightLimit()
  readonly #hostLimit = new HostLimit((queue) => this.#requeue(queue))
  #timer: NodeJS.Timeout | undefined
  #isAwake = false
  #isStopping = false

  constructor(deps: SendLoopDeps) {
    this.#deps = deps
  }

  get inFlight(): number {
    return this.#inFlightLimit.inFlight
  }

  /** Something may be sent now. */
  wake(): void {
    if (this.#isAwake || this.#isStopping) return
    this.#isAwake = true
    // Everything of this turn of the event loop first: completions, then what they make room for.
    setImmediate(() => {
      this.#isAwake = false
      this.#sendBatch()
    })
  }

  stop(): void {
    this.#isStopping = true
    clearTimeout(this.#timer)
  }

  #sendBatch(): void {
    const { queues, membership } = this.#deps
    if (this.#isStopping || !membership.isActive || this.#deps.isPaused()) return
    const throttleRatio = this.#deps.throttleRatio()
    // What has been written wakes this again.
    if (this.#deps.backlog() >= throttleRatio * MAX_BACKLOG) return
    const passedOver: EndpointQueue[] = []
    for (let begun = 0; begun < MAX_BATCH && !this.#inFlightLimit.isFull(throttleRatio); ) {
      const first = queues.ready.next()
      if (first === undefined) break
      const queue = this.#hostLimit.requestTurn(first)
      // It comes back when a request to its host has ended.
      if (queue === undefined) continue
      if (!this.#inFlightLimit.hasRoomFor(queue, throttleRatio)) {
        passedOver.push(queue)
        continue
      }
      const delivery = queue.take()
      if (delivery === undefined) {
        this.#requeue(this.#hostLimit.passTurn(queue))
        continue
      }
      begun++
      this.#send(queue, delivery)
      if (queue.canSend()) queues.ready.add(queue)
    }
    const mayGoOn = queues.ready.size > 0 && !this.#inFlightLimit.isFull(throttleRatio)
    for (const queue of passedOver) queues.ready.add(queue)
    if (mayGoOn) this.wake()
    // What is in flight grows older, or ends and comes here again.
    else if (queues.ready.size > 0) this.#timer ??= setTimeout(() => this.#wakeLater(), RECENT_MS)
  }

  #wakeLater(): void {
    this.#timer = undefined
    this.wake()
  }

  #requeue(queue: EndpointQueue | undefined): void {
    const { queues } = this.#deps
    let next = queue
    // One that was removed while it waited passes its turn on.
    while (next !== undefined && !queues.has(next)) next = this.#hostLimit.passTurn(next)
    if (next !== undefined) queues.ready.add(next)
  }

  #send(queue: EndpointQueue, delivery: PendingDelivery): void {
    const request = this.#inFlightLimit.start()
    const place = this.#hostLimit.start(queue)
    void this.#deps.sender.send(delivery, queue.row).then((sent) => {
      this.#inFlightLimit.finish(request)
      this.#requeue(this.#hostLimit.finish(place))
      this.#deps.onResult(queue, delivery, sent)
      this.wake()
    })
  }
}
