import type { AuditEntryFilter } from '../../generated/documents.ts'
import { isAction } from './sentences.ts'

/** What the address says of the log, besides the open entry. */
export const FILTER_PARAMS = ['action', 'actor', 'target', 'from', 'to'] as const

/** What is no action or no day is as good as not there. Days are those of where you are, both included. */
export function filterOf(params: URLSearchParams): AuditEntryFilter {
  const action = params.get('action')
  const actorId = params.get('actor')
  const targetId = params.get('target')
  const from = midnight(params.get('from'), 0)
  const to = midnight(params.get('to'), 1)
  return {
    ...(isAction(action) && { action }),
    ...(actorId && { actorId }),
    ...(targetId && { targetId }),
    ...((from ?? to) !== null && { createdAt: { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null } }),
  }
}

/** The first moment of a day, or of one so many days later. */
function midnight(date: string | null, daysLater: number): Date | null {
  const at = new Date(`${date}T00:00:00`)
  if (date === null || Number.isNaN(at.getTime())) return null
  at.setDate(at.getDate() + daysLater)
  return at
}
