import type { Actor } from './actor.ts'
import { type ConversationWithPeople, WITH_PEOPLE } from './conversations.ts'
import type { Deps } from './deps.ts'
import { DomainError } from './errors.ts'
import type { EventLog } from './event-log.ts'
import {
  type ConversationPosition,
  cursorAt,
  isBefore,
  lastPerConversation,
  type Position,
  positionOf,
} from './event-position.ts'
import { EventStreamEnded } from './event-tail.ts'
import { requireLevel, requireTeam } from './policy.ts'

/** What a live list of conversations learns at once. */
export interface InboxUpdate {
  /** Each as it is now, the one that changed last at the end; 100 at most. */
  readonly conversations: readonly ConversationWithPeople[]
  /** Of those that are no more. */
  readonly deletedIds: readonly string[]
  /** Resume after this update. */
  readonly cursor: string
}

/** What inboxes follow: one reader of the log per workspace and node, however many follow it. */
export interface InboxFeed {
  /**
   * The workspace's conversations that changed, each with its latest state. The first update comes at once; with `after`
   * the first ones have every conversation that changed since that cursor, once. Then each at most four times a second,
   * and no more updates than that unless more than a hundred changed. Ends when `signal` is aborted; with an error when it
   * is aborted with a DomainError.
   * @throws at once: ForbiddenError, ValidationError for a malformed cursor. While it runs: EventStreamEnded when the
   * reader falls behind by more conversations than are kept for it
   */
  follow(
    actor: Actor,
    options: { after?: string | null },
    signal: AbortSignal,
  ): AsyncGenerator<InboxUpdate, void, undefined>
  close(): void
}

/** The time between two updates, in milliseconds. */
const WINDOW_MS = 250
/** The most that one update has. */
const PER_UPDATE = 100
/** How many conversations wait for a slow reader. */
const WAITING = 1000

export function openInboxFeed(deps: Deps, events: EventLog): InboxFeed {
  const inboxes = new Map<string, Inbox>()

  function inboxOf(workspaceId: string): Inbox {
    const existing = inboxes.get(workspaceId)
    if (existing !== undefined) return existing
    const inbox = new Inbox(deps, events, workspaceId, () => {
      if (inboxes.get(workspaceId) === inbox) inboxes.delete(workspaceId)
    })
    inboxes.set(workspaceId, inbox)
    return inbox
  }

  async function* follow(workspaceId: string, from: Position | null, signal: AbortSignal) {
    if (signal.reason instanceof DomainError) throw signal.reason
    if (signal.aborted) return
    const reader = new InboxReader()
    const inbox = inboxOf(workspaceId)
    const abort = () => reader.end(signal.reason instanceof DomainError ? signal.reason : null)
    signal.addEventListener('abort', abort, { once: true })
    inbox.attach(reader)
    try {
      const start = await inbox.start(reader)
      let position = from ?? start
      // Also when there is nothing: it tells where the rest begins, and in a long absence how far this has come.
      do {
        const { positions, reached } = isBefore(position, start)
          ? await lastPerConversation(deps, workspaceId, { after: position, upTo: start })
          : { positions: [], reached: position }
        if (positions.length === 0) yield toUpdate([], reached)
        for (const { part, last, isFinal } of parts(positions)) {
          yield toUpdate(await loadChanges(deps, workspaceId, part), isFinal ? reached : last)
        }
        position = reached
      } while (isBefore(position, start) && !signal.aborted)
      for await (const batch of reader.batches()) {
        const news = batch.filter((change) => isBefore(position, change))
        for (const { part, last } of parts(news)) yield toUpdate(part, last)
      }
    } finally {
      signal.removeEventListener('abort', abort)
      inbox.detach(reader)
    }
  }

  return {
    follow(actor, { after }, signal) {
      requireLevel(actor, 'READ_ONLY')
      requireTeam(actor)
      return follow(actor.workspaceId, after == null ? null : positionOf(after), signal)
    },
    close() {
      for (const inbox of inboxes.values()) inbox.close()
    },
  }
}

