import type { EndpointRow } from '../store/endpoints.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { FairScheduler } from './fair-scheduler.ts'
import type { PrefetchCount } from './order/delivery-order.ts'

/** The queues of the endpoints that belong to this process, and which of them wait to be read for or sent to. */
export class EndpointQueues {
  /** Those that something should be read for. */
  readonly needsFetch = new FairScheduler<EndpointQueue>()
  /** Those that something can be sent to. */
  readonly ready = new FairScheduler<EndpointQueue>()
  readonly #all = new Map<string, EndpointQueue>()
  readonly #prefetched: PrefetchCount = { count: 0 }
  readonly #needsFetchListeners: (() => void)[] = []
  readonly #readyListeners: (() => void)[] = []

  get size(): number {
    return this.#all.size
  }

  /** Prefetched deliveries of all endpoints together. */
  get prefetchedCount(): number {
    return this.#prefetched.count
  }

  /** Calls back when `reschedule` finds a queue that needs a fetch. */
  onNeedsFetch(listener: () => void): void {
    this.#needsFetchListeners.push(listener)
  }

  /** Calls back when `reschedule` finds a queue that can send. */
  onReady(listener: () => void): void {
    this.#readyListeners.push(listener)
  }

  get(id: string): EndpointQueue | undefined {
    return this.#all.get(id)
  }

  /** Whether this is still the queue of its endpoint. */
  has(queue: EndpointQueue): boolean {
    return this.#all.get(queue.id) === queue
  }

  /** All queues. Queues may be added and removed meanwhile. */
  all(): MapIterator<EndpointQueue> {
    return this.#all.values()
  }

  /** Adds an endpoint that belongs to this process now. */
  add(row: EndpointRow): void {
    const queue = new EndpointQueue(row, this.#prefetched)
    this.#all.set(queue.id, queue)
    this.needsFetch.add(queue)
  }

  /** Removes an endpoint. What is in flight ends by itself. */
  remove(queue: EndpointQueue): void {
    queue.removed()
    if (!this.has(queue)) return
    this.needsFetch.remove(queue)
    this.ready.remove(queue)
    this.#all.delete(queue.id)
  }

  /** Lets a queue wait for what it can do now. */
  reschedule(queue: EndpointQueue, now: Date): void {
    if (!this.has(queue)) return
    if (queue.canSend()) {
      this.ready.add(queue)
      for (const listener of this.#readyListeners) listener()
    }
    if (queue.needsFetch(now)) {
      this.needsFetch.add(queue)
      for (const listener of this.#needsFetchListeners) listener()
    }
  }
}
