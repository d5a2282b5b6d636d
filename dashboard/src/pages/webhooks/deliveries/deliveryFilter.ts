import { SENT_TYPES } from '../../../endpoints/eventTypes.ts'
import type { DeliveryFilter, DeliveryStatus, WebhookEventType } from '../../../generated/documents.ts'

export const STATUSES = [
  { value: 'PENDING', label: 'Pending' },
  { value: 'DELIVERED', label: 'Delivered' },
  { value: 'FAILED', label: 'Failed' },
  { value: 'SKIPPED', label: 'Skipped' },
] satisfies { value: DeliveryStatus; label: string }[]

/** The filters of an address: `?status=FAILED&type=MESSAGE_CREATED&from=2026-01-15&to=2026-01-16`. Others' words count for nothing. */
export function filterOf(params: URLSearchParams, endpointId: string): DeliveryFilter {
  const status = STATUSES.find(({ value }) => value === params.get('status'))?.value
  const eventType: WebhookEventType | undefined = SENT_TYPES.find((type) => type === params.get('type'))
  const from = dayStart(params.get('from'), 0)
  const to = dayStart(params.get('to'), 1)
  return {
    endpointId,
    ...(status && { statuses: [status] }),
    ...(eventType && { eventTypes: [eventType] }),
    ...((from ?? to) !== null && { createdAt: { from, to } }),
  }
}

/** Midnight of a day in the browser's time zone, or of so many days after it. */
function dayStart(day: string | null, later: number): string | null {
  const [year, month, date] = /^\d{4}-\d{2}-\d{2}$/.test(day ?? '') ? (day ?? '').split('-').map(Number) : []
  if (year === undefined || month === undefined || date === undefined) return null
  const at = new Date(year, month - 1, date + later)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
