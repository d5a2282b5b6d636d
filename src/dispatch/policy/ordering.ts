import type { PendingDelivery } from '../delivery.ts'

/** With STRICT ordering, a delivery with fewer attempts than this delays the following ones. */
export const STRICT_ATTEMPTS = 5

/**
 * The retries of a conversation that are sent before they are due: `none`; `first`, to find out whether the receiver
 * has recovered; or `all`, because it has.
 */
export type EarlySends = 'none' | 'first' | 'all'

/**
 * The pending deliveries of a conversation that can be sent now.
 * @param rows in the order of their events
 * @returns also whether later ones wait until a retry is recorded: ordering is STRICT
 */
export function readyNow(
  rows: readonly PendingDelivery[],
  { now, isStrict, early }: { now: Date; isStrict: boolean; early: EarlySends },
): { ready: PendingDelivery[]; isBlocked: boolean } {
  const ready: PendingDelivery[] = []
  for (const [i, row] of rows.entries()) {
    if (row.nextAttemptAt === null || row.nextAttemptAt <= now) ready.push(row)
    else if (early === 'all' || (early === 'first' && i === 0)) ready.push({ ...row, isEarly: true })
    else if (isStrict && row.attempts < STRICT_ATTEMPTS) return { ready, isBlocked: true }
  }
  return { ready, isBlocked: false }
}
