import type { Clock } from '../../infra/clock.ts'
import type { Membership } from '../cluster/membership.ts'
import type { PendingDelivery } from '../delivery.ts'
import { faultPoint } from '../fault-injection.ts'
import type { DispatchMetrics } from '../metrics.ts'
import type { DbConnection } from '../store/connection.ts'
import { adopt, findWork, readEndpoints } from '../store/endpoints.ts'
import {
  type FetchRequest,
  fetchByIds,
  fetchConversationHeads,
  fetchConversations,
  fetchDue,
  findProbeCandidates,
  listWaitingConversations,
  makeReplaysDue,
  REPLAYS_MADE_DUE,
} from '../store/fetch-due.ts'
import type { EndpointQueue } from './endpoint-queue.ts'
import type { EndpointQueues } from './endpoint-queues.ts'

export interface FetcherDeps {
  readonly clock: Clock
  readonly connection: DbConnection
  readonly membership: Membership
  readonly queues: EndpointQueues
  readonly metrics: DispatchMetrics
  readonly databaseFailed: (error: unknown) => void
}

/** Deliveries that are read and not recorded, at most. */
const MAX_PREFETCHED = 4000
/** Endpoints that one statement is about. */
const MAX_ASKED = 200
/** Conversations that one step of a walk finds. */
const RECOVERY_PAGE = 50
/** How often it looks for what no wake-up told it: least, and when that is so expensive that it should be rarer. */
const POLL_MS = 1000
const POLL_SHARE = 20
const MAX_POLL_MS = 10_000

/** Finds out where something is due, and reads what is next for the endpoints that belong to this process. */
export class Fetcher {
  readonly #deps: FetcherDeps
  /** Ids of endpoints that have work, fall to this process, and are not yet its own. */
  readonly #unowned = new Set<string>()
  #mustPoll = true
  #isStopping = false
  #reading: Promise<void> | null = null
  #pollTimer: NodeJS.Timeout | undefined
  #pollAt = Number.POSITIVE_INFINITY
  /** How long the last look took, in milliseconds. */
  #pollTook = 0

  constructor(deps: FetcherDeps) {
    this.#deps = deps
  }

