import type { DbConnection, Statement } from './connection.ts'
import { PENDING_HERE } from './delivery-sql.ts'

/** Replays that `makeReplaysDue` changes at a time. */
export const REPLAYS_PER_BATCH = 500

/** Makes some of an endpoint's bulk replays due that wait for another attempt. @returns their number */
export async function makeReplaysDue(connection: DbConnection, endpointId: string, now: Date): Promise<number> {
  const rows = await connection.run<{ id: string }>(MAKE_REPLAYS_DUE, [endpointId, now])
  return rows.length
}

const MAKE_REPLAYS_DUE: Statement = {
  name: 'dispatcher_make_replays_due',
  text: `WITH later AS MATERIALIZED (
  SELECT d.id FROM deliveries d
   WHERE d.endpoint_id = $1 AND d.lane = 1 AND ${PENDING_HERE} AND d.attempts > 0 AND d.due > $2::timestamptz
   ORDER BY d.due LIMIT ${REPLAYS_PER_BATCH} FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET due = $2 FROM later WHERE d.id = later.id RETURNING d.id`,
}