/** As many at a time as one update has. */
function* parts<T>(all: readonly T[]): Generator<{ part: readonly T[]; last: T; isFinal: boolean }> {
  for (let from = 0; from < all.length; from += PER_UPDATE) {
    const part = all.slice(from, from + PER_UPDATE)
    const last = part.at(-1)
    if (last !== undefined) yield { part, last, isFinal: from + PER_UPDATE >= all.length }
  }
}

/** A conversation, and the place of its last event in the log. */
interface Change extends ConversationPosition {
  /** Null: it is no more. */
  readonly conversation: ConversationWithPeople | null
}

async function loadChanges(
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

function toUpdate(changes: readonly Change[], position: Position): InboxUpdate {
  return {
    conversations: changes.flatMap(({ conversation }) => conversation ?? []),
    deletedIds: changes.flatMap(({ conversation, conversationId }) => (conversation === null ? [conversationId] : [])),
    cursor: cursorAt(position),
  }
}

/** Gathers what changed in one workspace, and hands it to every reader once per window. */
class Inbox {
  readonly #deps: Deps
  readonly #workspaceId: string
  readonly #forget: () => void
  readonly #readers = new Set<InboxReader>()
  readonly #controller = new AbortController()
  /** Changed since the last window; in the log's order. */
  #changed = new Map<string, ConversationPosition>()
  /** Everything up to here has been handed over. */
  readonly #began = Promise.withResolvers<Position>()
  #handed: Position | null = null
  #timer: NodeJS.Timeout | undefined
  #isHanding = false

  constructor(deps: Deps, events: EventLog, workspaceId: string, forget: () => void) {
    this.#deps = deps
    this.#workspaceId = workspaceId
    this.#forget = forget
    // Without readers nobody waits for it.
    this.#began.promise.catch(() => undefined)
    void this.#gather(events)
  }

  attach(reader: InboxReader): void {
    this.#readers.add(reader)
  }

  /** Where a reader's live changes begin. */
  async start(reader: InboxReader): Promise<Position> {
    const began = await this.#began.promise
    return reader.first ?? this.#handed ?? began
  }

  detach(reader: InboxReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size === 0) this.close()
  }

  close(fault: Error = new EventStreamEnded('The server is stopping: resume after the last update')): void {
    this.#forget()
    clearTimeout(this.#timer)
    this.#controller.abort()
    this.#began.reject(fault)
    for (const reader of this.#readers) reader.end(fault)
    this.#readers.clear()
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
      this.close(error instanceof EventStreamEnded ? error : lost())
      if (!(error instanceof EventStreamEnded)) {
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'an inbox could not follow the event log')
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
        for (const reader of this.#readers) reader.push(changes, before)
        this.#wait()
      })
      .catch((error: unknown) => {
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'changed conversations could not be read')
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

  /** The window: what changes until then goes together. */
  #wait(): void {
    if (this.#controller.signal.aborted) return
    this.#timer = setTimeout(() => this.#handOver(), WINDOW_MS)
    this.#timer.unref()
  }
}

function lost(): EventStreamEnded {
  return new EventStreamEnded('The inbox lost its place: resume after the last update')
}

/** One follower's bounded buffer: a conversation that changes again takes its older place. */
class InboxReader {
  /** What had been handed over just before the first changes that came here. */
  first: Position | null = null
  #changes = new Map<string, Change>()
  #isEnded = false
  #fault: Error | null = null
  #isOverrun = false
  #wake: () => void = () => undefined

  push(changes: readonly Change[], before: Position): void {
    this.first ??= before
    for (const change of changes) {
      if (this.#isOverrun) return
      this.#changes.delete(change.conversationId)
      if (this.#changes.size >= WAITING) this.#isOverrun = true
      else this.#changes.set(change.conversationId, change)
    }
    this.#wake()
  }

  end(fault: Error | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#fault = fault
    this.#wake()
  }

  async *batches(): AsyncGenerator<readonly Change[], void, undefined> {
    while (!this.#isEnded) {
      const batch = [...this.#changes.values()]
      this.#changes = new Map()
      if (batch.length > 0) yield batch
      if (this.#changes.size > 0) continue
      if (this.#isOverrun) {
        throw new EventStreamEnded('Conversations changed faster than they were read: resume after the last update')
      }
      if (this.#isEnded) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#fault !== null) throw this.#fault
  }
}
