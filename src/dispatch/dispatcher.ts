import { DISPATCH_TOPIC, ENDPOINTS_TOPIC } from '../domain/events.ts'
import type { Bus } from '../infra/bus.ts'
import type { Clock } from '../infra/clock.ts'
import type { Database } from '../infra/db.ts'
import type { Log } from '../infra/log.ts'
import type { TargetPolicy } from '../infra/net.ts'
import type { Vault } from '../infra/secrets.ts'
import { Capacity, YOUNG_MS } from './capacity.ts'
import { type Claimed, claim, claimHeads, type Wanted } from './claim.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { adopt, findWork, giveBack, readEndpoints } from './endpoints.ts'
import { faultPoint } from './fault-points.ts'
import { HealthRecorder } from './health-recorder.ts'
import { Load } from './load.ts'
import { decide, decideTest, isStrain, type Outcome } from './outcome.ts'
import { type Ended, Recorder } from './recorder.ts'
import { BEAT_MS, Roster } from './roster.ts'
import { createSending, type Sending, type Sent } from './sending.ts'
import { openSession, type Session } from './session.ts'
import type { Result } from './settle.ts'
import { Turns } from './turns.ts'

export interface DispatcherDeps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  /** Stands in the User-Agent. */
  readonly version: string
  /** People wait for answers of this process too: sending gives way to them. */
  readonly sharesProcess: boolean
}

export interface Counters {
  claimed: number
  delivered: number
  failedAttempts: number
  breakersOpened: number
  breakersClosed: number
}

export interface Dispatcher {
  /** What it has done since it started. */
  readonly counters: Readonly<Counters>
  /** Claims nothing more, waits for what is being sent, records it, gives its endpoints back. */
  stop(): Promise<void>
}

/** Deliveries that are read and not recorded, at most; and characters of their bodies. */
const MAX_HELD = 4000
/** Deliveries that one claim reads, and endpoints that it asks for. */
const BATCH = 500
const MAX_ASKED = 200
/** Requests that begin before others get a turn of the event loop. */
const BURST = 32
/** How often it looks for what no wake-up told it: least, and when that is so expensive that it should be rarer. */
const POLL_MS = 1000
const POLL_SHARE = 20
const MAX_POLL_MS = 10_000
const FAULT_PAUSE_MS = 5000
const STOP_MS = 8000
/** An endpoint without anything to do is given back after this long. */
const IDLE_MS = 600_000

/** Turns deliveries into signed requests: claim → sign → send → settle, woken by the bus, polling as the fallback. */
export async function startDispatcher(deps: DispatcherDeps): Promise<Dispatcher> {
  const run = new Run(deps)
  await run.start()
  return run
}

