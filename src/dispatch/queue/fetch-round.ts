import type { Clock } from '../../infra/clock.ts'
import type { Membership } from '../cluster/membership.ts'
import type { PendingDelivery } from '../delivery.ts'
import { faultPoint } from '../fault-injection.ts'
import type { DispatchMetrics } from '../metrics.ts'
import type { DbConnection } from '../store/connection.ts'
import { readEndpoints } from '../store/endpoints.ts'
import { fetchConversationHeads, fetchConversations, listPendingConversations } from '../store/fetch-conversations.ts'
import { type FetchRequest, fetchDue } from '../store/fetch-due.ts'
import { fetchByIds, findProbeCandidates } from '../store/probe-candidates.ts'
import { makeReplaysDue, REPLAYS_PER_BATCH } from '../store/replays.ts'
import type { EndpointQueue } from './endpoint-queue.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import type { StartedRead } from './fetch-plan.ts'

export interface FetchRoundDeps {
  readonly clock: Clock
  readonly connection: DbConnection
  readonly membership: Membership
  readonly queues: EndpointQueues
  readonly metrics: DispatchMetrics
}

/** Prefetched deliveries of all endpoints together. */
export const MAX_PREFETCHED = 4000
/** Endpoints that one statement is about. */
export const MAX_ENDPOINTS_PER_STATEMENT = 200
/** Conversations that one statement of a recovery lists. */
const RECOVERY_PAGE = 50

interface StartedFetch {
  readonly queue: EndpointQueue
  readonly request: FetchRequest
}

/** Reads what is next for the endpoints whose turn it is. */
export class FetchRound {
  readonly #deps: FetchRoundDeps

  constructor(deps: FetchRoundDeps) {
    this.#deps = deps
  }

  async run(): Promise<void> {
    const { clock, queues } = this.#deps
    const now = clock.now()
    await this.refresh(queues.needsFetch.all().filter(({ isStale }) => isStale))
    const { turns, fetches } = this.#startFetches()
    if (fetches.length > 0) await this.#fetchDue(fetches, now)
    for (const queue of turns) {
      if (queue.probe.isNeeded(now)) await this.#fetchProbe(queue)
      await this.#recover(queue)
    }
    await this.#fetchConversations(turns)
    for (const queue of turns) await this.#fetchHeads(queue)
    for (const queue of turns) queues.reschedule(queue, clock.now())
  }

  /** Reads rows again. Queues of endpoints that do not belong to this process are removed. */
  async refresh(stale: readonly EndpointQueue[]): Promise<void> {
    if (stale.length === 0) return
    const { connection, membership, queues } = this.#deps
    const ids = stale.map(({ id }) => id)
    const rows = new Map((await readEndpoints(connection, membership.id, ids)).map((row) => [row.id, row]))
    for (const queue of stale) {
      const row = rows.get(queue.id)
      if (row === undefined) queues.remove(queue)
      else queue.refresh(row)
    }
  }

