import { adopt, findWork, readEndpoints } from '../store/endpoints.ts'
import type { EndpointQueue } from './endpoint-queue.ts'
import { FetchRound, type FetchRoundDeps, MAX_ENDPOINTS_PER_STATEMENT, MAX_PREFETCHED } from './fetch-round.ts'

export interface FetcherDeps extends FetchRoundDeps {
  readonly databaseFailed: (error: unknown) => void
}

/** A poll finds work that no wake-up told of. When polls are slow, they take no more than a twentieth of the time. */
const POLL_MS = 1000
const POLL_TIME_FACTOR = 20
const MAX_POLL_MS = 10_000

/** Finds out which endpoints have work, and reads what is next for those that belong to this process. */
export class Fetcher {
  readonly #deps: FetcherDeps
  readonly #round: FetchRound
  /** Ids of endpoints that have work, should belong to this process, and do not yet. */
  readonly #unowned = new Set<string>()
  #mustPoll = true
  #isStopping = false
  #fetching: Promise<void> | null = null
  #pollTimer: NodeJS.Timeout | undefined
  /** performance.now() of the next poll. */
  #pollAt = Number.POSITIVE_INFINITY
  #lastPollMs = 0

  constructor(deps: FetcherDeps) {
    this.#deps = deps
    this.#round = new FetchRound(deps)
  }

  /** @param names ids of endpoints with new deliveries, separated by spaces; empty: any endpoint */
  wake(names: string): void {
    if (this.#isStopping) return
    if (names === '') this.#mustPoll = true
    else for (const id of names.split(' ')) this.#addWork(id)
    this.resume()
  }

  /** Endpoints were changed: what was prefetched is dropped before any of it is sent. @param names as for `wake` */
  endpointsChanged(names: string): void {
    const { queues } = this.#deps
    const changed = names === '' ? queues.all() : names.split(' ').map((id) => queues.get(id))
    for (const queue of changed) {
      queue?.drop()
      queue?.markStale()
    }
    this.wake(names)
  }

  /** Starts reading, if there is something to read. */
  resume(): void {
    if (this.#isStopping || this.#fetching !== null || !this.#hasWork) return
    this.#fetching = this.#fetchAll().then(
      () => {
        this.#fetching = null
        // If this process is not active, the next heartbeat resumes.
        if (this.#deps.membership.isActive) this.resume()
      },
      (error: unknown) => {
        this.#fetching = null
        this.#deps.databaseFailed(error)
        this.pollWithin(POLL_MS)
      },
    )
  }

  /** Polls in this many milliseconds, or earlier. */
  pollWithin(ms: number): void {
    const at = performance.now() + ms
    if (this.#isStopping || at >= this.#pollAt) return
    clearTimeout(this.#pollTimer)
    this.#pollAt = at
    this.#pollTimer = setTimeout(() => {
      this.#pollAt = Number.POSITIVE_INFINITY
      this.wake('')
    }, ms)
  }

  /** Waits for the current statement. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#pollTimer)
    await this.#fetching
  }

  get #hasWork(): boolean {
    const { queues } = this.#deps
    if (this.#mustPoll || this.#unowned.size > 0) return true
    return queues.needsFetch.size > 0 && queues.prefetchedCount < MAX_PREFETCHED
  }

  async #fetchAll(): Promise<void> {
    while (!this.#isStopping && this.#deps.membership.isActive && this.#hasWork) {
      if (this.#mustPoll) await this.#poll()
      if (this.#unowned.size > 0) await this.#adoptUnowned()
      await this.#round.run()
    }
  }

  #addWork(id: string): EndpointQueue | undefined {
    const { queues, membership } = this.#deps
    const queue = queues.get(id)
    if (queue !== undefined) {
      queue.wake()
      queues.needsFetch.add(queue)
    } else if (membership.owns(id)) this.#unowned.add(id)
    return queue
  }

  /** Finds work that no wake-up told of, and reads the rows of endpoints again for which deliveries are prefetched. */
  async #poll(): Promise<void> {
    const { connection, clock, queues } = this.#deps
    this.#mustPoll = false
    clearTimeout(this.#pollTimer)
    this.#pollAt = Number.POSITIVE_INFINITY
    const began = performance.now()
    for (const { id, probeRequestedAt } of await findWork(connection, clock.now())) {
      this.#addWork(id)?.polled(probeRequestedAt)
    }
    await this.#round.refresh([...queues.all()].filter(({ prefetchedCount }) => prefetchedCount > 0))
    const pollMs = performance.now() - began
    // A single slow poll, such as the first, which connects, delays nothing.
    const cost = Math.min(pollMs, this.#lastPollMs)
    this.#lastPollMs = pollMs
    this.pollWithin(Math.min(Math.max(POLL_MS, POLL_TIME_FACTOR * cost), MAX_POLL_MS))
  }

  async #adoptUnowned(): Promise<void> {
    const { connection, membership, queues } = this.#deps
    const ids = [...this.#unowned].slice(0, MAX_ENDPOINTS_PER_STATEMENT)
    await adopt(connection, membership.id, ids)
    for (const row of await readEndpoints(connection, membership.id, ids)) {
      if (queues.get(row.id) === undefined) queues.add(row)
    }
    // A poll finds those again that still belong to another process.
    for (const id of ids) this.#unowned.delete(id)
  }
}
