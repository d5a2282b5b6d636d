import type { AttemptRecord, WriteResult } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'

/**
 * Records results in one statement, which is one transaction: deliveries and attempt log. The process's own row in
 * `dispatchers` is locked with it, so nobody takes its endpoints away meanwhile, and once they are taken away nothing of
 * it counts any more. A result also counts only as the attempt that follows the recorded ones: recorded twice (the
 * database's answer was lost) it changes nothing.
 *
 * Rows that somebody else has locked, which delete them, are passed over instead of waited for: a deadlock needs somebody
 * who waits. See `stillPending`.
 */
export async function recordAttempts(
  connection: DbConnection,
  dispatcherId: string,
  records: readonly AttemptRecord[],
  now: Date,
): Promise<WriteResult> {
  const text = JSON.stringify(records.map(toJson))
  const rows = await connection.run<WriteResult>(RECORD_ATTEMPTS, [dispatcherId, text, now, records.length])
  return rows[0] ?? { isMember: false, ids: [] }
}

/** Without what is null, and with milliseconds for moments: most of it is as short as it can be. */
function toJson({ startedAt, statusCode, response, error, isResent, nextAttemptAt, ...rest }: AttemptRecord) {
  return {
    ...rest,
    startedAt: startedAt.getTime(),
    statusCode: statusCode ?? undefined,
    response: response ?? undefined,
    error: error ?? undefined,
    isResent: isResent || undefined,
    due: nextAttemptAt?.getTime(),
  }
}

const RECORD_ATTEMPTS: Statement = {
  name: 'dispatcher_settle',
  text: `WITH me AS MATERIALIZED (
  SELECT id FROM dispatchers WHERE id = $1 FOR KEY SHARE
), result AS MATERIALIZED (
  SELECT r.* FROM json_to_recordset($2::json) AS r(
    id text, number int, "startedAt" float8, "durationMs" int, "statusCode" int,
    response text, error text, "isResent" boolean, status "DeliveryStatus", due float8)
    JOIN deliveries d ON d.id = r.id AND d.attempts = r.number - 1 AND d.due IS NOT NULL
   WHERE EXISTS (SELECT FROM me)
     FOR UPDATE OF d SKIP LOCKED
), settled AS (
  UPDATE deliveries d SET
    status = r.status, attempts = r.number, due = to_timestamp(r.due / 1000),
    finished_at = CASE WHEN r.due IS NULL THEN $3::timestamptz END
    FROM result r WHERE d.id = r.id
  RETURNING r.*
), logged AS (
  INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code, response, error, is_resent)
  SELECT id, number, to_timestamp("startedAt" / 1000), "durationMs", "statusCode", response, error, COALESCE("isResent", false)
    FROM settled
)
SELECT EXISTS (SELECT FROM me) AS "isMember",
       CASE WHEN (SELECT count(*) FROM settled) < $4::int THEN ARRAY(SELECT id FROM settled) END AS ids`,
}

/** Ends a delivery whose attempt cannot be logged: it is not sent again, however it went. */
export async function finishWithoutLog(
  connection: DbConnection,
  dispatcherId: string,
  record: AttemptRecord,
  now: Date,
): Promise<void> {
  const status = record.status === 'DELIVERED' ? 'DELIVERED' : 'FAILED'
  await connection.run(FINISH, [dispatcherId, record.id, record.number, status, now])
}

const FINISH: Statement = {
  name: 'dispatcher_finish',
  text: `WITH me AS MATERIALIZED (SELECT id FROM dispatchers WHERE id = $1 FOR KEY SHARE)
UPDATE deliveries SET status = $4::"DeliveryStatus", attempts = $3::int, due = NULL, finished_at = $5::timestamptz
 WHERE id = $2 AND attempts = $3::int - 1 AND due IS NOT NULL AND EXISTS (SELECT FROM me)`,
}

/** Of results that were not recorded, those that could be later. The others' deliveries are gone, or went on already. */
export async function stillPending(connection: DbConnection, records: readonly AttemptRecord[]): Promise<Set<string>> {
  const ids = records.map(({ id }) => id)
  const attempts = records.map(({ number }) => number - 1)
  const rows = await connection.run<{ id: string }>(STILL_PENDING, [ids, attempts])
  return new Set(rows.map(({ id }) => id))
}

const STILL_PENDING: Statement = {
  name: 'dispatcher_still_open',
  text: `SELECT d.id FROM unnest($1::text[], $2::int[]) AS r(id, attempts)
  JOIN deliveries d ON d.id = r.id AND d.attempts = r.attempts AND d.due IS NOT NULL`,
}