  /** @returns the endpoints whose turn it is, and what to read for those that need deliveries */
  #startFetches(): { turns: EndpointQueue[]; fetches: StartedFetch[] } {
    const { connection, queues } = this.#deps
    const turns: EndpointQueue[] = []
    const fetches: StartedFetch[] = []
    let room = Math.min(connection.batch.read, MAX_PREFETCHED - queues.prefetchedCount)
    while (room > 0 && turns.length < MAX_ENDPOINTS_PER_STATEMENT) {
      const queue = queues.needsFetch.next()
      if (queue === undefined) break
      turns.push(queue)
      const request = queue.fetch.nextFetch()
      if (request === null) continue
      queue.fetch.fetchStarted(request)
      fetches.push({ queue, request })
      room -= request.firstAttempts + request.retries + request.replays
    }
    return { turns, fetches }
  }

  async #fetchDue(fetches: readonly StartedFetch[], now: Date): Promise<void> {
    const { connection, queues } = this.#deps
    const requests = fetches.map(({ request }) => request)
    const began = performance.now()
    const found = await fetchDue(connection, requests, now).catch((error: unknown) => {
      for (const { queue } of fetches) queue.wake()
      throw error
    })
    faultPoint('fetch')
    this.#observe(found.length, began)
    const byEndpoint = Map.groupBy(found, ({ endpointId }) => endpointId)
    const all = fetches.map(({ queue }) => queue)
    await this.refresh(all.filter((queue) => hasChanged(queue, byEndpoint.get(queue.id)?.[0])))
    for (const { queue, request } of fetches) {
      if (!queue.isStale) {
        queue.fetch.fetched(byEndpoint.get(queue.id) ?? [], request)
        continue
      }
      // It was changed while this was read.
      queue.wake()
      queues.needsFetch.add(queue)
    }
  }

  async #fetchProbe(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    const began = performance.now()
    const { deliveryId, withFirstAttempts } = queue.probe.start()
    try {
      const candidates = await findProbeCandidates(connection, queue.id, deliveryId, withFirstAttempts)
      const ids = queue.probe.choose(candidates)
      const found = ids.length === 0 ? [] : await fetchByIds(connection, queue.id, ids)
      this.#observe(found.length, began)
      if (hasChanged(queue, found[0])) queue.markStale()
      if (queue.isStale) queue.probe.cancel()
      else queue.probe.fetched(found, candidates.length === 0, clock.now())
    } catch (error) {
      queue.probe.cancel()
      throw error
    }
  }

  /** After an outage, lists the conversations with pending deliveries, and makes bulk replays due. */
  async #recover(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    const { fetch } = queue
    if (fetch.mustMakeReplaysDue && (await makeReplaysDue(connection, queue.id, clock.now())) < REPLAYS_PER_BATCH) {
      fetch.replaysMadeDue()
    }
    for (let after = fetch.recoverAfter; after !== null; after = fetch.recoverAfter) {
      const { ids, end } = await listPendingConversations(connection, queue.id, after, RECOVERY_PAGE)
      if (fetch.recoverAfter !== after) return
      fetch.recoverPage(ids, end)
    }
  }

  /** Reads conversations that are read by themselves. */
  async #fetchConversations(turns: readonly EndpointQueue[]): Promise<void> {
    const { connection, clock } = this.#deps
    const reads = turns.flatMap((queue) => queue.fetch.startConversations().map((read) => ({ queue, ...read })))
    if (reads.length === 0) return
    const began = performance.now()
    const found = await fetchConversations(connection, reads).catch((error: unknown) => {
      for (const { queue, ...read } of reads) queue.fetch.conversationFailed(read)
      throw error
    })
    this.#observe(found.length, began)
    const byConversation = Map.groupBy(found, keyOf)
    const first = new Map(found.map((row) => [row.endpointId, row]))
    const changed = reads.map(({ queue }) => queue).filter((queue) => hasChanged(queue, first.get(queue.id)))
    await this.refresh([...new Set(changed)])
    const now = clock.now()
    for (const { queue, ...read } of reads) {
      if (queue.isStale) queue.fetch.conversationFailed(read)
      else queue.fetch.conversationFetched(read, byConversation.get(keyOf(read)) ?? [], now)
    }
  }

  async #fetchHeads(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    const request = queue.fetch.startHeads()
    if (request === null) return
    const began = performance.now()
    const { heads, last } = await fetchConversationHeads(connection, queue.id, request, clock.now())
    this.#observe(heads.length, began)
    if (!queue.isStale) queue.fetch.headsFetched(heads, last)
  }

  /** @param began performance.now() */
  #observe(count: number, began: number): void {
    const { metrics } = this.#deps
    metrics.fetched.inc(count)
    metrics.fetchDuration.observe((performance.now() - began) / 1000)
  }
}

function hasChanged(queue: EndpointQueue, found: PendingDelivery | undefined): boolean {
  return found !== undefined && found.version !== queue.row.version
}

function keyOf({
  endpointId,
  conversationId,
}: Pick<PendingDelivery | StartedRead, 'endpointId' | 'conversationId'>): string {
  return `${endpointId} ${conversationId}`
}
