import type { Clock } from '../../infra/clock.ts'
import type { Roster } from '../cluster/membership.ts'
import { faultPoint } from '../fault-injection.ts'
import type { DispatchMetrics } from '../metrics.ts'
import type { Session } from '../store/connection.ts'
import { adopt, findWork, readEndpoints } from '../store/endpoints.ts'
import {
  type Claimed,
  claim,
  claimConversations,
  claimHeads,
  claimThese,
  findCandidates,
  HASTENED,
  hastenReplays,
  type Wanted,
  waitingConversations,
} from '../store/fetch-due.ts'
import type { EndpointQueue } from './endpoint-queue.ts'
import type { Queues } from './endpoint-queues.ts'

export interface ReaderDeps {
  readonly clock: Clock
  readonly session: Session
  readonly roster: Roster
  readonly queues: Queues
  readonly metrics: DispatchMetrics
  readonly databaseFailed: (error: unknown) => void
}

/** Deliveries that are read and not recorded, at most. */
const MAX_HELD = 4000
/** Endpoints that one statement is about. */
const MAX_ASKED = 200
/** Conversations that one step of a walk finds. */
const WALKED = 50
/** How often it looks for what no wake-up told it: least, and when that is so expensive that it should be rarer. */
const POLL_MS = 1000
const POLL_SHARE = 20
const MAX_POLL_MS = 10_000

/** Finds out where something is due, and reads what is next for the endpoints that belong to this process. */
export class Reader {
  readonly #deps: ReaderDeps
  /** Ids of endpoints that have work, fall to this process, and are not yet its own. */
  readonly #strangers = new Set<string>()
  #mustLook = true
  #isStopping = false
  #reading: Promise<void> | null = null
  #lookTimer: NodeJS.Timeout | undefined
  #lookAt = Number.POSITIVE_INFINITY
  /** How long the last look took, in milliseconds. */
  #lookTook = 0

  constructor(deps: ReaderDeps) {
    this.#deps = deps
  }

