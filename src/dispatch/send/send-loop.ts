import type { Membership } from '../cluster/membership.ts'
import type { PendingDelivery, TimedResult } from '../delivery.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { EndpointQueues } from '../queue/endpoint-queues.ts'
import { HostLimit } from './host-limit.ts'
import { InFlightLimit, RECENT_MS } from './in-flight-limit.ts'
import type { WebhookSender } from './sender.ts'

export interface SendLoopDeps {
  readonly queues: EndpointQueues
  readonly membership: Membership
  readonly sender: WebhookSender
  /** Attempts that wait to be written. */
  readonly backlog: () => number
  /** Whether attempts cannot be recorded now; nothing is sent then. */
  readonly isPaused: () => boolean
  /** The share of the usual limits that is allowed now, up to 1. */
  readonly throttleRatio: () => number
  readonly onResult: (queue: EndpointQueue, delivery: PendingDelivery, sent: TimedResult) => void
}

/**
 * The maximum number of attempts that wait to be written: receivers that refuse at once fail faster than attempts are
 * written.
 */
const MAX_BACKLOG = 1000
/** The maximum number of requests that start in one turn of the event loop. */
const MAX_BATCH = 32

/** Starts requests, endpoint by endpoint, within the limits of process, host and endpoint. */
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

  /** Something can be sent now. */
  wake(): void {
    if (this.#isAwake || this.#isStopping) return
    this.#isAwake = true
    // Last in this turn of the event loop, because completed requests make room for new ones.
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
    // The next write resumes it.
    if (this.#deps.backlog() >= throttleRatio * MAX_BACKLOG) return
    const skipped: EndpointQueue[] = []
    for (let started = 0; started < MAX_BATCH && !this.#inFlightLimit.isFull(throttleRatio); ) {
      const first = queues.ready.next()
      if (first === undefined) break
      const queue = this.#hostLimit.requestTurn(first)
      // The queue is ready again when a request to its host has ended.
      if (queue === undefined) continue
      if (!this.#inFlightLimit.hasRoomFor(queue, throttleRatio)) {
        skipped.push(queue)
        continue
      }
      const delivery = queue.take()
      if (delivery === undefined) {
        this.#requeue(this.#hostLimit.passTurn(queue))
        continue
      }
      started++
      this.#send(queue, delivery)
      if (queue.canSend()) queues.ready.add(queue)
    }
    const mayGoOn = queues.ready.size > 0 && !this.#inFlightLimit.isFull(throttleRatio)
    for (const queue of skipped) queues.ready.add(queue)
    if (mayGoOn) this.wake()
    // Requests in flight become less recent, or end and resume it.
    else if (queues.ready.size > 0) this.#timer ??= setTimeout(() => this.#wakeLater(), RECENT_MS)
  }

  #wakeLater(): void {
    this.#timer = undefined
    this.wake()
  }

  #requeue(queue: EndpointQueue | undefined): void {
    const { queues } = this.#deps
    let next = queue
    // A queue that was removed while it waited passes its turn on.
    while (next !== undefined && !queues.has(next)) next = this.#hostLimit.passTurn(next)
    if (next !== undefined) queues.ready.add(next)
  }

  #send(queue: EndpointQueue, delivery: PendingDelivery): void {
    const request = this.#inFlightLimit.start()
    const slot = this.#hostLimit.start(queue)
    void this.#deps.sender.send(delivery, queue.row).then((sent) => {
      this.#inFlightLimit.finish(request)
      this.#requeue(this.#hostLimit.finish(slot))
      this.#deps.onResult(queue, delivery, sent)
      this.wake()
    })
  }
}
