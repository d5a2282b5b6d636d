import type { ConversationFilter, ConversationRowFragment } from '../generated/documents.ts'
import { INBOX_VIEWS, type InboxView } from '../viewer/navigation.ts'

/** A conversation as lists have it. */
export type Row = ConversationRowFragment

/** @returns undefined for an address that is no view */
export function viewOf(id: string | undefined): InboxView | undefined {
  return INBOX_VIEWS.find((view) => view.id === id)
}

/** What the server is asked for. */
export function filterOf({ id }: InboxView): ConversationFilter {
  switch (id) {
    case 'mine':
      return { statuses: ['OPEN'], assignee: { me: true } }
    case 'unassigned':
      return { statuses: ['OPEN'], assignee: { none: true } }
    case 'open':
      return { statuses: ['OPEN'] }
    case 'snoozed':
      return { statuses: ['SNOOZED'] }
    case 'closed':
      return { statuses: ['CLOSED'] }
  }
}

/** The filters that can be judged here. */
const JUDGED = new Set(['statuses', 'assignee', 'visitorId'])

/**
 * Whether a conversation belongs into a list, by what is known of it here; false for filters that only the server can judge.
 * @param memberId who the signed-in person is
 */
export function matches(filter: ConversationFilter, row: Row, memberId: string): boolean {
  const { statuses, assignee, visitorId } = filter
  const isJudged = Object.entries(filter).every(([name, value]) => value == null || JUDGED.has(name))
  return (
    isJudged &&
    (statuses == null || statuses.includes(row.status)) &&
    (assignee?.me !== true || row.assignee?.id === memberId) &&
    (assignee?.memberId == null || row.assignee?.id === assignee.memberId) &&
    (assignee?.none !== true || row.assignee === null) &&
    (visitorId == null || row.visitor.id === visitorId)
  )
}
