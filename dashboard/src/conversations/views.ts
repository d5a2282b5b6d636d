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
