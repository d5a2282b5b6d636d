import { DISPATCH_TOPIC, ENDPOINTS_TOPIC } from '../domain/events/events.ts'
import type { Clock } from '../infra/clock.ts'
import type { Database } from '../infra/database/db.ts'
import type { Log } from '../infra/log.ts'
import type { Metrics } from '../infra/metrics.ts'
import type { TargetPolicy } from '../infra/net/target-policy.ts'
import type { Bus } from '../infra/redis/bus.ts'
import type { Vault } from '../infra/secrets.ts'
import { BackpressureMonitor } from './backpressure-monitor.ts'
import { HEARTBEAT_MS, Membership } from './cluster/membership.ts'
import { type DispatcherStatus, dispatchMetrics, registerStatus } from './metrics.ts'
import type { EndpointQueue } from './queue/endpoint-queue.ts'
import { EndpointQueues } from './queue/endpoint-queues.ts'
import { Fetcher } from './queue/fetcher.ts'
import { AttemptHandler } from './record/attempt-handler.ts'
import { type AttemptWrite, AttemptWriter } from './record/attempt-writer.ts'
import { HealthWriter } from './record/health-writer.ts'
import { SendLoop } from './send/send-loop.ts'
import { createSender, type Sender } from './send/sender.ts'
import { type DbConnection, openConnection } from './store/connection.ts'
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
  readonly #sender: Sender
  /** Connections of its own for each loop: living, reading, writing results (one more when they are many), writing health. */
  readonly #connections: Readonly<Record<'membership' | 'fetch' | 'record' | 'spare' | 'health', DbConnection>>
  readonly #membership: Membership
  readonly #queues: EndpointQueues
  readonly #fetcher: Fetcher
  readonly #sendLoop: SendLoop
  readonly #attemptWriter: AttemptWriter
  readonly #health: HealthWriter
  readonly #backpressure: BackpressureMonitor | null
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
    const open = () => openConnection(deps.db, () => this.#queues.prefetchedCount > BEHIND)
    const connections = { membership: open(), fetch: open(), record: open(), spare: open(), health: open() }
    this.#connections = connections
    const membership = new Membership(connections.membership)
    this.#membership = membership
    this.#backpressure = deps.sharesProcess ? new BackpressureMonitor(deps.db) : null
    this.#sender = createSender(given)
    const queues = new EndpointQueues({ needsFetch: () => this.#fetcher.goOn(), ready: () => this.#sendLoop.wake() })
    this.#queues = queues
    this.#fetcher = new Fetcher({
      clock,
      membership,
      queues,
      metrics,
      connection: connections.fetch,
      databaseFailed: (error) => this.#databaseIsAway(error),
    })
    this.#health = new HealthWriter({ ...deps, connection: connections.health, membership })
    this.#attemptWriter = new AttemptWriter({
      ...deps,
      connections: [connections.record, connections.spare],
      isPaused,
      membership,
      metrics,
      health: this.#health,
      recorded: (ended) => this.#recorded(ended),
      lost: () => this.#loseEverything(),
    })
    const attempts = new AttemptHandler({
      ...deps,
      queues,
      metrics,
      health: this.#health,
      attemptWriter: this.#attemptWriter,
    })
    this.#sendLoop = new SendLoop({
      queues,
      membership,
      sender: this.#sender,
      backlog: () => this.#attemptWriter.backlog,
      isPaused: () => isPaused() || this.#isUnclaimed,
      throttleRatio: () => this.#backpressure?.throttleRatio ?? 1,
      ended: (queue, delivery, sent) => attempts.ended(queue, delivery, sent),
    })
  }

  async start(): Promise<void> {
    await this.#membership.join(this.#deps.db.exclusive)
    this.#unsubscribe = [
      this.#deps.bus.subscribe(DISPATCH_TOPIC, (names) => this.#fetcher.wake(names)),
      this.#deps.bus.subscribe(ENDPOINTS_TOPIC, (names) => this.#fetcher.endpointsChanged(names)),
    ]
    this.#connections.membership.onLost(() => this.#lifeLost())
    this.#deps.db.claim?.onRegained(() => void this.#living.finally(() => this.#beatIn(0)))
    this.#beatIn(HEARTBEAT_MS)
    this.#fetcher.wake('')
  }

  #status(): DispatcherStatus {
    const queues = [...this.#queues.all()]
    return {
      endpoints: queues.length,
      openBreakers: queues.filter(({ breaker }) => breaker.isOpen).length,
      prefetched: this.#queues.prefetchedCount,
      inFlight: this.#sendLoop.inFlight,
      throttleRatio: this.#backpressure?.throttleRatio ?? 1,
    }
  }

  #live(): void {
    this.#living = this.#heartbeat()
      .catch((error: unknown) => this.#databaseIsAway(error))
      .finally(() => this.#beatIn(HEARTBEAT_MS))
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

  async #heartbeat(): Promise<void> {
    const found = await this.#membership.heartbeat(this.#isUnclaimed || (this.#backpressure?.isDraining ?? false))
    if (found === 'lost') {
      this.#deps.log.warn('this dispatcher was counted as gone; it begins anew')
      this.#loseEverything()
      await this.#membership.join(false)
    }
    if (this.#isDatabaseAway) this.#deps.log.info('the database is back')
    this.#isDatabaseAway = false
    this.#attemptWriter.resume()
    await this.#giveBackWhatIsNotMine()
    if (found !== 'same') this.#fetcher.wake('')
    // Breakers and faults end by time alone.
    const now = this.#deps.clock.now()
    for (const queue of this.#queues.all()) this.#reschedule(queue, now)
    this.#fetcher.goOn()
    this.#sendLoop.wake()
  }

  #reschedule(queue: EndpointQueue, now: Date): void {
    if (queue.isUnwritten) this.#health.changed(queue)
    this.#queues.reschedule(queue, now)
  }

  async #giveBackWhatIsNotMine(): Promise<void> {
    const idleBefore = performance.now() - IDLE_MS
    const leaving: EndpointQueue[] = []
    for (const queue of this.#queues.all()) {
      if (!this.#membership.isMine(queue.id) || (queue.prefetchedCount === 0 && queue.usedAt < idleBefore)) {
        queue.isLeaving = true
        queue.drop()
      }
      if (queue.isLeaving && queue.prefetchedCount === 0) leaving.push(queue)
    }
    if (leaving.length === 0) return
    for (const queue of leaving) this.#queues.remove(queue)
    const ids = leaving.map(({ id }) => id)
    await giveBack(this.#connections.membership, this.#membership.id, ids)
    this.#deps.bus.wake(DISPATCH_TOPIC)
  }

  /** What is in flight ends by itself; its results are refused. */
  #loseEverything(): void {
    for (const queue of this.#queues.all()) this.#queues.remove(queue)
    this.#attemptWriter.clear()
    this.#health.clear()
  }

  #databaseIsAway(error: unknown): void {
    const isKnown = this.#isDatabaseAway || this.#deps.db.disk?.isFull
    if (!isKnown) this.#deps.log.error({ err: error }, 'the database does not answer; trying again')
    this.#isDatabaseAway = true
  }

  #recorded(ended: readonly AttemptWrite[]): void {
    const now = this.#deps.clock.now()
    let soonest = Number.POSITIVE_INFINITY
    const queues = new Set<EndpointQueue>()
    for (const { queue, delivery, record } of ended) {
      queue.forget(delivery)
      queues.add(queue)
      if (record.nextAttemptAt !== null) soonest = Math.min(soonest, record.nextAttemptAt.getTime() - now.getTime())
    }
    for (const queue of queues) this.#reschedule(queue, now)
    this.#fetcher.goOn()
    this.#sendLoop.wake()
    // A retry is not late by a poll.
    if (soonest < 60_000) this.#fetcher.pollWithin(Math.max(0, soonest))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    clearTimeout(this.#lifeTimer)
    this.#sendLoop.stop()
    await this.#living
    await this.#fetcher.stop()
    const until = performance.now() + STOP_MS
    const isBusy = () => this.#sendLoop.inFlight > 0 || !this.#attemptWriter.isIdle
    while (isBusy() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
    this.#backpressure?.close()
    this.#sender.close()
    if (!this.#isDatabaseAway) {
      await this.#health.close()
      await this.#membership.leave()
      this.#deps.bus.wake(DISPATCH_TOPIC)
    }
    await Promise.all(Object.values(this.#connections).map((connection) => connection.close()))
  }
}
