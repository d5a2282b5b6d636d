import type { Clock } from '../../infra/clock.ts'
import { bisect } from '../../infra/database/bisect.ts'
import { isRefused, sqlState } from '../../infra/database/db-away.ts'
import type { Log } from '../../infra/log.ts'
import type { Membership } from '../cluster/membership.ts'
import type { PendingWrite } from '../delivery.ts'
import { faultPoint } from '../fault-injection.ts'
import type { DispatchMetrics } from '../metrics.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { DbConnection } from '../store/connection.ts'
import { finishWithoutLog, recordAttempts, stillPending } from '../store/record-attempts.ts'
import type { HealthWriter } from './health-writer.ts'

/** An attempt of an endpoint that waits to be written. */
export type AttemptWrite = PendingWrite<EndpointQueue>

export interface AttemptWriterDeps {
  /** Whether nothing can be written now: the disk is full. */
  readonly isPaused: () => boolean
  readonly clock: Clock
  readonly log: Log
  /** Each connection writes one batch at a time. */
  readonly connections: readonly DbConnection[]
  readonly membership: Membership
  readonly health: HealthWriter
  readonly metrics: DispatchMetrics
  readonly counts: { rowsSetAside: number }
}

const RETRY_MS = 250
/** The wait before writing an attempt again that the database refuses in every form. */
const REFUSED_RETRY_MS = 60_000

/**
 * Writes attempts in batches, and retries until they are written. While one batch is being written, new attempts make
 * the next one larger, which is cheaper for each; a second connection helps only when that batch is full. An attempt
 * that the database refuses delays no other: see `#setAside`.
 */
export class AttemptWriter {
  readonly #deps: AttemptWriterDeps
  readonly #idle: DbConnection[]
  readonly #recordedListeners: ((writes: readonly AttemptWrite[]) => void)[] = []
  readonly #removedListeners: (() => void)[] = []
  #pending: AttemptWrite[] = []
  #isGathering = false

  constructor(deps: AttemptWriterDeps) {
    this.#deps = deps
    this.#idle = [...deps.connections]
  }

  /** Calls back with attempts that are written, or never will be. */
  onRecorded(listener: (writes: readonly AttemptWrite[]) => void): void {
    this.#recordedListeners.push(listener)
  }

  /** Calls back when this process has been removed from the members. */
  onRemoved(listener: () => void): void {
    this.#removedListeners.push(listener)
  }

  #recorded(writes: readonly AttemptWrite[]): void {
    for (const listener of this.#recordedListeners) listener(writes)
  }

  /** Attempts that wait to be written. */
  get backlog(): number {
    return this.#pending.length
  }

  get isIdle(): boolean {
    return this.#pending.length === 0 && !this.#isWriting
  }

  get #isWriting(): boolean {
    return this.#idle.length < this.#deps.connections.length
  }

  push(write: AttemptWrite): void {
    this.#pending.push(write)
    this.resume()
  }

  /** Drops everything: this process must not write it any more. */
  clear(): void {
    this.#pending = []
  }

  /** Starts writing, also after an outage of the database. */
  resume(): void {
    const [connection] = this.#idle
    if (this.#isGathering || this.#pending.length === 0 || connection === undefined) return
    if (this.#deps.isPaused()) return
    const isFull = this.#pending.length >= connection.batch.write
    if (isFull) void this.#writeBatch()
    else if (!this.#isWriting) {
      this.#isGathering = true
      setTimeout(() => {
        this.#isGathering = false
        void this.#writeBatch()
      }, connection.batch.gatherMs)
    }
  }

  async #writeBatch(): Promise<void> {
    // It may have been cleared.
    const connection = this.#pending.length > 0 ? this.#idle.pop() : undefined
    if (connection === undefined) return
    const { membership, log } = this.#deps
    const batch = this.#pending.splice(0, connection.batch.write)
    this.resume()
    let isWell = true
    const unwritten = new Set(batch)
    try {
      await bisect(
        batch,
        async (some) => {
          await this.#write(connection, some)
          for (const write of some) unwritten.delete(write)
        },
        async (write, error) => {
          await this.#setAside(connection, write, error)
          unwritten.delete(write)
        },
      )
    } catch (error) {
      isWell = false
      log.error({ err: error, count: unwritten.size }, 'attempts not recorded; retrying')
      this.#pending.unshift(...unwritten)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    this.#idle.push(connection)
    // If this process is not active, the next heartbeat resumes. A stop does not wait for an unavailable database.
    if (isWell || membership.isActive) this.resume()
  }

  async #write(connection: DbConnection, batch: readonly AttemptWrite[]): Promise<void> {
    const { membership, clock, health, metrics } = this.#deps
    const now = clock.now()
    for (const { queue, isGone } of batch) if (isGone) await this.#disable(queue, now)
    faultPoint('record')
    const records = batch.map(({ record }) => record)
    const began = performance.now()
    const { isMember, ids } = await recordAttempts(connection, membership.id, records, now)
    faultPoint('after-record')
    metrics.recordDuration.observe((performance.now() - began) / 1000)
    if (!isMember) {
      for (const listener of this.#removedListeners) listener()
      return
    }
    const written = ids === null ? batch : await this.#retryPending(connection, batch, new Set(ids))
    for (const { queue, delivery, record } of written) if (!delivery.isTest) health.attempted(queue, record)
    this.#recorded(written)
  }

  /** Disables an endpoint. If the database refuses that, its attempts are still written. */
  async #disable(queue: EndpointQueue, now: Date): Promise<void> {
    const { health, log, counts } = this.#deps
    try {
      await health.disable(queue, 'gone', now)
    } catch (error) {
      if (!isRefused(error)) throw error
      counts.rowsSetAside++
      log.error({ err: error, endpointId: queue.id }, 'webhook endpoint not disabled')
    }
  }

  /**
   * Writes as much of a refused attempt as possible, so that the delivery is not sent again: the attempt without the
   * response, otherwise the end of the delivery without the attempt. If the database refuses both, the delivery stays
   * in memory and is written again later.
   */
  async #setAside(connection: DbConnection, write: AttemptWrite, error: unknown): Promise<void> {
    const { log, counts, clock, membership } = this.#deps
    const { queue, record } = write
    counts.rowsSetAside++
    log.error(
      { err: error, deliveryId: record.id, endpointId: queue.id, attempt: record.number },
      'attempt refused by the database; set aside',
    )
    const reason = `The database refused the response of this attempt (${sqlState(error)}): see the server log`
    const readable = { ...record, response: null, error: reason }
    await bisect(
      [{ ...write, record: readable }],
      (some) => this.#write(connection, some),
      async (bare) => {
        await finishWithoutLog(connection, membership.id, record, clock.now())
        this.#recorded([bare])
      },
    ).catch((failure: unknown) => {
      if (!isRefused(failure)) throw failure
      setTimeout(() => {
        if (queue.isLeaving) this.#recorded([write])
        else this.push(write)
      }, REFUSED_RETRY_MS).unref()
    })
  }

  /**
   * Some attempts were not written: those whose rows were locked are written again, the others are no longer pending.
   * @returns the finished ones
   */
  async #retryPending(
    connection: DbConnection,
    batch: readonly AttemptWrite[],
    done: ReadonlySet<string>,
  ): Promise<AttemptWrite[]> {
    const missing = batch.filter(({ record }) => !done.has(record.id))
    const open = await stillPending(
      connection,
      missing.map(({ record }) => record),
    )
    this.#pending.push(...missing.filter(({ record }) => open.has(record.id)))
    return batch.filter(({ record }) => !open.has(record.id))
  }
}
