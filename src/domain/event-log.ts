import type { Actor } from './actor.ts'
import type { Deps } from './deps.ts'
import { DomainError } from './errors.ts'
import {
  countLog,
  type EventFilter,
  isBefore,
  type LoggedEvent,
  PAGE,
  type Position,
  positionOf,
  positionOfRow,
  readLog,
  toEvent,
} from './event-position.ts'
import { Reader, Tail } from './event-tail.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import { requireLevel } from './policy.ts'

/** The live end of the log: one reader per workspace and node, however many follow it. */
export interface EventLog {
  /**
   * Events as they are committed, each once, in the log's order; with `after`, first everything since that cursor.
   * Ends when `signal` is aborted; with an error when it is aborted with a DomainError.
   * @throws ValidationError for a malformed cursor; EventStreamEnded when the reader falls behind
   */
  follow(
    actor: Actor,
    options: EventFilter & { after?: string | null },
    signal: AbortSignal,
  ): AsyncGenerator<LoggedEvent, void, undefined>
  close(): void
}

export function openEventLog(deps: Deps): EventLog {
  const tails = new Map<string, Tail>()

  function tailOf(workspaceId: string): Tail {
    const existing = tails.get(workspaceId)
    if (existing !== undefined) return existing
    const tail = new Tail(deps, workspaceId, () => tails.delete(workspaceId))
    tails.set(workspaceId, tail)
    return tail
  }

  return {
    async *follow(actor, { after, types, conversationId }, signal) {
      requireLevel(actor, 'READ_ONLY')
      const { workspaceId } = actor
      const from = after == null ? null : positionOf(after)
      const isWanted = (event: LoggedEvent) =>
        (types == null || types.includes(event.type)) &&
        (conversationId == null || event.conversationId === conversationId)
      if (signal.aborted) return
      const reader = new Reader()
      const tail = tailOf(workspaceId)
      const abort = () => reader.end(signal.reason instanceof DomainError ? signal.reason : null)
      signal.addEventListener('abort', abort, { once: true })
      tail.attach(reader)
      try {
        const start = await tail.start(reader)
        let position = from ?? start
        while (isBefore(position, start) && !signal.aborted) {
          const rows = await readLog(deps, workspaceId, { after: position, upTo: start })
          for (const event of rows.map(toEvent)) if (isWanted(event)) yield event
          const last = rows.at(-1)
          position = last === undefined || rows.length < PAGE ? start : positionOfRow(last)
        }
        for await (const event of reader.events()) {
          if (isWanted(event) && isBefore(position, positionOf(event.cursor))) yield event
        }
      } finally {
        signal.removeEventListener('abort', abort)
        tail.detach(reader)
      }
    },
    close() {
      for (const tail of tails.values()) tail.close()
    },
  }
}

const BEGINNING: Position = { xid: 0n, seq: 0n }

/** The log as a list, oldest first. Ends before whatever a running transaction may still put in between. */
export async function listEvents(
  deps: Deps,
  actor: Actor,
  filter: EventFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<LoggedEvent>> {
  requireLevel(actor, 'READ_ONLY')
  const { workspaceId } = actor
  const after = cursor === null ? BEGINNING : positionOf(cursor)
  const rows = await readLog(deps, workspaceId, { ...filter, after, limit: limit + 1 })
  const settled = rows.filter((row) => row.settled).map(toEvent)
  return cutPage(
    settled,
    limit,
    () => countLog(deps, workspaceId, filter),
    (event) => event.cursor,
  )
}
