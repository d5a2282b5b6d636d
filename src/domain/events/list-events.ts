import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import { type EventFilter, requireEventFilter } from './event-filter.ts'
import {
  countLog,
  earlier,
  endOfLog,
  type FoundEvent,
  keyOfPosition,
  LogCursorKey,
  type LoggedEvent,
  type LogPosition,
  positionOfKey,
  readPage,
  requireKept,
  sizeOfEvent,
  toFoundEvent,
} from './event-position.ts'

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
    cursorKeyOf: ({ position }) => keyOfPosition(position),
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