  /** @param names ids of endpoints that got something, separated by spaces; empty: look everywhere */
  wake(names: string): void {
    if (this.#isStopping) return
    if (names === '') this.#mustPoll = true
    else for (const id of names.split(' ')) this.#hasWork(id)
    this.goOn()
  }

  /** Endpoints that were changed: what was read ahead is dropped before anything more of it is sent. */
  endpointsChanged(names: string): void {
    const { queues } = this.#deps
    const changed = names === '' ? queues.all() : names.split(' ').map((id) => queues.get(id))
    for (const queue of changed) {
      if (queue === undefined) continue
      queue.drop()
      queue.isStale = true
    }
    this.wake(names)
  }

  /** Reads if there is something to read. */
  goOn(): void {
    if (this.#isStopping || this.#reading !== null || !this.#hasToRead()) return
    this.#reading = this.#readAll().then(
      () => this.#hasRead(true),
      (error: unknown) => {
        this.#deps.databaseFailed(error)
        this.pollWithin(POLL_MS)
        this.#hasRead(false)
      },
    )
  }

  /** After a failure, the next beat that gets through goes on; so it does when this process is not trusted. */
  #hasRead(isWell: boolean): void {
    this.#reading = null
    if (isWell && this.#deps.membership.isTrusted) this.goOn()
  }

  /** Looks at everything in so many milliseconds, or earlier. */
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

  /** Waits for the statement that is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#pollTimer)
    await this.#reading
  }

  #hasToRead(): boolean {
    const { queues } = this.#deps
    return (
      this.#mustPoll ||
      this.#unowned.size > 0 ||
      (queues.needsFetch.size > 0 && queues.prefetchedCount < MAX_PREFETCHED)
    )
  }

  async #readAll(): Promise<void> {
    while (!this.#isStopping && this.#deps.membership.isTrusted && this.#hasToRead()) {
      if (this.#mustPoll) await this.#pollAll()
      if (this.#unowned.size > 0) await this.#adoptUnowned()
      await this.#readOnce()
    }
  }

  #hasWork(id: string): EndpointQueue | undefined {
    const { queues, membership } = this.#deps
    const queue = queues.get(id)
    if (queue !== undefined) {
      queue.look()
      queues.needsFetch.add(queue)
    } else if (membership.isMine(id)) this.#unowned.add(id)
    return queue
  }

  /** Finds work that no wake-up told of, and reads anew what is known of endpoints for which something is held. */
  async #pollAll(): Promise<void> {
    const { connection, clock, queues } = this.#deps
    this.#mustPoll = false
    clearTimeout(this.#pollTimer)
    this.#pollAt = Number.POSITIVE_INFINITY
    const began = performance.now()
    for (const { id, askedAt } of await findWork(connection, clock.now())) this.#hasWork(id)?.found(askedAt)
    await this.#readAnew([...queues.all()].filter(({ prefetchedCount }) => prefetchedCount > 0))
    const took = performance.now() - began
    // One that was slow by chance, such as the first, which connects, makes nothing late.
    const cost = Math.min(took, this.#pollTook)
    this.#pollTook = took
    this.pollWithin(Math.min(Math.max(POLL_MS, POLL_SHARE * cost), MAX_POLL_MS))
  }

  /** Endpoints that are gone, or another process's, are forgotten; what is disabled is dropped. */
  async #readAnew(outdated: readonly EndpointQueue[]): Promise<void> {
    if (outdated.length === 0) return
    const { connection, membership, queues } = this.#deps
    const ids = outdated.map(({ id }) => id)
    const rows = new Map((await readEndpoints(connection, membership.id, ids)).map((row) => [row.id, row]))
    for (const queue of outdated) {
      const row = rows.get(queue.id)
      if (row === undefined) queues.remove(queue)
      else queue.refresh(row)
    }
  }

  async #adoptUnowned(): Promise<void> {
    const { connection, membership, queues } = this.#deps
    const ids = [...this.#unowned].slice(0, MAX_ASKED)
    await adopt(connection, membership.id, ids)
    for (const row of await readEndpoints(connection, membership.id, ids)) {
      if (queues.get(row.id) === undefined) queues.add(row)
    }
    // Those that another process still has are found again by a look.
    for (const id of ids) this.#unowned.delete(id)
  }

  async #readOnce(): Promise<void> {
    const { connection, clock, queues } = this.#deps
    const now = clock.now()
    await this.#readAnew(queues.needsFetch.all().filter(({ isStale }) => isStale))
    const asked: { queue: EndpointQueue; wanted: FetchRequest }[] = []
    const turns: EndpointQueue[] = []
    let room = Math.min(connection.batch.read, MAX_PREFETCHED - queues.prefetchedCount)
    while (room > 0 && turns.length < MAX_ASKED) {
      const queue = queues.needsFetch.next()
      if (queue === undefined) break
      turns.push(queue)
      const wanted = queue.nextFetch()
      if (wanted === null) continue
      queue.fetchStarted(wanted)
      asked.push({ queue, wanted })
      room -= wanted.firsts + wanted.retries + wanted.replays
    }
    if (asked.length > 0) await this.#readFor(asked, now)
    for (const queue of turns) {
      if (queue.needsProbe(now)) await this.#readProbe(queue)
      await this.#recovery(queue)
    }
    await this.#readConversations(turns)
    for (const queue of turns) await this.#readHeads(queue)
    for (const queue of turns) queues.reschedule(queue, clock.now())
  }

