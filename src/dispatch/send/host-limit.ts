import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import { FairScheduler } from '../queue/fair-scheduler.ts'
import { cache } from './cache.ts'

/** Requests in flight from this process to one host and port, whatever endpoints and workspaces they are of. */
export const MAX_IN_FLIGHT_PER_HOST = 50

interface Host {
  readonly inFlight: Map<string, number>
  readonly waiting: FairScheduler<EndpointQueue>
  total: number
}

/** A request's place at its host, which `end` takes back. */
export interface HostSlot {
  readonly host: string
  readonly workspaceId: string
}

/**
 * Keeps any one host from more requests at once than it can be expected to bear, however many endpoints lead to it. At a
 * host that is full, workspaces take turns, and none gets more than half of the places while others wait. Every step takes
 * constant time.
 */
export class HostLimit {
  readonly #hosts = new Map<string, Host>()
  /** Whose turn it is at which host, until they take it or pass it on. */
  readonly #turns = new WeakMap<EndpointQueue, string>()
  readonly #requeue: (queue: EndpointQueue) => void

  /** @param lineUp is told of queues that shall ask for their turn (again): their URL has changed, or somebody else's has */
  constructor(lineUp: (queue: EndpointQueue) => void) {
    this.#requeue = lineUp
  }

  /** Takes a place in the host's line. @returns whose turn it is there now; undefined: the host is full */
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

  /** Whose turn it is at the host of a queue that has nothing to send after all. */
  passTurn(queue: EndpointQueue): EndpointQueue | undefined {
    this.#turns.delete(queue)
    return this.#freed(hostOf(queue.row.url))
  }

  start({ row, workspaceId }: EndpointQueue): HostSlot {
    const place = { host: hostOf(row.url), workspaceId }
    const host = this.#at(place.host)
    host.total++
    host.inFlight.set(workspaceId, (host.inFlight.get(workspaceId) ?? 0) + 1)
    return place
  }

  /** @returns who may have the place now */
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

  /** Those whose URL has changed while they waited go and wait elsewhere. */
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

/** Of those above half of the places there is one at most while any is free, so at most one is passed over. */
function next({ inFlight, waiting, total }: Host): EndpointQueue | undefined {
  if (total >= MAX_IN_FLIGHT_PER_HOST) return undefined
  const isBelowHalf = (workspaceId: string) => (inFlight.get(workspaceId) ?? 0) < MAX_IN_FLIGHT_PER_HOST / 2
  return waiting.next(isBelowHalf) ?? waiting.next()
}

/** `example.com:443`: what is connected to, whichever scheme and path. */
const hostOf = cache((url) => {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
})
