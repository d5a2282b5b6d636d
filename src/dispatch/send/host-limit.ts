import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import { FairScheduler } from '../queue/fair-scheduler.ts'
import { cache } from './cache.ts'

/** The maximum number of requests in flight from this process to one host and port, across endpoints and workspaces. */
export const MAX_IN_FLIGHT_PER_HOST = 50

interface Host {
  readonly inFlight: Map<string, number>
  readonly waiting: FairScheduler<EndpointQueue>
  total: number
}

/** A request in flight to a host, for `finish`. */
export interface HostSlot {
  readonly host: string
  readonly workspaceId: string
}

/**
 * Limits the requests in flight to one host, across its endpoints. At a host that is at its limit, workspaces take
 * turns, and none gets more than half of the slots while others wait. Every step takes constant time.
 */
export class HostLimit {
  readonly #hosts = new Map<string, Host>()
  /** The queues with a turn at a host, until they use it or pass it on. */
  readonly #turns = new WeakMap<EndpointQueue, string>()
  readonly #requeue: (queue: EndpointQueue) => void

  /** @param requeue called with queues that should request a turn again because of a changed URL */
  constructor(requeue: (queue: EndpointQueue) => void) {
    this.#requeue = requeue
  }

  /** Adds a queue to its host. @returns the queue whose turn it is there now; undefined: the host is at its limit */
  requestTurn(queue: EndpointQueue): EndpointQueue | undefined {
    const name = hostOf(queue.row.url)
    const before = this.#turns.get(queue)
    this.#turns.delete(queue)
    if (before !== undefined && before !== name) {
      const other = this.#freed(before)
      if (other !== undefined) this.#requeue(other)
    }
    this.#at(name).waiting.add(queue)
    return this.#next(name)
  }

  /** A queue has nothing to send. @returns the next queue with a turn at its host */
  passTurn(queue: EndpointQueue): EndpointQueue | undefined {
    this.#turns.delete(queue)
    return this.#freed(hostOf(queue.row.url))
  }

  start({ row, workspaceId }: EndpointQueue): HostSlot {
    const slot = { host: hostOf(row.url), workspaceId }
    const host = this.#at(slot.host)
    host.total++
    host.inFlight.set(workspaceId, (host.inFlight.get(workspaceId) ?? 0) + 1)
    return slot
  }

  /** @returns the queue whose turn it is now */
  finish({ host: name, workspaceId }: HostSlot): EndpointQueue | undefined {
    const host = this.#at(name)
    host.total--
    const count = (host.inFlight.get(workspaceId) ?? 0) - 1
    if (count > 0) host.inFlight.set(workspaceId, count)
    else host.inFlight.delete(workspaceId)
    return this.#freed(name)
  }

  #freed(name: string): EndpointQueue | undefined {
    const host = this.#at(name)
    const queue = this.#next(name)
    if (queue !== undefined) this.#turns.set(queue, name)
    if (host.total === 0 && host.waiting.size === 0) this.#hosts.delete(name)
    return queue
  }

  /** Queues whose URL has changed while they waited move to their new host. */
  #next(name: string): EndpointQueue | undefined {
    const host = this.#at(name)
    for (;;) {
      const queue = next(host)
      if (queue === undefined || hostOf(queue.row.url) === name) return queue
      this.#requeue(queue)
    }
  }

  #at(name: string): Host {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    const host: Host = { inFlight: new Map(), waiting: new FairScheduler(), total: 0 }
    this.#hosts.set(name, host)
    return host
  }
}

/** While a slot is free, at most one workspace has half of them, so at most one is skipped. */
function next({ inFlight, waiting, total }: Host): EndpointQueue | undefined {
  if (total >= MAX_IN_FLIGHT_PER_HOST) return undefined
  const isBelowHalf = (workspaceId: string) => (inFlight.get(workspaceId) ?? 0) < MAX_IN_FLIGHT_PER_HOST / 2
  return waiting.next(isBelowHalf) ?? waiting.next()
}

/** `example.com:443`: the host and port, regardless of scheme and path. */
const hostOf = cache((url) => {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
})
