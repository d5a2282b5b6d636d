import { type ConversationWithPeople, WITH_PEOPLE } from '../domain/conversations/conversations.ts'
import { type InboxTally, tallyInbox } from '../domain/conversations/inbox-counts.ts'
import { type ConversationPosition, type LogPosition, positionOf } from '../domain/events/event-position.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { EventLog } from './event-log.ts'
import { StreamEndedError } from './log-tailer.ts'

/** The time between two updates, in milliseconds. */
const WINDOW_MS = 250
/** The time between two counts, in milliseconds. */
const TALLY_MS = 1000
/** How many conversations wait for a slow reader. */
const WAITING = 1000

/** A conversation, and the place of its last event in the log. */
export interface Change extends ConversationPosition {
  /** Null: it is no more. */
  readonly conversation: ConversationWithPeople | null
}

export async function loadChanges(
  { db }: Deps,
  workspaceId: string,
  positions: readonly ConversationPosition[],
): Promise<Change[]> {
  if (positions.length === 0) return []
  const ids = positions.map(({ conversationId }) => conversationId)
  const rows = await db.prisma.conversation.findMany({ where: { id: { in: ids }, workspaceId }, include: WITH_PEOPLE })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return positions.map((at) => ({ ...at, conversation: byId.get(at.conversationId) ?? null }))
}

/** Gathers what changed in one workspace, and hands it to every subscriber once per window. */
export class InboxTailer {
  readonly #deps: Deps
  readonly #workspaceId: string
  readonly #forget: () => void
  readonly #subscribers = new Set<InboxSubscriberBuffer>()
  readonly #controller = new AbortController()
  /** Changed since the last window; in the log's order. */
  #changed = new Map<string, ConversationPosition>()
  /** Everything up to here has been handed over. */
  readonly #began = Promise.withResolvers<LogPosition>()
  #handed: LogPosition | null = null
  #timer: NodeJS.Timeout | undefined
  #isHanding = false
  /** The latest count, or the one under way. */
  #tally: { readonly began: number; readonly found: Promise<InboxTally>; isStale: boolean } | null = null
  #tallyTimer: NodeJS.Timeout | undefined

  constructor(deps: Deps, events: EventLog, workspaceId: string, forget: () => void) {
    this.#deps = deps
    this.#workspaceId = workspaceId
    this.#forget = forget
    // Without readers nobody waits for it.
    this.#began.promise.catch(() => undefined)
    void this.#gather(events)
  }

  attach(subscriber: InboxSubscriberBuffer): void {
    this.#subscribers.add(subscriber)
  }

  /** Where a reader's live changes begin. */
  async start(subscriber: InboxSubscriberBuffer): Promise<LogPosition> {
    const began = await this.#began.promise
    return subscriber.first ?? this.#handed ?? began
  }

