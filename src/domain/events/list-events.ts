import { z } from 'zod'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { idText, parse } from '../shared/input.ts'
import { type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import {
  countLog,
  cursorKeyOf,
  type EventFilter,
  earlier,
  endOfLog,
  type FoundEvent,
  LogCursorKey,
  type LoggedEvent,
  type LogPosition,
  positionOfKey,
  readPage,
  requireKept,
  sizeOfEvent,
  toFoundEvent,
} from './event-position.ts'

const Filter = z.object({ conversationId: idText.nullish() })

/** @throws ValidationError when the filter contains an invalid conversation id */
export function requireEventFilter(filter: EventFilter): void {
  parse(Filter, filter)
}

const BEGINNING: LogPosition = { xid: 0n, seq: 0n }

/** The log as a list, oldest first. It ends at the horizon. */
export async function listEvents(
  deps: Deps,
  actor: Actor,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<LoggedEvent>> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  requireEventFilter(filter)
  const { workspaceId } = actor
  return paginate<FoundEvent, LogCursorKey>(page, {
    cursorKey: LogCursorKey,
    cursorKeyOf: ({ cursor }) => cursorKeyOf(cursor),
    async find({ after, before, take, reverse }) {
      const end = await endOfLog(deps, workspaceId)
      const from = after === null ? BEGINNING : positionOfKey(after)
      const to = before === null ? end : earlier(positionOfKey(before), end)
      const rows = await readPage(deps, workspaceId, { ...filter, after: from, before: to, limit: take, reverse })
      await requireKept(deps, workspaceId, from)
      return rows.map(toFoundEvent)
    },
    count: () => countLog(deps, workspaceId, filter),
    sizeOf: sizeOfEvent,
  })
}
