import {
  endOfLog,
  isBefore,
  type LoggedEvent,
  type LogPosition,
  PAGE,
  positionOfRow,
  readLog,
  toEvent,
} from '../domain/events/event-position.ts'
import { eventsTopic } from '../domain/events/events.ts'
import type { Deps } from '../domain/shared/deps.ts'

const POLL_MS = 1000
const UNSETTLED_MS = 5
const BUFFER = 1000

/** The reader was too slow, or the log is closing: resume after the last event that arrived. */
export class StreamEndedError extends Error {
  override name = 'StreamEndedError'
}

/** Reads one workspace's log at its end and hands every new event to each subscriber. */
export class LogTailer {
  readonly #deps: Deps
  readonly #workspaceId: string
  readonly #forget: () => void
  readonly #subscribers = new Set<SubscriberBuffer>()
  readonly #unsubscribe: () => void
  #position: Promise<LogPosition>
  #timer: NodeJS.Timeout | undefined
  /** Milliseconds until the next look for the end of an older writer. */
  #patience = UNSETTLED_MS
  /** When the first event happened that stands behind a writer that is not done; null: none does. */
  #waitingSince: Date | null = null
  #isReading = false
  #isStale = false

  constructor(deps: Deps, workspaceId: string, forget: () => void) {
    this.#deps = deps
    this.#workspaceId = workspaceId
    this.#forget = forget
    this.#position = endOfLog(deps, workspaceId)
    this.#unsubscribe = deps.bus.subscribe(eventsTopic(workspaceId), () => this.#read())
    this.#schedule(POLL_MS)
  }

  /** How long the first event has waited that is stored and cannot be shown yet. */
  lagMs(now: Date): number {
    return this.#waitingSince === null ? 0 : Math.max(0, now.getTime() - this.#waitingSince.getTime())
  }

  attach(subscriber: SubscriberBuffer): void {
    this.#subscribers.add(subscriber)
  }

  /** Where a reader's live events begin: everything up to here is in the log, everything after comes to the reader. */
  async start(subscriber: SubscriberBuffer): Promise<LogPosition> {
    const position = await this.#position
    return subscriber.first ?? position
  }

  detach(subscriber: SubscriberBuffer): void {
    this.#subscribers.delete(subscriber)
    if (this.#subscribers.size === 0) this.close()
  }

  close(): void {
    this.#forget()
    this.#unsubscribe()
    clearTimeout(this.#timer)
    const fault = new StreamEndedError('The server is stopping: resume after the last event')
    for (const subscriber of this.#subscribers) subscriber.end(fault)
    this.#subscribers.clear()
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#read(), ms)
    this.#timer.unref()
  }

  /** One read at a time; wake-ups that come meanwhile are one more read. */
  #read(): void {
    if (this.#isReading) {
      this.#isStale = true
      return
    }
    this.#isReading = true
    this.#advance()
      .then(
        (delay) => this.#schedule(delay),
        (error: unknown) => {
          this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'event log not read')
          this.#schedule(POLL_MS)
        },
      )
      .finally(() => {
        this.#isReading = false
        if (this.#isStale && this.#subscribers.size > 0) this.#read()
      })
  }

  /** @returns milliseconds until the next look */
  async #advance(): Promise<number> {
    this.#isStale = false
    if (this.#subscribers.size === 0) return POLL_MS
    const position = await this.#position
    const end = await endOfLog(this.#deps, this.#workspaceId)
    const rows = await readLog(this.#deps, this.#workspaceId, { after: position, includeTests: true })
    const firstUnsettled = rows.findIndex((row) => !isBefore(positionOfRow(row), end))
    this.#waitingSince = rows[firstUnsettled]?.created_at ?? null
    const settled = firstUnsettled === -1 ? rows : rows.slice(0, firstUnsettled)
    const last = settled.at(-1)
    if (last !== undefined) {
      for (const event of settled.map(toEvent))
        for (const subscriber of this.#subscribers) subscriber.push(event, position)
      this.#position = Promise.resolve(positionOfRow(last))
    }
    if (settled.length === PAGE) return 0
    if (settled.length > 0 || firstUnsettled === -1) this.#patience = UNSETTLED_MS
    if (firstUnsettled === -1) return POLL_MS
    // An older writer is not done yet, and its end may wake nobody. Most end within milliseconds.
    const delay = this.#patience
    this.#patience = Math.min(2 * delay, POLL_MS)
    return delay
  }
}

/** One subscriber's bounded buffer. */
export class SubscriberBuffer {
  /** The tailer's position just before the first event that came here. */
  first: LogPosition | null = null
  #events: LoggedEvent[] = []
  #isEnded = false
  #fault: Error | null = null
  #isOverrun = false
  #wake: () => void = () => undefined

  push(event: LoggedEvent, before: LogPosition): void {
    this.first ??= before
    if (this.#events.length >= BUFFER) this.#isOverrun = true
    else if (!this.#isOverrun) this.#events.push(event)
    this.#wake()
  }

  end(fault: Error | null = null): void {
    this.#isEnded = true
    this.#fault ??= fault
    this.#wake()
  }

  /** All that waits, whenever something does. */
  async *batches(): AsyncGenerator<readonly LoggedEvent[], void, undefined> {
    while (!this.#isEnded) {
      const batch = this.#events
      this.#events = []
      if (batch.length > 0) yield batch
      if (this.#events.length > 0) continue
      if (this.#isOverrun)
        throw new StreamEndedError('Events came faster than they were read: resume after the last one')
      if (this.#isEnded) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#fault !== null) throw this.#fault
  }
}
