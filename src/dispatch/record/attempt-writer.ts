import type { Clock } from '../../infra/clock.ts'
import { inHalves } from '../../infra/database/bisect.ts'
import { isRefused, sqlState } from '../../infra/database/db-away.ts'
import type { Log } from '../../infra/log.ts'
import type { Roster } from '../cluster/membership.ts'
import { faultPoint } from '../fault-injection.ts'
import type { DispatchMetrics } from '../metrics.ts'
import type { EndpointQueue } from '../queue/endpoint-queue.ts'
import type { Session } from '../store/connection.ts'
import type { Claimed } from '../store/fetch-due.ts'
import { finish, type Result, settle, stillOpen } from '../store/record-attempts.ts'
import type { HealthRecorder } from './health-writer.ts'

/** One attempt that has ended. */
export interface Ended {
  readonly queue: EndpointQueue
  readonly claimed: Claimed
  readonly result: Result
  /** The receiver answered 410: its endpoint is disabled before anything else. */
  readonly isGone: boolean
}

export interface RecorderDeps {
  /** Nothing can be written now. */
  readonly isPaused: () => boolean
  readonly clock: Clock
  readonly log: Log
  /** One batch is written on each at a time. */
  readonly sessions: readonly Session[]
  readonly roster: Roster
  readonly health: HealthRecorder
  readonly metrics: DispatchMetrics
  readonly counts: { rowsSetAside: number }
  /** It is in the database, or never will be. */
  readonly recorded: (ended: readonly Ended[]) => void
  /** This process has been counted as gone. */
  readonly lost: () => void
}

const RETRY_MS = 250
/** What the database refuses whatever is left out of it. */
const REFUSED_RETRY_MS = 60_000

/**
 * Gathers what came of attempts and writes it in batches, until it is written. While one batch is being written, what comes
 * makes the next one larger, which costs less for each result; another connection helps only when that one is full. A result
 * that the database refuses keeps no other from being written: see `#setAside`.
 */
export class Recorder {
  readonly #deps: RecorderDeps
  readonly #idle: Session[]
  #pending: Ended[] = []
  #isGathering = false

  constructor(deps: RecorderDeps) {
    this.#deps = deps
    this.#idle = [...deps.sessions]
  }

  /** Results that wait to be written. */
  get backlog(): number {
    return this.#pending.length
  }

  get isIdle(): boolean {
    return this.#pending.length === 0 && !this.#isWriting
  }

  get #isWriting(): boolean {
    return this.#idle.length < this.#deps.sessions.length
  }

  push(ended: Ended): void {
    this.#pending.push(ended)
    this.resume()
  }

  /** What this process has lost the right to record. */
  clear(): void {
    this.#pending = []
  }

  /** Goes on, also after the database was away. */
  resume(): void {
    const [session] = this.#idle
    if (this.#isGathering || this.#pending.length === 0 || session === undefined) return
    if (this.#deps.isPaused()) return
    const isFull = this.#pending.length >= session.batch.write
    if (isFull) void this.#work()
    else if (!this.#isWriting) {
      this.#isGathering = true
      setTimeout(() => {
        this.#isGathering = false
        void this.#work()
      }, session.batch.gatherMs)
    }
  }

  async #work(): Promise<void> {
    // It may have been cleared.
    const session = this.#pending.length > 0 ? this.#idle.pop() : undefined
    if (session === undefined) return
    const { roster, log } = this.#deps
    const batch = this.#pending.splice(0, session.batch.write)
    this.resume()
    let isWell = true
    const unwritten = new Set(batch)
    try {
      await inHalves(
        batch,
        async (some) => {
          await this.#record(session, some)
          for (const ended of some) unwritten.delete(ended)
        },
        async (ended, error) => {
          await this.#setAside(session, ended, error)
          unwritten.delete(ended)
        },
      )
    } catch (error) {
      isWell = false
      log.error({ err: error, results: unwritten.size }, 'results could not be recorded; trying again')
      this.#pending.unshift(...unwritten)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
    this.#idle.push(session)
    // Whoever stops waits for no database that is away; the next beat that gets through goes on.
    if (isWell || roster.isTrusted) this.resume()
  }

  async #record(session: Session, batch: readonly Ended[]): Promise<void> {
    const { roster, clock, health, metrics, lost, recorded } = this.#deps
    const now = clock.now()
    for (const { queue, isGone } of batch) if (isGone) await this.#disable(queue, now)
    faultPoint('settle')
    const results = batch.map(({ result }) => result)
    const began = performance.now()
    const { isTrusted, ids } = await settle(session, roster.id, results, now)
    faultPoint('after-settle')
    metrics.recordDuration.observe((performance.now() - began) / 1000)
    if (!isTrusted) return lost()
    const settled = ids === null ? batch : await this.#sortOut(session, batch, new Set(ids))
    for (const { queue, claimed, result } of settled) if (!claimed.isTest) health.note(queue, result)
    recorded(settled)
  }

  /** An endpoint whose row cannot be changed keeps nothing from being recorded. */
  async #disable(queue: EndpointQueue, now: Date): Promise<void> {
    const { health, log, counts } = this.#deps
    try {
      await health.disable(queue, 'gone', now)
    } catch (error) {
      if (!isRefused(error)) throw error
      counts.rowsSetAside++
      log.error({ err: error, endpointId: queue.id }, 'an endpoint could not be disabled')
    }
  }

  /**
   * Records as much of a refused result as the database takes, so that it is not sent again: the attempt without what the
   * receiver answered, else the end of the delivery without the attempt. When it takes neither, the delivery stays in memory
   * and is tried again alone.
   */
  async #setAside(session: Session, ended: Ended, error: unknown): Promise<void> {
    const { log, counts, clock, roster, recorded } = this.#deps
    const { queue, result } = ended
    counts.rowsSetAside++
    log.error(
      { err: error, deliveryId: result.id, endpointId: queue.id, attempt: result.number },
      'a result that cannot be recorded was set aside',
    )
    const said = `The database refused what came of this attempt (${sqlState(error)}); the log of the server says why`
    const readable = { ...result, response: null, error: said }
    await inHalves(
      [{ ...ended, result: readable }],
      (some) => this.#record(session, some),
      async (bare) => {
        await finish(session, roster.id, result, clock.now())
        recorded([bare])
      },
    ).catch((failure: unknown) => {
      if (!isRefused(failure)) throw failure
      setTimeout(() => {
        if (queue.isLeaving) recorded([ended])
        else this.push(ended)
      }, REFUSED_RETRY_MS).unref()
    })
  }

  /** Some were not recorded: those whose rows were locked are tried again, the others are no longer ours to record. */
  async #sortOut(session: Session, batch: readonly Ended[], done: ReadonlySet<string>): Promise<Ended[]> {
    const missing = batch.filter(({ result }) => !done.has(result.id))
    const open = await stillOpen(
      session,
      missing.map(({ result }) => result),
    )
    this.#pending.push(...missing.filter(({ result }) => open.has(result.id)))
    return batch.filter(({ result }) => !open.has(result.id))
  }
}
