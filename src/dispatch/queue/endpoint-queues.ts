import type { EndpointRow } from '../store/endpoints.ts'
import type { PrefetchCount } from './conversation-order.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { FairScheduler } from './fair-scheduler.ts'

/** The endpoints that belong to this process, and which of them stand in line for what. */
export class EndpointQueues {
  readonly #all = new Map<string, EndpointQueue>()
  /** Those that something should be read for. */
  readonly needsFetch = new FairScheduler<EndpointQueue>()
  /** Those that something can be sent to. */
  readonly ready = new FairScheduler<EndpointQueue>()
  readonly #prefetched: PrefetchCount = { count: 0 }
  readonly #news: { readonly needsFetch: () => void; readonly ready: () => void }

  /** @param news what is told when somebody came to stand in a line */
  constructor(news: { readonly needsFetch: () => void; readonly ready: () => void }) {
    this.#news = news
  }

  get size(): number {
    return this.#all.size
  }

  /** Deliveries that are read and not recorded yet, of all endpoints. */
  get prefetchedCount(): number {
    return this.#prefetched.count
  }

  get(id: string): EndpointQueue | undefined {
    return this.#all.get(id)
  }

  /** Whether it is still this one that stands for its endpoint. */
  has(queue: EndpointQueue): boolean {
    return this.#all.get(queue.id) === queue
  }

  /** Every one of them; adding and removing meanwhile is allowed. */
  all(): MapIterator<EndpointQueue> {
    return this.#all.values()
  }

  /** An endpoint that has become this process's. */
  add(row: EndpointRow): void {
    const queue = new EndpointQueue(row, this.#prefetched)
    this.#all.set(queue.id, queue)
    this.needsFetch.add(queue)
  }

  /** What is in flight ends by itself. */
  remove(queue: EndpointQueue): void {
    queue.removed()
    if (!this.has(queue)) return
    this.needsFetch.remove(queue)
    this.ready.remove(queue)
    this.#all.delete(queue.id)
  }

  /** Puts an endpoint in line for what it can do now. */
  reschedule(queue: EndpointQueue, now: Date): void {
    if (!this.has(queue)) return
    if (queue.canSend()) {
      this.ready.add(queue)
      this.#news.ready()
    }
    if (queue.needsFetch(now)) {
      this.needsFetch.add(queue)
      this.#news.needsFetch()
    }
  }
}
