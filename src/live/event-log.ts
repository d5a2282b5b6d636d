import { type EventFilter, isWanted, requireEventFilter } from '../domain/events/event-filter.ts'
import {
  cursorAt,
  isBefore,
  type LoggedEvent,
  type LogPosition,
  PAGE,
  positionOf,
  positionOfRow,
  readLog,
  requireKept,
  toEvent,
} from '../domain/events/event-position.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { requireLevel, requireStaff } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import { LogTailer, SubscriberBuffer } from './log-tailer.ts'

/** What a subscriber gets at once. */
export interface LogBatch {
  /** In the log's order; may be none. */
  readonly events: readonly LoggedEvent[]
  /** Everything that is wanted up to here has come. */
  readonly cursor: string
}

/** One event, for whoever follows the log. */
export interface EventUpdate {
  readonly event: LoggedEvent
  /** Resume after this event. */
  readonly cursor: string
}

export interface FollowOptions extends EventFilter {
  /** Everything since this cursor comes first; null: only what happens from now on. */
  readonly after?: string | null
}

/** The live end of the log: one reader per workspace and node, however many follow it. */
export interface EventLog {
  /**
   * Events as they are committed, each once, in the log's order; with `after`, first everything since that cursor.
   * Ends when `signal` is aborted; with an error when it is aborted with a DomainError.
   * @throws at once: ForbiddenError, ValidationError for a malformed cursor. While it runs: StreamEndedError when the
   * reader falls behind
   */
  follow(actor: Actor, options: FollowOptions, signal: AbortSignal): AsyncGenerator<EventUpdate, void, undefined>
  /**
   * The same in batches, for streams that have judged who may see it. The first comes at once, even when it is empty, and
   * tells where the rest begins.
   * @throws ValidationError at once for a malformed cursor
   */
  batches(workspaceId: string, options: FollowOptions, signal: AbortSignal): AsyncGenerator<LogBatch, void, undefined>
  /** How long the first event has waited, in milliseconds, that is stored and cannot be shown yet; 0: none does. */
  lagMs(): number
  close(): void
}

export function openEventLog(deps: Deps): EventLog {
  const tailers = new Map<string, LogTailer>()

  function tailerOf(workspaceId: string): LogTailer {
    const existing = tailers.get(workspaceId)
    if (existing !== undefined) return existing
    const tailer = new LogTailer(deps, workspaceId, () => tailers.delete(workspaceId))
    tailers.set(workspaceId, tailer)
    return tailer
  }

  async function* readBatches(
    workspaceId: string,
    from: LogPosition | null,
    filter: EventFilter,
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch, void, undefined> {
    if (signal.reason instanceof DomainError) throw signal.reason
    if (signal.aborted) return
    const buffer = new SubscriberBuffer()
    const tailer = tailerOf(workspaceId)
    const abort = () => buffer.end(signal.reason instanceof DomainError ? signal.reason : null)
    signal.addEventListener('abort', abort, { once: true })
    tailer.attach(buffer)
    try {
      const start = await tailer.start(buffer)
      let position = from ?? start
      yield { events: [], cursor: cursorAt(position) }
      while (isBefore(position, start) && !signal.aborted) {
        const rows = await readLog(deps, workspaceId, { ...filter, after: position, upTo: start })
        await requireKept(deps, workspaceId, position)
        const last = rows.at(-1)
        position = last === undefined || rows.length < PAGE ? start : positionOfRow(last)
        if (rows.length > 0) yield { events: rows.map(toEvent), cursor: cursorAt(position) }
      }
      for await (const batch of buffer.batches()) {
        const isNew = (event: LoggedEvent) => isBefore(position, event.position)
        const events = batch.filter((event) => isWanted(event, filter) && isNew(event))
        const last = batch.at(-1)
        if (events.length > 0 && last !== undefined) yield { events, cursor: cursorAt(last.position) }
      }
    } finally {
      signal.removeEventListener('abort', abort)
      tailer.detach(buffer)
    }
  }

  const batches: EventLog['batches'] = (workspaceId, { after, ...filter }, signal) =>
    readBatches(workspaceId, after == null ? null : positionOf(after), filter, signal)

  return {
    batches,
    follow(actor, options, signal) {
      requireLevel(actor, 'READ_ONLY')
      requireStaff(actor)
      requireEventFilter(options)
      return flatten(batches(actor.workspaceId, options, signal))
    },
    lagMs: () => Math.max(0, ...[...tailers.values()].map((tailer) => tailer.lagMs(deps.clock.now()))),
    close() {
      for (const tailer of tailers.values()) tailer.close()
    },
  }
}

async function* flatten(batches: AsyncGenerator<LogBatch>): AsyncGenerator<EventUpdate, void, undefined> {
  for await (const { events } of batches) {
    for (const event of events) yield { event, cursor: cursorAt(event.position) }
  }
}
