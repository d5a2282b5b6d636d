import type { FilteredDelivery } from '../domain/deliveries/delivery-filter.ts'
import { horizonsOf } from '../domain/events/event-horizon.ts'
import type { Deps } from '../domain/shared/deps.ts'

/** What a step made of its delivery. `retrying`: the attempt failed, another one follows. */
export type Step = 'created' | 'skipped' | 'delivered' | 'retrying' | 'failed'

/** A delivery came one step further. Its status is the one that it has now, which may be further than this step. */
export interface ProgressRow extends FilteredDelivery {
  readonly deliveryId: string
  readonly workspaceId: string
  readonly step: Step
  /** Of an attempt, in milliseconds; null for deliveries that are new. */
  readonly durationMs: number | null
}

/** How far the database's transactions are, and the last attempt that is visible. */
interface ReadableEnd {
  last: string
  xmin: string
  xmax: string
}

interface AttemptRow extends ProgressRow {
  attemptId: string
}

const PAGE = 5000
/** Whatever transaction runs longer records no attempts: it does not keep the horizon from moving. */
const PATIENCE_MS = 15_000

/**
 * Reads every delivery's steps once, in the order in which they are recorded, whoever recorded them. Nothing has to be
 * written for it: what is new is found by the events' transaction ids and the attempts' ids.
 */
export class ProgressReader {
  readonly #deps: Deps
  /** Events of transactions below it have been looked at, by workspace; below `#reached` those of all others. */
  #looked = new Map<string, bigint>()
  #reached = 0n
  /** Attempts up to it have been read; above it may be some that commit late. */
  #horizon = 0n
  /** Of the attempts above the horizon, those that have been read. */
  #seen = new Set<string>()
  /** Attempts up to `last` belong to transactions below `xmax`: once those have ended, it is the horizon. */
  #checkpoint: { last: bigint; xmax: bigint; at: number } | null = null
  #isMore = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** From now on. */
  async start(): Promise<void> {
    const edge = await this.#edge()
    this.#reached = (await horizonsOf(this.#deps.db, [])).all
    this.#horizon = BigInt(edge.last)
  }

  /** Whether there is more than the last read brought. */
  get isMore(): boolean {
    return this.#isMore
  }

