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
import { DatabaseAvailability } from './database-availability.ts'
import { type DispatcherStatus, dispatchMetrics, registerStatus } from './metrics.ts'
import type { EndpointQueue } from './queue/endpoint-queue.ts'
import { EndpointQueues } from './queue/endpoint-queues.ts'
import { Fetcher } from './queue/fetcher.ts'
import { AttemptHandler } from './record/attempt-handler.ts'
import { type AttemptWrite, AttemptWriter } from './record/attempt-writer.ts'
import { HealthWriter } from './record/health-writer.ts'
import { SendLoop } from './send/send-loop.ts'
import { createSender, type WebhookSender } from './send/sender.ts'
import { openConnection } from './store/connection.ts'
import { releaseEndpoints } from './store/endpoints.ts'

export interface DispatcherDeps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly counts: { rowsSetAside: number }
  readonly metrics: Metrics
  /** For the User-Agent. */
  readonly version: string
  /** Whether the process also serves the API: requests then have priority over sending. */
  readonly sharesProcess: boolean
}

export interface Dispatcher {
  /** Stops fetching, waits for requests in flight, records them, and releases its endpoints. */
  stop(): Promise<void>
}

const STOP_MS = 8000
/** The wait before the next heartbeat after the connection was lost: other processes must see it soon. */
const HEARTBEAT_AFTER_LOSS_MS = 100
/** With more prefetched deliveries than this, the API has priority on the embedded database. */
const MAX_PREFETCHED_AHEAD_OF_API = 100
/** An endpoint that is unused for this long is released. */
const UNUSED_MS = 600_000
/** Retries that are due within this time are polled for. */
const POLL_FOR_RETRY_MS = 60_000

/** Sends pending deliveries as signed requests. The bus wakes it up; polls find deliveries without a wake-up. */
export async function startDispatcher(given: DispatcherDeps): Promise<Dispatcher> {
  // The dispatcher measures durations. Only signatures and logs use the time of day.
  const clock: Clock = { ...given.clock, now: () => given.clock.steady() }
  const deps = { ...given, clock }
  const dispatcher = new RunningDispatcher(deps, assemble(deps, createSender(given)))
  await dispatcher.start()
  return dispatcher
}

/** Creates the parts in the order of their dependencies. See "Dispatching" in docs/architecture.md. */
function assemble(deps: DispatcherDeps, sender: WebhookSender) {
  const { db, log } = deps
  const queues = new EndpointQueues()
  const isBehind = () => queues.prefetchedCount > MAX_PREFETCHED_AHEAD_OF_API
  const open = () => openConnection(db, isBehind)
  // One for each loop, and another one for writing many attempts.
  const connections = { membership: open(), fetch: open(), record: open(), spare: open(), health: open() }
  const membership = new Membership(connections.membership)
  const backpressure = deps.sharesProcess ? new BackpressureMonitor(db) : null
  const database = new DatabaseAvailability(db, log)
  const metrics = dispatchMetrics(deps.metrics)
  const fetcher = new Fetcher({
    ...deps,
    membership,
    queues,
    metrics,
    connection: connections.fetch,
    databaseFailed: (error) => database.failed(error),
  })
  const health = new HealthWriter({ ...deps, connection: connections.health, membership })
  const isDiskFull = () => db.disk?.isFull ?? false
  const attemptWriter = new AttemptWriter({
    ...deps,
    connections: [connections.record, connections.spare],
    isPaused: isDiskFull,
    membership,
    metrics,
    health,
  })
  const attempts = new AttemptHandler({ ...deps, queues, metrics, health, attemptWriter })
  const sendLoop = new SendLoop({
    queues,
    membership,
    sender,
    backlog: () => attemptWriter.backlog,
    isPaused: () => isDiskFull() || isNodeLockLost(db),
    throttleRatio: () => backpressure?.throttleRatio ?? 1,
    onResult: (queue, delivery, result) => attempts.handle(queue, delivery, result),
  })
  return { queues, connections, membership, backpressure, database, sender, fetcher, health, attemptWriter, sendLoop }
}

/** Another process may run alone on the database: no request starts, and other processes take over the endpoints. */
function isNodeLockLost({ nodeLock }: Database): boolean {
  return (nodeLock?.lost ?? null) !== null
}

/** The current state; each property is read on access. */
function statusOf({ queues, sendLoop, backpressure }: ReturnType<typeof assemble>): DispatcherStatus {
  return {
    get endpoints() {
      return queues.size
    },
    get openBreakers() {
      return queues
        .all()
        .filter(({ breaker }) => breaker.isOpen)
        .toArray().length
    },
    get prefetched() {
      return queues.prefetchedCount
    },
    get inFlight() {
      return sendLoop.inFlight
    },
    get throttleRatio() {
      return backpressure?.throttleRatio ?? 1
    },
  }
}

