import { STRICT_ATTEMPTS } from '../policy/ordering.ts'

/**
 * The deliveries that delay the first attempts of a conversation: due retries, all retries, or any earlier delivery.
 */
export type HoldBack = 'due' | 'retries' | 'all'
/** The value in statements. */
export const HOLD_BACK_CODE: Readonly<Record<HoldBack, number>> = { due: 0, retries: 1, all: 2 }

/** The columns of `deliveries` that `DELIVERY_COLUMNS` needs. */
export const COLUMNS = 'd.id, d.seq, d.conversation_id, d.attempts, d.due, d.lane, d.is_test, d.event_id, d.created_at'
/** The columns of a `PendingDelivery`, except id, endpoint, event and version. */
export const DELIVERY_COLUMNS = `d.seq::text AS seq, d.conversation_id AS "conversationId", d.attempts,
       CASE WHEN d.attempts > 0 THEN d.due END AS "nextAttemptAt", CASE WHEN d.lane = 0 THEN 'live' ELSE 'replay' END AS priority,
       d.is_test AS "isTest", d.created_at AS "createdAt"`
/** The version of an endpoint `e` and its agent `a`. */
export const VERSION = `e.xmin::text || COALESCE('.' || a.xmin::text, '') AS version`
export const IS_ENABLED = 'e.is_enabled AND COALESCE(a.is_enabled, true)'
export const PENDING = 'd.due IS NOT NULL AND NOT d.is_test'
/** Pending deliveries of the statement's one endpoint. */
export const PENDING_HERE = `${PENDING} AND d.seq >= (SELECT e.sends_from_seq FROM webhook_endpoints e WHERE e.id = $1)`

/** SQL: whether an earlier delivery of its conversation delays a first attempt `d`. */
export const isHeldBack = (now: string, holdBack: string) => `d.conversation_id IS NOT NULL AND (
         SELECT earlier.id FROM deliveries earlier
          WHERE earlier.endpoint_id = d.endpoint_id AND earlier.conversation_id = d.conversation_id
            AND earlier.seq >= e.sends_from_seq AND earlier.seq < d.seq AND earlier.due IS NOT NULL AND NOT earlier.is_test AND earlier.lane = 0
            AND (${holdBack} = 2 OR (earlier.attempts > 0 AND (earlier.due <= ${now}::timestamptz OR ${holdBack} = 1
             OR (e.ordering = 'STRICT' AND earlier.attempts < ${STRICT_ATTEMPTS}))))
          ORDER BY earlier.seq LIMIT 1) IS NOT NULL`