  detach(subscriber: InboxSubscriberBuffer): void {
    this.#subscribers.delete(subscriber)
    if (this.#subscribers.size === 0) this.close()
  }

  close(fault: Error = new StreamEndedError('The server is stopping: resume after the last update')): void {
    this.#forget()
    clearTimeout(this.#timer)
    clearTimeout(this.#tallyTimer)
    this.#controller.abort()
    this.#began.reject(fault)
    for (const subscriber of this.#subscribers) subscriber.end(fault)
    this.#subscribers.clear()
  }

  async #gather(events: EventLog): Promise<void> {
    try {
      for await (const batch of events.batches(this.#workspaceId, {}, this.#controller.signal)) {
        if (this.#handed === null) {
          this.#handed = positionOf(batch.cursor)
          this.#began.resolve(this.#handed)
        }
        for (const { conversationId, cursor } of batch.events) {
          if (conversationId === null) continue
          this.#changed.delete(conversationId)
          this.#changed.set(conversationId, { conversationId, ...positionOf(cursor) })
        }
        if (this.#changed.size > 0 && this.#timer === undefined && !this.#isHanding) this.#handOver()
      }
    } catch (error) {
      this.close(error instanceof StreamEndedError ? error : positionLost())
      if (!(error instanceof StreamEndedError)) {
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'inbox stream not following the event log')
      }
    }
  }

  #handOver(): void {
    const all = [...this.#changed.values()]
    const positions = all.slice(0, WAITING)
    const last = positions.at(-1)
    this.#timer = undefined
    if (last === undefined) return
    this.#changed = new Map(all.slice(WAITING).map((at) => [at.conversationId, at]))
    this.#isHanding = true
    loadChanges(this.#deps, this.#workspaceId, positions)
      .then((changes) => {
        const before = this.#handed ?? last
        this.#handed = last
        for (const subscriber of this.#subscribers) subscriber.push(changes, before)
        if (this.#tally !== null) this.#tally.isStale = true
        this.#countLater()
        this.#wait()
      })
      .catch((error: unknown) => {
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'changed conversations not read')
        // Behind what came meanwhile these would be out of order.
        const newer = this.#changed
        this.#changed = new Map(positions.map((at) => [at.conversationId, at]))
        for (const [id, at] of newer) {
          this.#changed.delete(id)
          this.#changed.set(id, at)
        }
        this.#wait()
      })
      .finally(() => {
        this.#isHanding = false
      })
  }

  /** The workspace's counts as they are now: counted once for all who ask at once. Who asked is told when they change. */
  async tally(subscriber: InboxSubscriberBuffer): Promise<InboxTally> {
    subscriber.wantsCounts = true
    const known = this.#tally
    const found = known === null || known.isStale ? this.#count() : known.found
    const tally = await found
    // Something may have changed since it was asked for by somebody else.
    this.#countLater()
    return tally
  }

  #count(): Promise<InboxTally> {
    const found = tallyInbox(this.#deps, this.#workspaceId)
    const tally = { began: performance.now(), found, isStale: false }
    this.#tally = tally
    found.catch(() => {
      if (this.#tally === tally) this.#tally = null
    })
    return found
  }

  #countLater(): void {
    const isWanted = [...this.#subscribers].some(({ wantsCounts }) => wantsCounts)
    const { began = 0, isStale = true } = this.#tally ?? {}
    if (!isWanted || !isStale || this.#tallyTimer !== undefined || this.#controller.signal.aborted) return
    const delay = Math.max(0, began + TALLY_MS - performance.now())
    this.#tallyTimer = setTimeout(() => {
      this.#count()
        .then(
          (tally) => {
            for (const subscriber of this.#subscribers) subscriber.offer(tally)
          },
          (error: unknown) => {
            this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'inbox not counted')
          },
        )
        .finally(() => {
          this.#tallyTimer = undefined
          this.#countLater()
        })
    }, delay)
    this.#tallyTimer.unref()
  }

  /** The window: what changes until then goes together. */
  #wait(): void {
    if (this.#controller.signal.aborted) return
    this.#timer = setTimeout(() => this.#handOver(), WINDOW_MS)
    this.#timer.unref()
  }
}

function positionLost(): StreamEndedError {
  return new StreamEndedError('The inbox lost its place: resume after the last update')
}

/** What waits for a subscriber. */
export interface InboxBatch {
  readonly changes: readonly Change[]
  /** The latest counts; null: not counted again. */
  readonly tally: InboxTally | null
}

/** One subscriber's bounded buffer: a conversation that changes again takes its older place. */
export class InboxSubscriberBuffer {
  /** What had been handed over just before the first changes that came here. */
  first: LogPosition | null = null
  #changes = new Map<string, Change>()
  /** It has asked for counts, and is told when they change. */
  wantsCounts = false
  #tally: InboxTally | null = null
  #isEnded = false
  #fault: Error | null = null
  #isOverrun = false
  #wake: () => void = () => undefined

  push(changes: readonly Change[], before: LogPosition): void {
    this.first ??= before
    for (const change of changes) {
      if (this.#isOverrun) return
      this.#changes.delete(change.conversationId)
      if (this.#changes.size >= WAITING) this.#isOverrun = true
      else this.#changes.set(change.conversationId, change)
    }
    this.#wake()
  }

  offer(tally: InboxTally): void {
    if (!this.wantsCounts) return
    this.#tally = tally
    this.#wake()
  }

  end(fault: Error | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#fault = fault
    this.#wake()
  }

  async *batches(): AsyncGenerator<InboxBatch, void, undefined> {
    while (!this.#isEnded) {
      const batch = { changes: [...this.#changes.values()], tally: this.#tally }
      this.#changes = new Map()
      this.#tally = null
      if (batch.changes.length > 0 || batch.tally !== null) yield batch
      if (this.#changes.size > 0 || this.#tally !== null) continue
      if (this.#isOverrun) {
        throw new StreamEndedError('Conversations changed faster than they were read: resume after the last update')
      }
      if (this.#isEnded) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#fault !== null) throw this.#fault
  }
}