class RunningDispatcher implements Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #parts: ReturnType<typeof assemble>
  #unsubscribe: (() => void)[] = []
  #isStopping = false
  #heartbeat: Promise<void> = Promise.resolve()
  #heartbeatTimer: NodeJS.Timeout | undefined

  constructor(deps: DispatcherDeps, parts: ReturnType<typeof assemble>) {
    this.#deps = deps
    this.#parts = parts
    const { queues, fetcher, sendLoop, attemptWriter } = parts
    queues.onNeedsFetch(() => fetcher.resume())
    queues.onReady(() => sendLoop.wake())
    attemptWriter.onRecorded((writes) => this.#recorded(writes))
    attemptWriter.onRemoved(() => this.#dropEverything())
    registerStatus(deps.metrics, statusOf(parts))
  }

  async start(): Promise<void> {
    const { db, bus } = this.#deps
    const { membership, connections, fetcher } = this.#parts
    await membership.join(db.exclusive)
    this.#unsubscribe = [
      bus.subscribe(DISPATCH_TOPIC, (names) => fetcher.wake(names)),
      bus.subscribe(ENDPOINTS_TOPIC, (names) => fetcher.endpointsChanged(names)),
    ]
    connections.membership.onLost(() => this.#membershipConnectionLost())
    db.nodeLock?.onRegained(() => void this.#heartbeat.finally(() => this.#heartbeatIn(0)))
    this.#heartbeatIn(HEARTBEAT_MS)
    fetcher.wake('')
  }

  #heartbeatIn(ms: number): void {
    clearTimeout(this.#heartbeatTimer)
    if (this.#isStopping) return
    this.#heartbeatTimer = setTimeout(() => {
      this.#heartbeat = this.#sendHeartbeat()
        .catch((error: unknown) => this.#parts.database.failed(error))
        .finally(() => this.#heartbeatIn(HEARTBEAT_MS))
    }, ms)
  }

  /** No request starts until the next heartbeat. During an outage of the database, an early heartbeat would fail. */
  #membershipConnectionLost(): void {
    if (this.#isStopping || this.#parts.database.isAway) return
    this.#deps.log.warn('heartbeat connection lost')
    void this.#heartbeat.finally(() => this.#heartbeatIn(HEARTBEAT_AFTER_LOSS_MS))
  }

  async #sendHeartbeat(): Promise<void> {
    const { db, log, clock } = this.#deps
    const { membership, backpressure, database, attemptWriter, fetcher, queues, sendLoop } = this.#parts
    const change = await membership.heartbeat(isNodeLockLost(db) || (backpressure?.isDraining ?? false))
    if (change === 'removed') {
      log.warn('dispatcher removed by another one; rejoining')
      this.#dropEverything()
      await membership.join(false)
    }
    database.answered()
    attemptWriter.resume()
    await this.#releaseEndpoints()
    if (change !== 'same') fetcher.wake('')
    // Circuit breakers and pauses end with time.
    const now = clock.now()
    for (const queue of queues.all()) this.#reschedule(queue, now)
    fetcher.resume()
    sendLoop.wake()
  }

  #reschedule(queue: EndpointQueue, now: Date): void {
    if (queue.isUnwritten) this.#parts.health.changed(queue)
    this.#parts.queues.reschedule(queue, now)
  }

  /** Releases endpoints that should belong to other processes, or are unused; those with requests in flight later. */
  async #releaseEndpoints(): Promise<void> {
    const { queues, membership, connections } = this.#parts
    const unusedSince = performance.now() - UNUSED_MS
    const released: EndpointQueue[] = []
    for (const queue of queues.all()) {
      if (!membership.owns(queue.id) || queue.isUnusedSince(unusedSince)) queue.release()
      if (queue.isLeaving && queue.prefetchedCount === 0) released.push(queue)
    }
    if (released.length === 0) return
    for (const queue of released) queues.remove(queue)
    const ids = released.map(({ id }) => id)
    await releaseEndpoints(connections.membership, membership.id, ids)
    this.#deps.bus.notify(DISPATCH_TOPIC)
  }

  /** Requests in flight end normally, but their results are refused. */
  #dropEverything(): void {
    const { queues, attemptWriter, health } = this.#parts
    for (const queue of queues.all()) queues.remove(queue)
    attemptWriter.clear()
    health.clear()
  }

  #recorded(writes: readonly AttemptWrite[]): void {
    const { fetcher, sendLoop } = this.#parts
    const now = this.#deps.clock.now()
    let soonestMs = Number.POSITIVE_INFINITY
    const queues = new Set<EndpointQueue>()
    for (const { queue, delivery, record } of writes) {
      queue.recorded(delivery)
      queues.add(queue)
      const { nextAttemptAt } = record
      if (nextAttemptAt !== null) soonestMs = Math.min(soonestMs, nextAttemptAt.getTime() - now.getTime())
    }
    for (const queue of queues) this.#reschedule(queue, now)
    fetcher.resume()
    sendLoop.wake()
    if (soonestMs < POLL_FOR_RETRY_MS) fetcher.pollWithin(Math.max(0, soonestMs))
  }

  async stop(): Promise<void> {
    const { sendLoop, fetcher, attemptWriter, backpressure, sender, database, health, membership, connections } =
      this.#parts
    this.#isStopping = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    clearTimeout(this.#heartbeatTimer)
    sendLoop.stop()
    await this.#heartbeat
    await fetcher.stop()
    const until = performance.now() + STOP_MS
    const isBusy = () => sendLoop.inFlight > 0 || !attemptWriter.isIdle
    while (isBusy() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
    backpressure?.close()
    sender.close()
    if (!database.isAway) {
      await health.close()
      await membership.leave()
      this.#deps.bus.notify(DISPATCH_TOPIC)
    }
    await Promise.all(Object.values(connections).map((connection) => connection.close()))
  }
}