  /** @param names ids of endpoints that got something, separated by spaces; empty: look everywhere */
  wake(names: string): void {
    if (this.#isStopping) return
    if (names === '') this.#mustLook = true
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
      queue.isOutdated = true
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
        this.lookWithin(POLL_MS)
        this.#hasRead(false)
      },
    )
  }

  /** After a failure, the next beat that gets through goes on; so it does when this process is not trusted. */
  #hasRead(isWell: boolean): void {
    this.#reading = null
    if (isWell && this.#deps.roster.isTrusted) this.goOn()
  }

  /** Looks at everything in so many milliseconds, or earlier. */
  lookWithin(ms: number): void {
    const at = performance.now() + ms
    if (this.#isStopping || at >= this.#lookAt) return
    clearTimeout(this.#lookTimer)
    this.#lookAt = at
    this.#lookTimer = setTimeout(() => {
      this.#lookAt = Number.POSITIVE_INFINITY
      this.wake('')
    }, ms)
  }

  /** Waits for the statement that is under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#lookTimer)
    await this.#reading
  }

  #hasToRead(): boolean {
    const { queues } = this.#deps
    return this.#mustLook || this.#strangers.size > 0 || (queues.hungry.size > 0 && queues.heldCount < MAX_HELD)
  }

  async #readAll(): Promise<void> {
    while (!this.#isStopping && this.#deps.roster.isTrusted && this.#hasToRead()) {
      if (this.#mustLook) await this.#lookEverywhere()
      if (this.#strangers.size > 0) await this.#adoptStrangers()
      await this.#readOnce()
    }
  }

  #hasWork(id: string): EndpointQueue | undefined {
    const { queues, roster } = this.#deps
    const queue = queues.get(id)
    if (queue !== undefined) {
      queue.look()
      queues.hungry.add(queue)
    } else if (roster.isMine(id)) this.#strangers.add(id)
    return queue
  }

  /** Finds work that no wake-up told of, and reads anew what is known of endpoints for which something is held. */
  async #lookEverywhere(): Promise<void> {
    const { session, clock, queues } = this.#deps
    this.#mustLook = false
    clearTimeout(this.#lookTimer)
    this.#lookAt = Number.POSITIVE_INFINITY
    const began = performance.now()
    for (const { id, askedAt } of await findWork(session, clock.now())) this.#hasWork(id)?.found(askedAt)
    await this.#readAnew([...queues.all()].filter(({ heldCount }) => heldCount > 0))
    const took = performance.now() - began
    // One that was slow by chance, such as the first, which connects, makes nothing late.
    const cost = Math.min(took, this.#lookTook)
    this.#lookTook = took
    this.lookWithin(Math.min(Math.max(POLL_MS, POLL_SHARE * cost), MAX_POLL_MS))
  }

  /** Endpoints that are gone, or another process's, are forgotten; what is disabled is dropped. */
  async #readAnew(outdated: readonly EndpointQueue[]): Promise<void> {
    if (outdated.length === 0) return
    const { session, roster, queues } = this.#deps
    const ids = outdated.map(({ id }) => id)
    const rows = new Map((await readEndpoints(session, roster.id, ids)).map((row) => [row.id, row]))
    for (const queue of outdated) {
      const row = rows.get(queue.id)
      if (row === undefined) queues.remove(queue)
      else queue.refresh(row)
    }
  }

  async #adoptStrangers(): Promise<void> {
    const { session, roster, queues } = this.#deps
    const ids = [...this.#strangers].slice(0, MAX_ASKED)
    await adopt(session, roster.id, ids)
    for (const row of await readEndpoints(session, roster.id, ids)) {
      if (queues.get(row.id) === undefined) queues.add(row)
    }
    // Those that another process still has are found again by a look.
    for (const id of ids) this.#strangers.delete(id)
  }

  async #readOnce(): Promise<void> {
    const { session, clock, queues } = this.#deps
    const now = clock.now()
    await this.#readAnew(queues.hungry.all().filter(({ isOutdated }) => isOutdated))
    const asked: { queue: EndpointQueue; wanted: Wanted }[] = []
    const turns: EndpointQueue[] = []
    let room = Math.min(session.batch.read, MAX_HELD - queues.heldCount)
    while (room > 0 && turns.length < MAX_ASKED) {
      const queue = queues.hungry.next()
      if (queue === undefined) break
      turns.push(queue)
      const wanted = queue.wants()
      if (wanted === null) continue
      queue.asking(wanted)
      asked.push({ queue, wanted })
      room -= wanted.firsts + wanted.retries + wanted.replays
    }
    if (asked.length > 0) await this.#readFor(asked, now)
    for (const queue of turns) {
      if (queue.wantsProbe(now)) await this.#readProbe(queue)
      await this.#walk(queue)
    }
    await this.#readConversations(turns)
    for (const queue of turns) await this.#readHeads(queue)
    for (const queue of turns) queues.consider(queue, clock.now())
  }

  /** Reads something that tries an endpoint's receiver. */
  async #readProbe(queue: EndpointQueue): Promise<void> {
    const { session, clock } = this.#deps
    const began = performance.now()
    const { deliveryId, withFirsts } = queue.askProbe()
    try {
      const candidates = await findCandidates(session, queue.id, deliveryId, withFirsts)
      const ids = queue.chooseProbe(candidates)
      const found = ids.length === 0 ? [] : await claimThese(session, queue.id, ids)
      this.#count(found.length, began)
      if (isOutdated(queue, found[0])) queue.isOutdated = true
      if (queue.isOutdated) queue.unaskProbe()
      else queue.addProbe(found, candidates.length === 0, clock.now())
    } catch (error) {
      queue.unaskProbe()
      throw error
    }
  }

  /** After an outage, all conversations in which something waits are read, a few at a time. */
  async #walk(queue: EndpointQueue): Promise<void> {
    const { session, clock } = this.#deps
    // What was replayed in bulk keeps no order with what is live: it is only made due.
    if (queue.mustHasten && (await hastenReplays(session, queue.id, clock.now())) < HASTENED) queue.hastened()
    for (let after = queue.walkAfter; after !== null; after = queue.walkAfter) {
      const { ids, end } = await waitingConversations(session, queue.id, after, WALKED)
      if (queue.walkAfter !== after) return
      queue.walked(ids, end)
    }
  }

  /** Reads conversations by themselves that keep an order between first attempts and retries. */
  async #readConversations(turns: readonly EndpointQueue[]): Promise<void> {
    const { session, clock } = this.#deps
    const asked = turns.flatMap((queue) => queue.askConversations().map((one) => ({ queue, ...one })))
    if (asked.length === 0) return
    const began = performance.now()
    const found = await claimConversations(session, asked).catch((error: unknown) => {
      for (const { queue, ...one } of asked) queue.unaskConversations([one])
      throw error
    })
    this.#count(found.length, began)
    const rows = Map.groupBy(found, nameOf)
    const first = new Map(found.map((row) => [row.endpointId, row]))
    const outdated = asked.map(({ queue }) => queue).filter((queue) => isOutdated(queue, first.get(queue.id)))
    await this.#readAnew([...new Set(outdated)])
    const now = clock.now()
    for (const { queue, ...one } of asked) {
      if (queue.isOutdated) queue.unaskConversations([one])
      else queue.addConversation(one, rows.get(nameOf(one)) ?? [], now)
    }
  }

  async #readFor(asked: readonly { queue: EndpointQueue; wanted: Wanted }[], now: Date): Promise<void> {
    const { session, queues } = this.#deps
    const began = performance.now()
    const wishes = asked.map(({ wanted }) => wanted)
    const found = await claim(session, wishes, now).catch((error: unknown) => {
      for (const { queue } of asked) queue.look()
      throw error
    })
    faultPoint('claim')
    this.#count(found.length, began)
    const byEndpoint = Map.groupBy(found, ({ endpointId }) => endpointId)
    await this.#readAnew(
      asked.filter(({ queue }) => isOutdated(queue, byEndpoint.get(queue.id)?.[0])).map(({ queue }) => queue),
    )
    for (const { queue, wanted } of asked) {
      if (queue.isOutdated) {
        // It was changed while this was being read.
        queue.look()
        queues.hungry.add(queue)
        continue
      }
      queue.add(byEndpoint.get(queue.id) ?? [], wanted)
    }
  }

  #count(claimed: number, began: number): void {
    const { metrics } = this.#deps
    metrics.fetched.inc(claimed)
    metrics.fetchDuration.observe((performance.now() - began) / 1000)
  }

  /** What it holds all waits for something in flight: other conversations' turn. */
  async #readHeads(queue: EndpointQueue): Promise<void> {
    const { session, clock } = this.#deps
    const asked = queue.askHeads()
    if (asked === null) return
    const began = performance.now()
    const { heads, last } = await claimHeads(session, queue.id, { ...asked, now: clock.now() })
    this.#count(heads.length, began)
    if (!queue.isOutdated) queue.addHeads(heads, last)
  }
}

function isOutdated(queue: EndpointQueue, found: Claimed | undefined): boolean {
  return found !== undefined && found.version !== queue.row.version
}

function nameOf({ endpointId, conversationId }: { endpointId: string; conversationId: string | null }): string {
  return `${endpointId} ${conversationId}`
}
