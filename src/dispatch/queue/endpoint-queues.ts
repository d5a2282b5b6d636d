import type { EndpointRow } from '../store/endpoints.ts'
import type { Tally } from './conversation-order.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { Turns } from './fair-scheduler.ts'

/** The endpoints that belong to this process, and which of them stand in line for what. */
export class Queues {
  readonly #all = new Map<string, EndpointQueue>()
  /** Those that something should be read for. */
  readonly hungry = new Turns<EndpointQueue>()
  /** Those that something can be sent to. */
  readonly sendable = new Turns<EndpointQueue>()
  readonly #held: Tally = { count: 0 }
  readonly #news: { readonly hungry: () => void; readonly sendable: () => void }

  /** @param news what is told when somebody came to stand in a line */
  constructor(news: { readonly hungry: () => void; readonly sendable: () => void }) {
    this.#news = news
  }

  get size(): number {
    return this.#all.size
  }

  /** Deliveries that are read and not recorded yet, of all endpoints. */
  get heldCount(): number {
    return this.#held.count
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
    const queue = new EndpointQueue(row, this.#held)
    this.#all.set(queue.id, queue)
    this.hungry.add(queue)
  }

  /** What is in flight ends by itself. */
  remove(queue: EndpointQueue): void {
    queue.removed()
    if (!this.has(queue)) return
    this.hungry.remove(queue)
    this.sendable.remove(queue)
    this.#all.delete(queue.id)
  }

  /** Puts an endpoint in line for what it can do now. */
  consider(queue: EndpointQueue, now: Date): void {
    if (!this.has(queue)) return
    if (queue.canSend()) {
      this.sendable.add(queue)
      this.#news.sendable()
    }
    if (queue.isHungry(now)) {
      this.hungry.add(queue)
      this.#news.hungry()
    }
  }
}
