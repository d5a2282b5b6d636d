import type { Clock } from '../../infra/clock.ts'
import { bisect } from '../../infra/database/bisect.ts'
import type { Database } from '../../infra/database/db.ts'
import type { Log } from '../../infra/log.ts'
import type { Bus } from '../../infra/redis/bus.ts'
import type { Membership } from '../cluster/membership.ts'
import type { AttemptRecord } from '../delivery.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { DbConnection } from '../store/connection.ts'
import { disable, evaluateHealth, type Health, warn, writeHealth } from '../store/endpoint-health.ts'

export interface HealthWriterDeps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly connection: DbConnection
  readonly membership: Membership
  readonly counts: { rowsSetAside: number }
}

/** The interval of writing the last success of an endpoint that does not fail. */
const SUCCESS_EVERY_MS = 1000
const URGENT_MS = 5

interface Unwritten {
  readonly queue: EndpointQueue
  succeededAt: Date | null
  failedAt: Date | null
  lastFailedAt: Date | null
  failures: number
}

/**
 * Writes the health of endpoints: failures, recoveries and circuit breakers at once, successes once a second. Nothing
 * waits for it. After a crash, the next attempts restore what was lost.
 */
export class HealthWriter {
  readonly #deps: HealthWriterDeps
  readonly #unwritten = new Map<string, Unwritten>()
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: HealthWriterDeps) {
    this.#deps = deps
  }

  attempted(queue: EndpointQueue, { status, startedAt, durationMs }: AttemptRecord): void {
    const unwritten = this.#changesOf(queue)
    const isDelivered = status === 'DELIVERED'
    if (isDelivered) unwritten.succeededAt = startedAt
    else {
      unwritten.failures++
      // The start of the five days, by the steady clock; people see the time of day.
      unwritten.failedAt ??= new Date(this.#deps.clock.now().getTime() - durationMs)
      unwritten.lastFailedAt = startedAt
    }
    this.#writeWithin(isDelivered && queue.row.failingSince === null ? SUCCESS_EVERY_MS : URGENT_MS)
  }

  /** A circuit breaker, a probe or a recovery has changed: other processes and people read it in the row. */
  changed(queue: EndpointQueue): void {
    this.#changesOf(queue)
    this.#writeWithin(URGENT_MS)
  }

  async disable(queue: EndpointQueue, reason: 'gone' | 'failing', now: Date): Promise<void> {
    queue.disable()
    await disable(this.#deps, this.#deps.membership.id, queue.id, reason, now)
  }

  clear(): void {
    this.#unwritten.clear()
  }

  /** Writes pending changes. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#writing
    await this.#write()
  }

  #changesOf(queue: EndpointQueue): Unwritten {
    const known = this.#unwritten.get(queue.id)
    if (known?.queue === queue) return known
    const made = { queue, succeededAt: null, failedAt: null, lastFailedAt: null, failures: 0 }
    this.#unwritten.set(queue.id, made)
    return made
  }

  #writeWithin(ms: number): void {
    const at = performance.now() + ms
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#writing = this.#writing.then(() => this.#write())
    }, ms)
  }

  async #write(): Promise<void> {
    const unwritten = [...this.#unwritten.values()]
    if (unwritten.length === 0) return
    if (this.#deps.db.disk?.isFull) return this.#writeWithin(SUCCESS_EVERY_MS)
    this.#unwritten.clear()
    const { connection, membership, counts, log } = this.#deps
    const left = new Set(unwritten)
    const written: { queue: EndpointQueue; health: Health | undefined }[] = []
    try {
      await bisect(
        unwritten,
        async (some) => {
          const changes = some.map(({ queue, ...change }) => {
            const { id, isRecovering, probedAt } = queue
            return { id, ...change, breaker: queue.breaker.row, isRecovering, probedAt }
          })
          const rows = new Map((await writeHealth(connection, membership.id, changes)).map((row) => [row.id, row]))
          for (const each of some) {
            left.delete(each)
            written.push({ queue: each.queue, health: rows.get(each.queue.id) })
          }
        },
        (each, error) => {
          left.delete(each)
          counts.rowsSetAside++
          log.error({ err: error, endpointId: each.queue.id }, 'endpoint health refused by the database; set aside')
        },
      )
    } catch (error) {
      log.error({ err: error }, 'endpoint health not recorded; retrying')
      for (const { queue, succeededAt, failedAt, lastFailedAt, failures } of left) {
        const again = this.#changesOf(queue)
        again.succeededAt ??= succeededAt
        again.failedAt = failedAt ?? again.failedAt
        again.lastFailedAt ??= lastFailedAt
        again.failures += failures
      }
      this.#writeWithin(SUCCESS_EVERY_MS)
    }
    for (const { queue, health } of written) await this.#evaluateOrRetry(queue, health)
  }

  /** If the evaluation fails, only the evaluation is repeated, so that nothing is counted twice. */
  async #evaluateOrRetry(queue: EndpointQueue, health: Health | undefined): Promise<void> {
    const { clock, log } = this.#deps
    try {
      await this.#evaluate(queue, health, clock.now())
    } catch (error) {
      log.error({ err: error, endpointId: queue.id }, 'endpoint health not evaluated; retrying')
      this.#changesOf(queue)
      this.#writeWithin(SUCCESS_EVERY_MS)
    }
  }

  async #evaluate(queue: EndpointQueue, health: Health | undefined, now: Date): Promise<void> {
    if (health === undefined) return
    queue.healthWritten(health)
    const verdict = evaluateHealth(health, now)
    if (verdict === 'warn') await warn(this.#deps, this.#deps.membership.id, queue.id, now)
    if (verdict === 'disable') await this.disable(queue, 'failing', now)
  }
}