/** docs/architecture.md, "Dispatching", is the map of this file. */
class Run implements Dispatcher {
  readonly counters: Counters = { claimed: 0, delivered: 0, failedAttempts: 0, breakersOpened: 0, breakersClosed: 0 }
  readonly #deps: DispatcherDeps
  readonly #sending: Sending
  /** Connections of its own for each loop: living, reading, writing results, writing health. */
  readonly #sessions: { life: Session; claim: Session; settle: readonly Session[]; health: Session }
  readonly #roster: Roster
  readonly #recorder: Recorder
  readonly #health: HealthRecorder
  readonly #load: Load | null
  /** Endpoints that belong to this process. */
  readonly #queues = new Map<string, EndpointQueue>()
  /** Those that something should be read for, and those that something can be sent to. */
  readonly #hungry = new Turns<EndpointQueue>()
  readonly #sendable = new Turns<EndpointQueue>()
  /** Ids of endpoints that have work, fall to this process, and are not yet its own. */
  readonly #strangers = new Set<string>()
  #unsubscribe: (() => void)[] = []
  readonly #capacity = new Capacity()
  #pumpTimer: NodeJS.Timeout | undefined
  #isStopping = false
  #isPumping = false
  #mustLook = true
  #claiming: Promise<void> | null = null
  #lookTimer: NodeJS.Timeout | undefined
  #lookAt = Number.POSITIVE_INFINITY
  #living: Promise<void> = Promise.resolve()
  #lifeTimer: NodeJS.Timeout | undefined
  #isDatabaseAway = false

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#sending = createSending(deps)
    const open = () => openSession(deps.db)
    this.#sessions = { life: open(), claim: open(), settle: [open(), open()], health: open() }
    this.#roster = new Roster(this.#sessions.life)
    this.#load = deps.sharesProcess ? new Load() : null
    this.#health = new HealthRecorder({ ...deps, session: this.#sessions.health, roster: this.#roster })
    this.#recorder = new Recorder({
      ...deps,
      sessions: this.#sessions.settle,
      roster: this.#roster,
      health: this.#health,
      recorded: (ended) => this.#recorded(ended),
      lost: () => this.#loseEverything(),
    })
  }

  async start(): Promise<void> {
    await this.#roster.join(this.#deps.db.exclusive)
    this.#unsubscribe = [
      this.#deps.bus.subscribe(DISPATCH_TOPIC, (names) => this.#wake(names)),
      this.#deps.bus.subscribe(ENDPOINTS_TOPIC, (names) => this.#endpointsChanged(names)),
    ]
    this.#lifeTimer = setTimeout(() => this.#live(), BEAT_MS)
    this.#wake('')
  }

  // Living: who belongs to whom.

  #live(): void {
    this.#living = this.#beat()
      .catch((error: unknown) => this.#databaseIsAway(error))
      .finally(() => {
        if (!this.#isStopping) this.#lifeTimer = setTimeout(() => this.#live(), BEAT_MS)
      })
  }

  async #beat(): Promise<void> {
    const found = await this.#roster.beat(this.#load?.isShedding ?? false)
    if (found === 'lost') {
      this.#deps.log.warn('this dispatcher was counted as gone; it begins anew')
      this.#loseEverything()
      await this.#roster.join(false)
    }
    if (this.#isDatabaseAway) this.#deps.log.info('the database is back')
    this.#isDatabaseAway = false
    this.#recorder.resume()
    await this.#giveBackWhatIsNotMine()
    if (found !== 'same') this.#wake('')
    // Breakers and faults end by time alone.
    for (const queue of this.#queues.values()) this.#consider(queue)
    if (this.#hasToRead()) this.#claimSoon()
    this.#pump()
  }

  async #giveBackWhatIsNotMine(): Promise<void> {
    const idleBefore = performance.now() - IDLE_MS
    const leaving: string[] = []
    for (const queue of this.#queues.values()) {
      if (!this.#roster.isMine(queue.id) || (queue.heldCount === 0 && queue.usedAt < idleBefore)) {
        queue.isLeaving = true
        queue.drop()
      }
      if (queue.isLeaving && queue.heldCount === 0) leaving.push(queue.id)
    }
    if (leaving.length === 0) return
    for (const id of leaving) this.#removeQueue(id)
    await giveBack(this.#sessions.life, this.#roster.id, leaving)
    this.#deps.bus.wake(DISPATCH_TOPIC)
  }

  #removeQueue(id: string): void {
    const queue = this.#queues.get(id)
    if (queue === undefined) return
    queue.isLeaving = true
    queue.drop()
    this.#hungry.remove(queue)
    this.#sendable.remove(queue)
    this.#queues.delete(id)
  }

  /** What is in flight ends by itself; its results are refused. */
  #loseEverything(): void {
    for (const id of [...this.#queues.keys()]) this.#removeQueue(id)
    this.#recorder.clear()
    this.#health.clear()
  }

  #databaseIsAway(error: unknown): void {
    if (!this.#isDatabaseAway) this.#deps.log.error({ err: error }, 'the database does not answer; trying again')
    this.#isDatabaseAway = true
  }

  // Reading: what is next.

  /** What was read ahead is dropped before anything more of it is sent. */
  #endpointsChanged(names: string): void {
    const changed = names === '' ? this.#queues.keys() : names.split(' ')
    for (const id of changed) {
      const queue = this.#queues.get(id)
      if (queue === undefined) continue
      queue.drop()
      queue.isOutdated = true
    }
    this.#wake(names)
  }

  /** @param names ids of endpoints that got something, separated by spaces; empty: look everywhere */
  #wake(names: string): void {
    if (this.#isStopping) return
    if (names === '') this.#mustLook = true
    else {
      for (const id of names.split(' ')) {
        const queue = this.#queues.get(id)
        if (queue !== undefined) {
          queue.look()
          this.#hungry.add(queue)
        } else if (this.#roster.isMine(id)) this.#strangers.add(id)
      }
    }
    this.#claimSoon()
  }

  #claimSoon(): void {
    if (this.#isStopping) return
    this.#claiming ??= this.#claimAll()
      .catch((error: unknown) => {
        this.#databaseIsAway(error)
        this.#lookWithin(POLL_MS)
      })
      .finally(() => {
        this.#claiming = null
        // Without trust nothing would be read, at once and for ever: the next beat that gets through goes on.
        if (!this.#isDatabaseAway && this.#roster.isTrusted && this.#hasToRead()) this.#claimSoon()
      })
  }

  #hasToRead(): boolean {
    return this.#mustLook || this.#strangers.size > 0 || (this.#hungry.size > 0 && this.#heldCount() < MAX_HELD)
  }

  async #claimAll(): Promise<void> {
    while (!this.#isStopping && this.#roster.isTrusted && this.#hasToRead()) {
      if (this.#mustLook) await this.#lookEverywhere()
      if (this.#strangers.size > 0) await this.#adoptStrangers()
      await this.#claimOnce()
    }
  }

  /** Finds work that no wake-up told of, and reads anew what is known of endpoints for which something is held. */
  async #lookEverywhere(): Promise<void> {
    this.#mustLook = false
    clearTimeout(this.#lookTimer)
    this.#lookAt = Number.POSITIVE_INFINITY
    const began = performance.now()
    for (const { id } of await findWork(this.#sessions.claim, this.#deps.clock.now())) {
      const queue = this.#queues.get(id)
      if (queue !== undefined) {
        queue.look()
        queue.lookForTests()
        this.#hungry.add(queue)
      } else if (this.#roster.isMine(id)) this.#strangers.add(id)
    }
    await this.#readAnew([...this.#queues.values()].filter(({ heldCount }) => heldCount > 0))
    this.#isDatabaseAway = false
    const took = performance.now() - began
    this.#lookWithin(Math.min(Math.max(POLL_MS, POLL_SHARE * took), MAX_POLL_MS))
  }

  #lookWithin(ms: number): void {
    const at = performance.now() + ms
    if (at >= this.#lookAt) return
    clearTimeout(this.#lookTimer)
    this.#lookAt = at
    this.#lookTimer = setTimeout(() => {
      this.#lookAt = Number.POSITIVE_INFINITY
      this.#wake('')
    }, ms)
  }

  /** Endpoints that are gone, or another process's, are forgotten; what is disabled is dropped. */
  async #readAnew(queues: readonly EndpointQueue[]): Promise<void> {
    if (queues.length === 0) return
    const rows = await readEndpoints(
      this.#sessions.claim,
      this.#roster.id,
      queues.map(({ id }) => id),
    )
    const found = new Map(rows.map((row) => [row.id, row]))
    for (const queue of queues) {
      const row = found.get(queue.id)
      if (row === undefined) this.#removeQueue(queue.id)
      else queue.refresh(row)
    }
  }

  async #adoptStrangers(): Promise<void> {
    const ids = [...this.#strangers].slice(0, BATCH)
    await adopt(this.#sessions.claim, this.#roster.id, ids)
    for (const row of await readEndpoints(this.#sessions.claim, this.#roster.id, ids)) {
      if (this.#queues.has(row.id)) continue
      const queue = new EndpointQueue(row)
      this.#queues.set(row.id, queue)
      this.#hungry.add(queue)
    }
    // Those that another process still has are found again by a look.
    for (const id of ids) this.#strangers.delete(id)
  }

  #heldCount(): number {
    let count = 0
    for (const { heldCount } of this.#queues.values()) count += heldCount
    return count
  }

  async #claimOnce(): Promise<void> {
    const now = this.#deps.clock.now()
    await this.#readAnew(this.#hungry.all().filter(({ isOutdated }) => isOutdated))
    const asked: { queue: EndpointQueue; wanted: Wanted }[] = []
    const stalled: EndpointQueue[] = []
    let room = Math.min(BATCH, MAX_HELD - this.#heldCount())
    while (room > 0 && asked.length < MAX_ASKED) {
      const queue = this.#hungry.next()
      if (queue === undefined) break
      const wanted = queue.wants(now)
      if (wanted === null) {
        stalled.push(queue)
        continue
      }
      queue.asking(wanted)
      asked.push({ queue, wanted })
      room -= wanted.firsts + wanted.retries + wanted.replays
    }
    if (asked.length > 0) await this.#claimFor(asked, now)
    for (const queue of stalled) await this.#claimHeads(queue)
  }

  async #claimFor(asked: readonly { queue: EndpointQueue; wanted: Wanted }[], now: Date): Promise<void> {
    const found = await claim(
      this.#sessions.claim,
      asked.map(({ wanted }) => wanted),
      now,
    ).catch((error: unknown) => {
      for (const { queue } of asked) queue.look()
      throw error
    })
    faultPoint('claim')
    this.counters.claimed += found.length
    const byEndpoint = Map.groupBy(found, ({ endpointId }) => endpointId)
    await this.#readAnew(
      asked.filter(({ queue }) => isOutdated(queue, byEndpoint.get(queue.id))).map(({ queue }) => queue),
    )
    for (const { queue, wanted } of asked) {
      if (queue.isOutdated) {
        // It was changed while this was being read.
        queue.look()
        this.#hungry.add(queue)
        continue
      }
      queue.add(byEndpoint.get(queue.id) ?? [], wanted)
      this.#consider(queue)
    }
  }

  /** What it holds all waits for something in flight: other conversations' turn. */
  async #claimHeads(queue: EndpointQueue): Promise<void> {
    const after = queue.headsAfter(this.#deps.clock.now())
    if (after === null) return
    const { heads, last } = await claimHeads(this.#sessions.claim, queue.id, after, 2 * queue.row.maxInFlight)
    this.counters.claimed += heads.length
    if (!queue.isOutdated) queue.addHeads(heads, last)
    this.#consider(queue)
  }

  /** Puts an endpoint in line for what it can do now. */
  #consider(queue: EndpointQueue, now = this.#deps.clock.now()): void {
    if (this.#queues.get(queue.id) !== queue) return
    if (queue.canSend(now)) {
      this.#sendable.add(queue)
      this.#pump()
    }
    if (queue.isHungry(now)) {
      this.#hungry.add(queue)
      this.#claimSoon()
    }
  }

  // Sending.

  #pump(): void {
    if (this.#isPumping || this.#isStopping) return
    this.#isPumping = true
    // Everything of this turn of the event loop first: completions, then what they make room for.
    setImmediate(() => {
      this.#isPumping = false
      this.#sendBurst()
    })
  }

  #sendBurst(): void {
    if (this.#isStopping || !this.#roster.isTrusted) return
    const now = this.#deps.clock.now()
    const share = this.#load?.share ?? 1
    const passedOver: EndpointQueue[] = []
    for (let begun = 0; begun < BURST && !this.#capacity.isFull(share); ) {
      const queue = this.#sendable.next()
      if (queue === undefined) break
      if (!this.#capacity.hasRoomFor(queue, share)) {
        passedOver.push(queue)
        continue
      }
      const claimed = queue.take(now)
      if (claimed === undefined) continue
      begun++
      this.#send(queue, claimed)
      if (queue.canSend(now)) this.#sendable.add(queue)
    }
    const mayGoOn = this.#sendable.size > 0 && !this.#capacity.isFull(share)
    for (const queue of passedOver) this.#sendable.add(queue)
    if (mayGoOn) this.#pump()
    // What is in flight grows older, or ends and comes here again.
    else if (this.#sendable.size > 0) this.#pumpTimer ??= setTimeout(() => this.#pumpAgain(), YOUNG_MS)
  }

  #pumpAgain(): void {
    this.#pumpTimer = undefined
    this.#pump()
  }

  #send(queue: EndpointQueue, claimed: Claimed): void {
    const token = this.#capacity.begin()
    void this.#sending.send(claimed, queue.row).then((sent) => {
      this.#capacity.end(token)
      this.#ended(queue, claimed, sent)
    })
  }

  #ended(queue: EndpointQueue, claimed: Claimed, { exchange, startedAt, durationMs }: Sent): void {
    const { clock, log } = this.#deps
    const now = clock.now()
    const number = claimed.attempts + 1
    const outcome = claimed.isTest ? decideTest(exchange, now) : decide(exchange, number, now, clock.random())
    const { id: deliveryId, endpointId, type } = claimed
    const answered = exchange.kind === 'answered'
    const what = answered ? { statusCode: exchange.statusCode } : { error: exchange.error }
    const line = { deliveryId, endpointId, type, attempt: number, durationMs, ...what, next: outcome.next }
    log[outcome.next === 'delivered' ? 'debug' : 'info'](line, 'attempt')
    if (outcome.next === 'release') {
      queue.faultUntil = performance.now() + FAULT_PAUSE_MS
      queue.unsent(claimed)
    } else {
      if (outcome.next === 'gone') queue.disable()
      queue.ended(claimed, { isRetried: outcome.next === 'retry' })
      if (!claimed.isTest) this.#judge(queue, isStrain(exchange), now)
      const result: Result = {
        id: deliveryId,
        number,
        startedAt,
        durationMs,
        statusCode: answered ? exchange.statusCode : null,
        response: answered ? exchange.response : null,
        error: answered ? null : exchange.error,
        ...stateAfter(outcome),
      }
      if (outcome.next === 'delivered') this.counters.delivered++
      else this.counters.failedAttempts++
      if (this.#queues.get(queue.id) === queue || queue.isLeaving) {
        this.#recorder.push({ queue, claimed, result, isGone: outcome.next === 'gone' })
      }
    }
    this.#consider(queue, now)
    this.#pump()
  }

  /** Allowance and breaker: how much goes there from now on. */
  #judge(queue: EndpointQueue, isStrained: boolean, now: Date): void {
    if (isStrained) queue.strained()
    else queue.succeeded()
    const wasOpen = queue.breaker.isOpen
    const changed = isStrained ? queue.breaker.failed(now, this.#deps.clock.random()) : queue.breaker.succeeded(now)
    if (!changed) return
    this.#health.breakerChanged(queue)
    const { isOpen } = queue.breaker
    if (isOpen && !wasOpen) {
      this.counters.breakersOpened++
      queue.drop()
    }
    if (!isOpen) this.counters.breakersClosed++
    if (isOpen === wasOpen && !isOpen) return
    const { probeAt } = queue.breaker.row
    this.#deps.log.warn({ endpointId: queue.id, isOpen, probeAt }, 'breaker')
    if (probeAt !== null)
      setTimeout(() => this.#consider(queue), Math.max(0, probeAt.getTime() - now.getTime())).unref()
  }

  // Recording.

  #recorded(ended: readonly Ended[]): void {
    const now = this.#deps.clock.now().getTime()
    let soonest = Number.POSITIVE_INFINITY
    const queues = new Set<EndpointQueue>()
    for (const { queue, claimed, result } of ended) {
      queue.forget(claimed)
      queues.add(queue)
      if (result.due !== null) soonest = Math.min(soonest, result.due.getTime())
    }
    for (const queue of queues) this.#consider(queue)
    if (this.#hungry.size > 0) this.#claimSoon()
    // A retry is not late by a poll.
    if (soonest < now + 60_000) this.#lookWithin(Math.max(0, soonest - now))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    clearTimeout(this.#lifeTimer)
    clearTimeout(this.#lookTimer)
    clearTimeout(this.#pumpTimer)
    await this.#living
    await this.#claiming
    const until = performance.now() + STOP_MS
    const isBusy = () => this.#capacity.inFlight > 0 || !this.#recorder.isIdle
    while (isBusy() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
    this.#load?.close()
    this.#sending.close()
    if (!this.#isDatabaseAway) {
      await this.#health.close()
      await this.#roster.leave()
      this.#deps.bus.wake(DISPATCH_TOPIC)
    }
    await Promise.all(
      Object.values(this.#sessions)
        .flat()
        .map((session) => session.close()),
    )
  }
}

function isOutdated(queue: EndpointQueue, found: readonly Claimed[] | undefined): boolean {
  const [first] = found ?? []
  return first !== undefined && first.version !== queue.row.version
}

function stateAfter(outcome: Exclude<Outcome, { next: 'release' }>): Pick<Result, 'status' | 'due'> {
  if (outcome.next === 'delivered') return { status: 'DELIVERED', due: null }
  return outcome.next === 'retry' ? { status: 'PENDING', due: outcome.at } : { status: 'FAILED', due: null }
}