  /** Reads something that tries an endpoint's receiver. */
  async #readProbe(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    const began = performance.now()
    const { deliveryId, withFirsts } = queue.startProbe()
    try {
      const candidates = await findProbeCandidates(connection, queue.id, deliveryId, withFirsts)
      const ids = queue.chooseProbe(candidates)
      const found = ids.length === 0 ? [] : await fetchByIds(connection, queue.id, ids)
      this.#count(found.length, began)
      if (isStale(queue, found[0])) queue.isStale = true
      if (queue.isStale) queue.cancelProbe()
      else queue.addProbe(found, candidates.length === 0, clock.now())
    } catch (error) {
      queue.cancelProbe()
      throw error
    }
  }

  /** After an outage, all conversations in which something waits are read, a few at a time. */
  async #recovery(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    // What was replayed in bulk keeps no order with what is live: it is only made due.
    if (queue.mustMakeReplaysDue && (await makeReplaysDue(connection, queue.id, clock.now())) < REPLAYS_MADE_DUE)
      queue.replaysMadeDue()
    for (let after = queue.recoveryAfter; after !== null; after = queue.recoveryAfter) {
      const { ids, end } = await listWaitingConversations(connection, queue.id, after, RECOVERY_PAGE)
      if (queue.recoveryAfter !== after) return
      queue.recoveryRead(ids, end)
    }
  }

  /** Reads conversations by themselves that keep an order between first attempts and retries. */
  async #readConversations(turns: readonly EndpointQueue[]): Promise<void> {
    const { connection, clock } = this.#deps
    const asked = turns.flatMap((queue) => queue.nextConversations().map((one) => ({ queue, ...one })))
    if (asked.length === 0) return
    const began = performance.now()
    const found = await fetchConversations(connection, asked).catch((error: unknown) => {
      for (const { queue, ...one } of asked) queue.conversationsFailed([one])
      throw error
    })
    this.#count(found.length, began)
    const rows = Map.groupBy(found, nameOf)
    const first = new Map(found.map((row) => [row.endpointId, row]))
    const outdated = asked.map(({ queue }) => queue).filter((queue) => isStale(queue, first.get(queue.id)))
    await this.#readAnew([...new Set(outdated)])
    const now = clock.now()
    for (const { queue, ...one } of asked) {
      if (queue.isStale) queue.conversationsFailed([one])
      else queue.addConversation(one, rows.get(nameOf(one)) ?? [], now)
    }
  }

  async #readFor(asked: readonly { queue: EndpointQueue; wanted: FetchRequest }[], now: Date): Promise<void> {
    const { connection, queues } = this.#deps
    const began = performance.now()
    const wishes = asked.map(({ wanted }) => wanted)
    const found = await fetchDue(connection, wishes, now).catch((error: unknown) => {
      for (const { queue } of asked) queue.look()
      throw error
    })
    faultPoint('fetch')
    this.#count(found.length, began)
    const byEndpoint = Map.groupBy(found, ({ endpointId }) => endpointId)
    await this.#readAnew(
      asked.filter(({ queue }) => isStale(queue, byEndpoint.get(queue.id)?.[0])).map(({ queue }) => queue),
    )
    for (const { queue, wanted } of asked) {
      if (queue.isStale) {
        // It was changed while this was being read.
        queue.look()
        queues.needsFetch.add(queue)
        continue
      }
      queue.add(byEndpoint.get(queue.id) ?? [], wanted)
    }
  }

  #count(delivery: number, began: number): void {
    const { metrics } = this.#deps
    metrics.fetched.inc(delivery)
    metrics.fetchDuration.observe((performance.now() - began) / 1000)
  }

  /** What it holds all waits for something in flight: other conversations' turn. */
  async #readHeads(queue: EndpointQueue): Promise<void> {
    const { connection, clock } = this.#deps
    const asked = queue.nextHeads()
    if (asked === null) return
    const began = performance.now()
    const { heads, last } = await fetchConversationHeads(connection, queue.id, { ...asked, now: clock.now() })
    this.#count(heads.length, began)
    if (!queue.isStale) queue.addHeads(heads, last)
  }
}

function isStale(queue: EndpointQueue, found: PendingDelivery | undefined): boolean {
  return found !== undefined && found.version !== queue.row.version
}

function nameOf({ endpointId, conversationId }: { endpointId: string; conversationId: string | null }): string {
  return `${endpointId} ${conversationId}`
}
