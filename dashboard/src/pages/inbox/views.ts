import type { ConversationFilter } from '../../generated/documents.ts'
import { INBOX_VIEWS, type InboxView } from '../../shell/navigation.ts'
import type { Row } from './list/ConversationPages.ts'

/** @returns undefined for an address that is no view */
export function viewOf(id: string | undefined): InboxView | undefined {
  return INBOX_VIEWS.find((view) => view.id === id)
}

/** What the server is asked for. */
export function filterOf({ id }: InboxView, memberId: string): ConversationFilter {
  switch (id) {
    case 'mine':
      return { status: 'OPEN', assigneeId: memberId }
    case 'unassigned':
      return { status: 'OPEN', unassigned: true }
    case 'open':
      return { status: 'OPEN' }
    case 'snoozed':
      return { status: 'SNOOZED' }
    case 'closed':
      return { status: 'CLOSED' }
  }
}

/** The filters that can be judged here. */
const JUDGED = new Set(['status', 'assigneeId', 'unassigned', 'visitorId'])

/** Whether a conversation belongs into a list, by what is known of it here; false for filters that only the server can judge. */
export function matches(filter: ConversationFilter, row: Row): boolean {
  const { status, assigneeId, unassigned, visitorId } = filter
  const isJudged = Object.entries(filter).every(([name, value]) => value == null || JUDGED.has(name))
  return (
    isJudged &&
    (status == null || row.status === status) &&
    (assigneeId == null || row.assignee?.id === assigneeId) &&
    (unassigned !== true || row.assignee === null) &&
    (visitorId == null || row.visitor.id === visitorId)
  )
}
