import { DISPATCH_TOPIC, ENDPOINTS_TOPIC } from '../domain/events/events.ts'
import type { Clock } from '../infra/clock.ts'
import type { Database } from '../infra/database/db.ts'
import type { Log } from '../infra/log.ts'
import type { Metrics } from '../infra/metrics.ts'
import type { TargetPolicy } from '../infra/net/target-policy.ts'
import type { Bus } from '../infra/redis/bus.ts'
import type { Vault } from '../infra/secrets.ts'
import { Load } from './backpressure-monitor.ts'
import { BEAT_MS, Roster } from './cluster/membership.ts'
import { type DispatcherStatus, dispatchMetrics, registerStatus } from './metrics.ts'
import type { EndpointQueue } from './queue/endpoint-queue.ts'
import { Queues } from './queue/endpoint-queues.ts'
import { Reader } from './queue/fetcher.ts'
import { Attempts } from './record/attempt-handler.ts'
import { type Ended, Recorder } from './record/attempt-writer.ts'
import { HealthRecorder } from './record/health-writer.ts'
import { Pump } from './send/send-loop.ts'
import { createSending, type Sending } from './send/sender.ts'
import { openSession, type Session } from './store/connection.ts'
import { giveBack } from './store/endpoints.ts'

export interface DispatcherDeps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly counts: { rowsSetAside: number }
  readonly metrics: Metrics
  /** Stands in the User-Agent. */
  readonly version: string
  /** People wait for answers of this process too: sending gives way to them. */
  readonly sharesProcess: boolean
}

export interface Dispatcher {
  /** Claims nothing more, waits for what is being sent, records it, gives its endpoints back. */
  stop(): Promise<void>
}