  async read(workspaceIds: readonly string[]): Promise<ProgressRow[]> {
    const { db } = this.#deps
    const edge = await this.#edge()
    const ids = [...workspaceIds]
    const horizons = await horizonsOf(db, ids)
    const from = ids.map((id) => String(this.#looked.get(id) ?? this.#reached))
    const created = await db.sql<ProgressRow>(CREATED, [ids, from, ids.map((id) => String(horizons.of(id)))])
    const attempts = await db.sql<AttemptRow>(ATTEMPTED, [ids, String(this.#horizon), [...this.#seen], PAGE])
    this.#looked = new Map(ids.map((id) => [id, horizons.of(id)]))
    this.#reached = horizons.all
    for (const { attemptId } of attempts) this.#seen.add(attemptId)
    this.#isMore = attempts.length === PAGE
    if (!this.#isMore) this.#advance(edge)
    return [...created, ...attempts.map(({ attemptId: _, ...row }) => row)]
  }

  #advance({ last, xmin, xmax }: ReadableEnd): void {
    const { last: reached, xmax: over, at } = this.#checkpoint ?? { last: 0n, xmax: 0n, at: 0 }
    const isSettled = BigInt(xmin) >= over || performance.now() - at > PATIENCE_MS
    if (this.#checkpoint !== null && isSettled) {
      this.#horizon = reached
      for (const id of this.#seen) if (BigInt(id) <= this.#horizon) this.#seen.delete(id)
      this.#checkpoint = null
    }
    this.#checkpoint ??= { last: BigInt(last), xmax: BigInt(xmax), at: performance.now() }
  }

  async #edge(): Promise<ReadableEnd> {
    const [edge] = await this.#deps.db.sql<ReadableEnd>(EDGE)
    return edge ?? { last: '0', xmin: '0', xmax: '0' }
  }
}

const EDGE = `
SELECT COALESCE((SELECT max(id) FROM delivery_attempts), 0)::text AS last,
       pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax`

const COLUMNS = `d.id AS "deliveryId", d.workspace_id AS "workspaceId", d.endpoint_id AS "endpointId",
       endpoint.agent_id AS "agentId", d.conversation_id AS "conversationId", d.status, d.is_test AS "isTest",
       d.created_at AS "createdAt", event.type AS "eventType"`

/** Deliveries are made together with their events. */
const CREATED = `
SELECT ${COLUMNS}, CASE WHEN d.status = 'SKIPPED' THEN 'skipped' ELSE 'created' END AS step, NULL::int AS "durationMs"
  FROM unnest($1::text[], $2::text[], $3::text[]) AS followed(workspace_id, looked, horizon)
  JOIN events event ON event.workspace_id = followed.workspace_id
   AND event.xid >= followed.looked::xid8 AND event.xid < followed.horizon::xid8
  JOIN deliveries d ON d.event_id = event.id
  JOIN webhook_endpoints endpoint ON endpoint.id = d.endpoint_id AND endpoint.unregistered_at IS NULL
 ORDER BY event.xid, event.seq`

const ATTEMPTED = `
SELECT ${COLUMNS}, attempt.id::text AS "attemptId", attempt.duration_ms AS "durationMs",
       CASE WHEN attempt.status_code BETWEEN 200 AND 299 THEN 'delivered'
            WHEN d.status = 'FAILED' AND attempt.number = d.attempts THEN 'failed'
            ELSE 'retrying' END AS step
  FROM delivery_attempts attempt
  JOIN deliveries d ON d.id = attempt.delivery_id AND d.workspace_id = ANY($1::text[])
  JOIN events event ON event.id = d.event_id
  JOIN webhook_endpoints endpoint ON endpoint.id = d.endpoint_id AND endpoint.unregistered_at IS NULL
 WHERE attempt.id > $2::bigint AND attempt.id <> ALL($3::bigint[])
 ORDER BY attempt.id LIMIT $4::int`

/** How many deliveries a window names, and how many durations it keeps for its percentiles. */
const NEWEST = 50
const DURATIONS = 5000
/** How many deliveries a window tells apart. One that was forgotten for others and comes again is counted again. */
const DISTINCT = 10_000

/** What happened to deliveries within some time. Its size is bounded, however much happened. */
export class ProgressWindow {
  readonly since: Date
  readonly counts: Record<Step, number> = { created: 0, skipped: 0, delivered: 0, retrying: 0, failed: 0 }
  readonly #durations: number[] = []
  readonly #ids = new Set<string>()
  #forgotten = 0

  constructor(since: Date) {
    this.since = since
  }

  add({ step, durationMs, deliveryId }: ProgressRow): void {
    this.counts[step]++
    if (durationMs !== null) {
      // The oldest gives way.
      if (this.#durations.length >= DURATIONS) this.#durations.shift()
      this.#durations.push(durationMs)
    }
    this.#ids.delete(deliveryId)
    this.#ids.add(deliveryId)
    if (this.#ids.size <= DISTINCT) return
    const [oldest] = this.#ids
    if (oldest !== undefined) this.#ids.delete(oldest)
    this.#forgotten++
  }

  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  /** The ids of the deliveries that changed last, the latest first, and how many others changed. */
  newest(): { ids: string[]; omitted: number } {
    const ids = [...this.#ids].slice(-NEWEST).reverse()
    return { ids, omitted: this.#ids.size + this.#forgotten - ids.length }
  }

  /** The duration in milliseconds that this part of the attempts (0 to 1) did not exceed; null without attempts. */
  duration(part: number): number | null {
    const sorted = this.#durations.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null
  }
}
