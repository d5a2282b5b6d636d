import type { DeliveryRowFragment } from '../generated/documents.ts'
import { Mark } from '../ui/layout/Mark.tsx'

/** Where a delivery stands. */
export function DeliveryBadge({
  delivery,
}: {
  readonly delivery: Pick<DeliveryRowFragment, 'status' | 'attemptCount'>
}) {
  const { status, attemptCount } = delivery
  if (status === 'DELIVERED') return <Mark tone="good" label="Delivered" />
  if (status === 'FAILED') return <Mark tone="bad" label="Failed" />
  if (status === 'SKIPPED') return <Mark tone="idle" label="Skipped" />
  return attemptCount > 0 ? <Mark tone="warn" label="Retrying" /> : <Mark tone="idle" label="Pending" />
}
