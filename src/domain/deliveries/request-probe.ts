import type { Tx } from '../../infra/database/transaction.ts'
import { endpointsChanged } from '../events/events.ts'
import type { Deps } from '../shared/deps.ts'

/**
 * The least time between two requested probes of an endpoint: an agent that crashes in a loop registers at each start.
 */
const PROBE_INTERVAL_MS = 60_000

/**
 * Requests that the first pending delivery of an endpoint is sent at once, before its next attempt is due and before
 * the circuit breaker's next probe. It is a probe: a failure spends no attempt, and a success makes all pending
 * deliveries due.
 *
 * The request is part of the caller's transaction, at most once a minute for each endpoint, and stays until a process
 * has sent the probe. Nothing is requested without pending deliveries and with a closed circuit breaker, or for a
 * disabled endpoint or agent.
 * @param deliveryId a certain delivery: it is sent after earlier pending deliveries of its conversation
 * @returns whether a probe was requested
 */
export async function requestProbe(
  { bus, clock }: Pick<Deps, 'bus' | 'clock'>,
  tx: Tx,
  endpointId: string,
  deliveryId: string | null = null,
): Promise<boolean> {
  const now = clock.steady()
  const before = new Date(now.getTime() - PROBE_INTERVAL_MS)
  // A time in the future was written before a clock was set back.
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
