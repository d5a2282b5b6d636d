import type { ConversationWithPeople } from '../domain/conversations/conversations.ts'
import { countsFor, type InboxCounts, type InboxTally } from '../domain/conversations/inbox-counts.ts'
import {
  cursorAt,
  isBefore,
  type LogPosition,
  lastPerConversation,
  positionOf,
} from '../domain/events/event-position.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { requireLevel, requireStaff } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import type { EventLog } from './event-log.ts'
import { type Change, InboxSubscriberBuffer, InboxTailer, loadChanges } from './inbox-tailer.ts'

/** What a live list of conversations learns at once. */
export interface InboxUpdate {
  /** Each as it is now, the one that changed last at the end; 100 at most. */
  readonly conversations: readonly ConversationWithPeople[]
  /** Of those that are no more. */
  readonly deletedIds: readonly string[]
  /** Resume after this update. */
  readonly cursor: string
  /**
   * Null when they have not changed since they were last told. The first update has them when it is asked; whoever asked
   * then is told of changes, at most once a second, if need be in an update without conversations.
   */
  counts(): Promise<InboxCounts | null>
}

/** What inboxes follow: one reader of the log per workspace and node, however many follow it. */
export interface InboxStreams {
  /**
   * The workspace's conversations that changed, each with its latest state. The first update comes at once; with `after`
   * the first ones have every conversation that changed since that cursor, once. Then each at most four times a second,
   * and no more updates than that unless more than a hundred changed. Ends when `signal` is aborted; with an error when it
   * is aborted with a DomainError.
   * @throws at once: ForbiddenError, ValidationError for a malformed cursor. While it runs: StreamEndedError when the
   * reader falls behind by more conversations than are kept for it
   */
  follow(
    actor: Actor,
    options: { after?: string | null },
    signal: AbortSignal,
  ): AsyncGenerator<InboxUpdate, void, undefined>
  close(): void
}

/** The most that one update has. */
const PER_UPDATE = 100

export function openInboxStreams(deps: Deps, events: EventLog): InboxStreams {
  const tailers = new Map<string, InboxTailer>()

  function tailerOf(workspaceId: string): InboxTailer {
    const existing = tailers.get(workspaceId)
    if (existing !== undefined) return existing
    const tailer = new InboxTailer(deps, events, workspaceId, () => {
      if (tailers.get(workspaceId) === tailer) tailers.delete(workspaceId)
    })
    tailers.set(workspaceId, tailer)
    return tailer
  }

  async function* follow(
    actor: Actor,
    from: LogPosition | null,
    signal: AbortSignal,
  ): AsyncGenerator<InboxUpdate, void, undefined> {
    const { workspaceId } = actor
    if (signal.reason instanceof DomainError) throw signal.reason
    if (signal.aborted) return
    const buffer = new InboxSubscriberBuffer()
    const tailer = tailerOf(workspaceId)
    const abort = () => buffer.end(signal.reason instanceof DomainError ? signal.reason : null)
    signal.addEventListener('abort', abort, { once: true })
    tailer.attach(buffer)
    try {
      const start = await tailer.start(buffer)
      let position = from ?? start
      const counter = new CountsDelta(actor)
      let counts = once(async () => counter.tell(await tailer.tally(buffer)))
      // Also when there is nothing: it tells where the rest begins, and in a long absence how far this has come.
      do {
        const { positions, reached } = isBefore(position, start)
          ? await lastPerConversation(deps, workspaceId, { after: position, upTo: start })
          : { positions: [], reached: position }
        if (positions.length === 0) yield toUpdate([], reached, counts)
        for (const { part, last, isFinal } of chunks(positions)) {
          yield toUpdate(await loadChanges(deps, workspaceId, part), isFinal ? reached : last, counts)
          counts = unchanged
        }
        counts = unchanged
        position = reached
      } while (isBefore(position, start) && !signal.aborted)
      for await (const { changes, tally } of buffer.batches()) {
        const told = tally === null ? null : counter.tell(tally)
        const news = changes.filter((change) => isBefore(position, change))
        if (news.length === 0 && told !== null) yield toUpdate([], position, async () => told)
        for (const { part, last, isFinal } of chunks(news)) {
          position = last
          yield toUpdate(part, last, isFinal ? async () => told : unchanged)
        }
      }
    } finally {
      signal.removeEventListener('abort', abort)
      tailer.detach(buffer)
    }
  }

  return {
    follow(actor, { after }, signal) {
      requireLevel(actor, 'READ_ONLY')
      requireStaff(actor)
      return follow(actor, after == null ? null : positionOf(after), signal)
    },
    close() {
      for (const tailer of tailers.values()) tailer.close()
    },
  }
}

/** As many at a time as one update has. */
function* chunks<T>(all: readonly T[]): Generator<{ part: readonly T[]; last: T; isFinal: boolean }> {
  for (let from = 0; from < all.length; from += PER_UPDATE) {
    const part = all.slice(from, from + PER_UPDATE)
    const last = part.at(-1)
    if (last !== undefined) yield { part, last, isFinal: from + PER_UPDATE >= all.length }
  }
}

/** What one actor has been told of the counts. */
class CountsDelta {
  readonly #actor: Actor
  #told = ''

  constructor(actor: Actor) {
    this.#actor = actor
  }

  /** @returns null when the actor knows them already */
  tell(tally: InboxTally): InboxCounts | null {
    const counts = countsFor(tally, this.#actor)
    const text = JSON.stringify(counts)
    if (text === this.#told) return null
    this.#told = text
    return counts
  }
}

const unchanged = async () => null

/** However often it is asked. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask()
    return asked
  }
}

function toUpdate(changes: readonly Change[], position: LogPosition, counts: InboxUpdate['counts']): InboxUpdate {
  return {
    conversations: changes.flatMap(({ conversation }) => conversation ?? []),
    deletedIds: changes.flatMap(({ conversation, conversationId }) => (conversation === null ? [conversationId] : [])),
    cursor: cursorAt(position),
    counts,
  }
}
