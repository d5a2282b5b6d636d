import type { Tx } from '../../infra/database/transaction.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Deps } from '../shared/deps.ts'

/** How often what waits for an endpoint can be sent ahead of its time: an agent that crashes in a loop registers at each start. */
const PROBE_INTERVAL_MS = 60_000

/**
 * Asks that the first delivery that waits for an endpoint be sent at once, without waiting for its next attempt or for the
 * breaker's next probe. It is a probe: a failure spends no attempt, a success makes everything due that waits.
 *
 * It is asked in the caller's transaction, at most once a minute for each endpoint, and stays asked until some process has
 * sent it. Where nothing waits and the breaker is closed there is nothing to ask; a disabled endpoint, or one of a disabled
 * agent, gets nothing.
 * @param deliveryId the one that is meant: it goes, behind an earlier one of its conversation that waits
 * @returns whether it was asked
 */
export async function requestProbe(
  { bus, clock }: Pick<Deps, 'bus' | 'clock'>,
  tx: Tx,
  endpointId: string,
  deliveryId: string | null = null,
): Promise<boolean> {
  const now = clock.steady()
  const before = new Date(now.getTime() - PROBE_INTERVAL_MS)
  // A time ahead of now is that of a clock that has been set back since.
  const count = await tx.db.$executeRaw`
    UPDATE webhook_endpoints endpoint
       SET probe_asked_at = ${now}, is_probe_asked = true, probe_delivery_id = ${deliveryId}
     WHERE id = ${endpointId} AND is_enabled
       AND (probe_asked_at IS NULL OR probe_asked_at <= ${before} OR probe_asked_at > ${now})
       AND NOT EXISTS (SELECT FROM agents agent WHERE agent.id = endpoint.agent_id AND NOT agent.is_enabled)
       AND (breaker_opened_at IS NOT NULL OR EXISTS (
             SELECT FROM deliveries
              WHERE endpoint_id = ${endpointId} AND due IS NOT NULL AND attempts > 0 AND NOT is_test
                AND seq >= endpoint.sends_from_seq))`
  if (count > 0) endpointsChanged(tx, bus, [endpointId])
  return count > 0
}