const STOP_MS = 8000
/** The next beat's wait after its connection was lost: others must see it soon. No shorter, lest it be lost over and over. */
const LOST_MS = 100
/** With more deliveries in memory than these, the API goes first on the embedded database. */
const BEHIND = 100
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
  readonly #deps: DispatcherDeps
  readonly #sending: Sending
  /** Connections of its own for each loop: living, reading, writing results (one more when they are many), writing health. */
  readonly #sessions: Readonly<Record<'life' | 'claim' | 'settle' | 'spare' | 'health', Session>>
  readonly #roster: Roster
  readonly #queues: Queues
  readonly #reader: Reader
  readonly #pump: Pump
  readonly #recorder: Recorder
  readonly #health: HealthRecorder
  readonly #load: Load | null
  #unsubscribe: (() => void)[] = []
  #isStopping = false
  #living: Promise<void> = Promise.resolve()
  #lifeTimer: NodeJS.Timeout | undefined
  #isDatabaseAway = false

  constructor(given: DispatcherDeps) {
    // Everything here is about how long something waits or lasts. Only what is signed and logged has the time of day.
    const clock: Clock = { ...given.clock, now: () => given.clock.steady() }
    const deps = { ...given, clock }
    this.#deps = deps
    const metrics = dispatchMetrics(given.metrics)
    registerStatus(given.metrics, () => this.#status())
    const isPaused = () => deps.db.disk?.isFull ?? false
    const open = () => openSession(deps.db, () => this.#queues.heldCount > BEHIND)
    const sessions = { life: open(), claim: open(), settle: open(), spare: open(), health: open() }
    this.#sessions = sessions
    const roster = new Roster(sessions.life)
    this.#roster = roster
    this.#load = deps.sharesProcess ? new Load(deps.db) : null
    this.#sending = createSending(given)
    const queues = new Queues({ hungry: () => this.#reader.goOn(), sendable: () => this.#pump.wake() })
    this.#queues = queues
    this.#reader = new Reader({
      clock,
      roster,
      queues,
      metrics,
      session: sessions.claim,
      databaseFailed: (error) => this.#databaseIsAway(error),
    })
    this.#health = new HealthRecorder({ ...deps, session: sessions.health, roster })
    this.#recorder = new Recorder({
      ...deps,
      sessions: [sessions.settle, sessions.spare],
      isPaused,
      roster,
      metrics,
      health: this.#health,
      recorded: (ended) => this.#recorded(ended),
      lost: () => this.#loseEverything(),
    })
    const attempts = new Attempts({ ...deps, queues, metrics, health: this.#health, recorder: this.#recorder })
    this.#pump = new Pump({
      queues,
      roster,
      sending: this.#sending,
      backlog: () => this.#recorder.backlog,
      isPaused: () => isPaused() || this.#isUnclaimed,
      share: () => this.#load?.share ?? 1,
      ended: (queue, claimed, sent) => attempts.ended(queue, claimed, sent),
    })
  }

  async start(): Promise<void> {
    await this.#roster.join(this.#deps.db.exclusive)
    this.#unsubscribe = [
      this.#deps.bus.subscribe(DISPATCH_TOPIC, (names) => this.#reader.wake(names)),
      this.#deps.bus.subscribe(ENDPOINTS_TOPIC, (names) => this.#reader.endpointsChanged(names)),
    ]
    this.#sessions.life.onLost(() => this.#lifeLost())
    this.#deps.db.claim?.onRegained(() => void this.#living.finally(() => this.#beatIn(0)))
    this.#beatIn(BEAT_MS)
    this.#reader.wake('')
  }

  #status(): DispatcherStatus {
    const queues = [...this.#queues.all()]
    return {
      endpoints: queues.length,
      openBreakers: queues.filter(({ breaker }) => breaker.isOpen).length,
      prefetched: this.#queues.heldCount,
      inFlight: this.#pump.inFlight,
      throttleRatio: this.#load?.share ?? 1,
    }
  }

  #live(): void {
    this.#living = this.#beat()
      .catch((error: unknown) => this.#databaseIsAway(error))
      .finally(() => this.#beatIn(BEAT_MS))
  }

  #beatIn(ms: number): void {
    clearTimeout(this.#lifeTimer)
    if (!this.#isStopping) this.#lifeTimer = setTimeout(() => this.#live(), ms)
  }

  /** Until the next beat gets through, no request begins. While the database is away, early ones would only fail. */
  #lifeLost(): void {
    if (this.#isStopping || this.#isDatabaseAway) return
    this.#deps.log.warn('the connection that shows that this dispatcher lives was lost')
    void this.#living.finally(() => this.#beatIn(LOST_MS))
  }

  /** Another process may believe that it is alone: no request begins, and others take the endpoints, if there are any. */
  get #isUnclaimed(): boolean {
    return (this.#deps.db.claim?.lost ?? null) !== null
  }

  async #beat(): Promise<void> {
    const found = await this.#roster.beat(this.#isUnclaimed || (this.#load?.isShedding ?? false))
    if (found === 'lost') {
      this.#deps.log.warn('this dispatcher was counted as gone; it begins anew')
      this.#loseEverything()
      await this.#roster.join(false)
    }
    if (this.#isDatabaseAway) this.#deps.log.info('the database is back')
    this.#isDatabaseAway = false
    this.#recorder.resume()
    await this.#giveBackWhatIsNotMine()
    if (found !== 'same') this.#reader.wake('')
    // Breakers and faults end by time alone.
    const now = this.#deps.clock.now()
    for (const queue of this.#queues.all()) this.#consider(queue, now)
    this.#reader.goOn()
    this.#pump.wake()
  }

  #consider(queue: EndpointQueue, now: Date): void {
    if (queue.isUnwritten) this.#health.changed(queue)
    this.#queues.consider(queue, now)
  }

  async #giveBackWhatIsNotMine(): Promise<void> {
    const idleBefore = performance.now() - IDLE_MS
    const leaving: EndpointQueue[] = []
    for (const queue of this.#queues.all()) {
      if (!this.#roster.isMine(queue.id) || (queue.heldCount === 0 && queue.usedAt < idleBefore)) {
        queue.isLeaving = true
        queue.drop()
      }
      if (queue.isLeaving && queue.heldCount === 0) leaving.push(queue)
    }
    if (leaving.length === 0) return
    for (const queue of leaving) this.#queues.remove(queue)
    const ids = leaving.map(({ id }) => id)
    await giveBack(this.#sessions.life, this.#roster.id, ids)
    this.#deps.bus.wake(DISPATCH_TOPIC)
  }

  /** What is in flight ends by itself; its results are refused. */
  #loseEverything(): void {
    for (const queue of this.#queues.all()) this.#queues.remove(queue)
    this.#recorder.clear()
    this.#health.clear()
  }

  #databaseIsAway(error: unknown): void {
    const isKnown = this.#isDatabaseAway || this.#deps.db.disk?.isFull
    if (!isKnown) this.#deps.log.error({ err: error }, 'the database does not answer; trying again')
    this.#isDatabaseAway = true
  }

  #recorded(ended: readonly Ended[]): void {
    const now = this.#deps.clock.now()
    let soonest = Number.POSITIVE_INFINITY
    const queues = new Set<EndpointQueue>()
    for (const { queue, claimed, result } of ended) {
      queue.forget(claimed)
      queues.add(queue)
      if (result.due !== null) soonest = Math.min(soonest, result.due.getTime() - now.getTime())
    }
    for (const queue of queues) this.#consider(queue, now)
    this.#reader.goOn()
    this.#pump.wake()
    // A retry is not late by a poll.
    if (soonest < 60_000) this.#reader.lookWithin(Math.max(0, soonest))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    clearTimeout(this.#lifeTimer)
    this.#pump.stop()
    await this.#living
    await this.#reader.stop()
    const until = performance.now() + STOP_MS
    const isBusy = () => this.#pump.inFlight > 0 || !this.#recorder.isIdle
    while (isBusy() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
    this.#load?.close()
    this.#sending.close()
    if (!this.#isDatabaseAway) {
      await this.#health.close()
      await this.#roster.leave()
      this.#deps.bus.wake(DISPATCH_TOPIC)
    }
    await Promise.all(Object.values(this.#sessions).map((session) => session.close()))
  }
}
