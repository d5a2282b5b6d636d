import type { z } from 'zod'
import { type ChangeFilter, changeFilterOf } from '../domain/conversations/changed-conversations.ts'
import type { ConversationFilter } from '../domain/conversations/conversation-filter.ts'
import type { ConversationWithPeople } from '../domain/conversations/conversations.ts'
import { countsFor, type InboxCounts, type InboxTally } from '../domain/conversations/inbox-counts.ts'
import { changedSubjects } from '../domain/events/changed-subjects.ts'
import { cursorAt, isBefore, type LogPosition, positionOf, requireKept } from '../domain/events/event-position.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { requireLevel, requireStaff } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import type { EventLog } from './event-log.ts'
import { type Change, InboxSubscriberBuffer } from './inbox-buffer.ts'
import { InboxJudge } from './inbox-judge.ts'
import { InboxTailer } from './inbox-tailer.ts'
import { PendingChanges } from './pending-changes.ts'

/** What a live list of conversations learns at once. */
export interface InboxUpdate {
  /** Those that changed and match the filter, each as it is now, the one that changed last at the end. */
  readonly conversations: readonly ConversationWithPeople[]
  /** Of those that changed and do not match, or are no more. With the conversations, 100 at most. */
  readonly removedIds: readonly string[]
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
   * and no more updates than that unless more than a hundred changed. A change of a visitor's name, address or picture changes
   * all of their conversations. Ends when `signal` is aborted; with an error when it is aborted with a DomainError.
   * @throws at once: ForbiddenError, ValidationError for a malformed cursor and for a filter that lists refuse. While it runs:
   * StreamEndedError when the reader falls behind by more conversations than are kept for it; ValidationError when what
   * happened after the cursor was removed for its age
   */
  follow(actor: Actor, options: InboxOptions, signal: AbortSignal): AsyncGenerator<InboxUpdate, void, undefined>
  close(): void
}

export interface InboxOptions {
  readonly after?: string | null
  /** Whose list it is; left out: of all conversations. */
  readonly filter?: z.input<typeof ConversationFilter>
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
    wanted: ChangeFilter,
    signal: AbortSignal,
  ): AsyncGenerator<InboxUpdate, void, undefined> {
    const { workspaceId } = actor
    if (signal.reason instanceof DomainError) throw signal.reason
    if (signal.aborted) return
    const buffer = new InboxSubscriberBuffer()
    const tailer = tailerOf(workspaceId)
    const abort = () => buffer.end(signal.reason instanceof DomainError ? signal.reason : null)
    signal.addEventListener('abort', abort, { once: true })
    try {
      const { start, filter } = await tailer.attach(buffer, wanted)
      let position = from ?? start
      const counter = new CountsDelta(actor)
      let counts = once(async () => counter.tell(await tailer.tally(buffer)))
      // Also when there is nothing: it tells where the rest begins, and in a long absence how far this has come.
      for await (const { changes, upTo } of missed(deps, workspaceId, { after: position, upTo: start }, wanted)) {
        position = later(position, upTo)
        yield toUpdate(changes, position, wanted, counts)
        counts = unchanged
        if (signal.aborted) break
      }
      for await (const { changes, tally } of buffer.batches()) {
        const told = tally === null ? null : counter.tell(tally)
        if (changes.length === 0 && told !== null) yield toUpdate([], position, filter, async () => told)
        for (const { part, last, isFinal } of chunks(changes)) {
          // What was caught up with, or read after the start, may come once more, from a visitor with many conversations.
          position = later(position, last.upTo)
          yield toUpdate(part, position, filter, isFinal ? async () => told : unchanged)
        }
      }
    } finally {
      signal.removeEventListener('abort', abort)
      tailer.detach(buffer, wanted)
    }
  }

  return {
    follow(actor, { after, filter = {} }, signal) {
      requireLevel(actor, 'READ_ONLY')
      requireStaff(actor)
      return follow(actor, after == null ? null : positionOf(after), changeFilterOf(actor, filter), signal)
    },
    close() {
      for (const tailer of tailers.values()) tailer.close()
    },
  }
}

/**
 * What changed in a part of the log, in updates. An empty one at least, and one for each look that found nothing. Everything that
 * it has was committed before it began, so what is told once is told in the state after all of it.
 */
async function* missed(
  deps: Deps,
  workspaceId: string,
  range: { readonly after: LogPosition; readonly upTo: LogPosition },
  filter: ChangeFilter,
): AsyncGenerator<{ changes: readonly Change[]; upTo: LogPosition }, void, undefined> {
  const judge = new InboxJudge(deps, workspaceId)
  const reject = (_: ChangeFilter, error: unknown) => {
    throw error
  }
  if (isBefore(range.after, range.upTo)) await judge.add(filter)
  let position = range.after
  do {
    const { subjects, reached } = isBefore(position, range.upTo)
      ? await changedSubjects(deps, workspaceId, { after: position, upTo: range.upTo })
      : { subjects: [], reached: position }
    if (isBefore(position, reached)) await requireKept(deps, workspaceId, position)
    const pending = new PendingChanges(deps, workspaceId)
    for (const subject of subjects) pending.add(subject)
    let isTold = false
    while (pending.size > 0) {
      const next = await pending.next(PER_UPDATE, position, range)
      const changes = await judge.judge(next.changes, reject)
      next.done()
      for (const { part, last } of chunks(changes)) {
        isTold = true
        const isLast = pending.size === 0 && last === changes.at(-1)
        yield { changes: part, upTo: isLast ? reached : last.upTo }
      }
      position = next.upTo
    }
    if (!isTold) yield { changes: [], upTo: reached }
    position = reached
  } while (isBefore(position, range.upTo))
}

function later(a: LogPosition, b: LogPosition): LogPosition {
  return isBefore(a, b) ? b : a
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

function toUpdate(
  changes: readonly Change[],
  position: LogPosition,
  filter: ChangeFilter,
  counts: InboxUpdate['counts'],
): InboxUpdate {
  const conversations: ConversationWithPeople[] = []
  const removedIds: string[] = []
  for (const { conversationId, conversation, matches } of changes) {
    if (conversation !== null && matches.has(filter)) conversations.push(conversation)
    else removedIds.push(conversationId)
  }
  return { conversations, removedIds, cursor: cursorAt(position), counts }
}
