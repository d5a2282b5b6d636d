import type { z } from 'zod'
import { type DeliveryWithEvent, WITH_EVENT } from '../domain/deliveries/deliveries.ts'
import { DeliveryFilter, isWanted } from '../domain/deliveries/delivery-filter.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { isNeighbour, requireLevel, requireStaff } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import { parse } from '../domain/shared/input.ts'
import { ProgressReader, type ProgressRow, ProgressWindow, type Step } from './delivery-progress.ts'
import { StreamEndedError } from './log-tailer.ts'

/** What happened to deliveries within some time. */
export interface DeliveryProgress {
  readonly since: Date
  readonly until: Date
  readonly counts: Readonly<Record<Step, number>>
  /** Of the attempts, in milliseconds; null when there were none. */
  readonly durationMs: { readonly p50: number | null; readonly p95: number | null }
  /** The deliveries that changed last, the latest first, as they are now. Read when asked. */
  newest(): Promise<DeliveryWithEvent[]>
  /** How many others changed. */
  readonly omitted: number
}

/** What ops screens follow. */
export interface DeliveryStreams {
  /**
   * The steps of the deliveries that the actor may see, gathered: at most four batches a second, of bounded size. The
   * first one comes at once, empty. A slow reader gets fewer and larger ones. Ends when `signal` is aborted; with an error
   * when it is aborted with a DomainError. The filter means what it means for listDeliveries: ids that the actor cannot see
   * match nothing.
   * @throws ForbiddenError, ValidationError, both at once
   */
  follow(
    actor: Actor,
    filter: z.input<typeof DeliveryFilter>,
    signal: AbortSignal,
  ): AsyncGenerator<DeliveryProgress, void, undefined>
  close(): void
}

/** The time between two looks, in milliseconds. */
const WINDOW_MS = 250

/**
 * One look at a time for all who follow, and none when nobody does. Deliberately no signal from the dispatcher: it would
 * have to be sent when nobody follows, could be lost, and come too often to be passed on one by one.
 */
export function openDeliveryStreams(deps: Deps): DeliveryStreams {
  const subscribers = new Set<DeliverySubscriber>()
  let isLooking = false
  /** What several subscribers name alike in one window is read once. */
  let read = new Map<string, Promise<DeliveryWithEvent[]>>()

  function start(): void {
    if (isLooking) return
    isLooking = true
    void look().finally(() => {
      isLooking = false
      if (subscribers.size > 0) start()
    })
  }

  async function look(): Promise<void> {
    const reader = new ProgressReader(deps)
    let isStarted = false
    while (subscribers.size > 0) {
      try {
        if (!isStarted) await reader.start()
        isStarted = true
        await readOn(reader)
      } catch (error) {
        deps.log.error({ err: error }, 'delivery progress not read')
      }
      await new Promise((resolve) => setTimeout(resolve, WINDOW_MS).unref())
    }
  }

  async function readOn(reader: ProgressReader): Promise<void> {
    // Whoever comes while it reads begins with the next look: nothing between the two is missed.
    const present = [...subscribers]
    const workspaceIds = [...new Set(present.map(({ actor }) => actor.workspaceId))]
    do {
      const rows = await reader.read(workspaceIds)
      for (const subscriber of present) subscriber.take(rows)
    } while (reader.isMore)
    read = new Map()
    for (const subscriber of present) subscriber.flush()
  }

  function load(workspaceId: string, ids: string[]): Promise<DeliveryWithEvent[]> {
    const key = ids.join()
    const found = read.get(key) ?? loadDeliveries(deps, workspaceId, ids)
    read.set(key, found)
    return found
  }

  async function* follow(
    subscriber: DeliverySubscriber,
    signal: AbortSignal,
  ): AsyncGenerator<DeliveryProgress, void, undefined> {
    const { workspaceId } = subscriber.actor
    const toProgress = (window: ProgressWindow): DeliveryProgress => {
      const { ids, omitted } = window.newest()
      return {
        since: window.since,
        until: deps.clock.now(),
        counts: window.counts,
        durationMs: { p50: window.duration(0.5), p95: window.duration(0.95) },
        newest: () => load(workspaceId, ids),
        omitted,
      }
    }
    const abort = () => subscriber.end(signal.reason instanceof DomainError ? signal.reason : null)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    subscribers.add(subscriber)
    start()
    try {
      for await (const window of subscriber.windows()) yield toProgress(window)
    } finally {
      signal.removeEventListener('abort', abort)
      subscribers.delete(subscriber)
    }
  }

  return {
    follow(actor, filter, signal) {
      requireLevel(actor, 'READ_ONLY')
      requireStaff(actor)
      const wanted = parse(DeliveryFilter, filter)
      return follow(new DeliverySubscriber(actor, wanted, () => deps.clock.now()), signal)
    },
    close() {
      const fault = new StreamEndedError('The server is stopping: subscribe again')
      for (const subscriber of subscribers) subscriber.end(fault)
      subscribers.clear()
    },
  }
}

async function loadDeliveries({ db }: Deps, workspaceId: string, ids: string[]): Promise<DeliveryWithEvent[]> {
  if (ids.length === 0) return []
  const where = { id: { in: ids }, workspaceId, endpoint: { unregisteredAt: null } }
  const rows = await db.prisma.delivery.findMany({ where, include: WITH_EVENT })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** One subscription: gathers until it is read, and is read once per look at most. */
class DeliverySubscriber {
  readonly actor: Actor
  readonly #filter: DeliveryFilter
  readonly #now: () => Date
  #gathering: ProgressWindow
  /** What the reader gets next. */
  #ready: ProgressWindow | null = null
  #isFirst = true
  #isEnded = false
  #fault: Error | null = null
  #wake: () => void = () => undefined

  constructor(actor: Actor, filter: DeliveryFilter, now: () => Date) {
    this.actor = actor
    this.#filter = filter
    this.#now = now
    this.#gathering = new ProgressWindow(now())
  }

  take(rows: readonly ProgressRow[]): void {
    for (const row of rows) if (this.#takes(row)) this.#gathering.add(row)
  }

  /** The first window may be empty: it tells that from here on nothing is missed. */
  flush(): void {
    if (this.#ready !== null || (this.#gathering.isEmpty && !this.#isFirst)) return
    this.#isFirst = false
    this.#ready = this.#gathering
    this.#gathering = new ProgressWindow(this.#now())
    this.#wake()
  }

  #takes(row: ProgressRow): boolean {
    const { actor } = this
    if (row.workspaceId !== actor.workspaceId || isNeighbour(actor, row.agentId)) return false
    return isWanted(row, this.#filter)
  }

  end(fault: Error | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#fault = fault
    this.#wake()
  }

  async *windows(): AsyncGenerator<ProgressWindow, void, undefined> {
    while (!this.#isEnded) {
      const window = this.#ready
      if (window === null) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      this.#ready = null
      yield window
    }
    if (this.#fault !== null) throw this.#fault
  }
}
