import type { PendingDelivery } from '../delivery.ts'

/** With STRICT ordering, a delivery with fewer attempts holds back those after it. */
export const STRICT_ATTEMPTS = 5

/**
 * Which retries of a conversation are sent before their time: none, so that each waits for its own; the first, to see
 * whether the receiver is back; or all of them, because it is back.
 */
export type EarlySends = 'none' | 'first' | 'all'

/**
 * Which of a conversation's pending deliveries may be sent now.
 * @param rows in the order of their events
 * @returns also whether those after them wait until a retry is recorded: ordering is STRICT
 */
export function sendableNow(
  rows: readonly PendingDelivery[],
  { now, isStrict, early }: { now: Date; isStrict: boolean; early: EarlySends },
): { sendable: PendingDelivery[]; isBlocked: boolean } {
  const sendable: PendingDelivery[] = []
  for (const [i, row] of rows.entries()) {
    if (row.nextAttemptAt === null || row.nextAttemptAt <= now) sendable.push(row)
    else if (early === 'all' || (early === 'first' && i === 0)) sendable.push({ ...row, isEarly: true })
    else if (isStrict && row.attempts < STRICT_ATTEMPTS) return { sendable, isBlocked: true }
  }
  return { sendable, isBlocked: false }
}
