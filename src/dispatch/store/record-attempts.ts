import type { AttemptRecord, WriteResult } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'

/**
 * Records attempts in one statement, and so in one transaction: deliveries and attempt log. It locks the process's row
 * in `dispatchers`, so that its endpoints are not taken away meanwhile; after they were, nothing is recorded. An
 * attempt is recorded only after the previous ones, so recording it twice, after a lost response of the database,
 * changes nothing.
 *
 * Locked rows, which are being deleted, are skipped to avoid deadlocks. See `stillPending`.
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

/** A short form: without nulls, and with times in milliseconds. */
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
  name: 'dispatcher_record_attempts',
  text: `WITH me AS MATERIALIZED (
  SELECT id FROM dispatchers WHERE id = $1 FOR KEY SHARE
), result AS MATERIALIZED (
  SELECT r.* FROM json_to_recordset($2::json) AS r(
    id text, number int, "startedAt" float8, "durationMs" int, "statusCode" int,
    response text, error text, "isResent" boolean, status "DeliveryStatus", due float8)
    JOIN deliveries d ON d.id = r.id AND d.attempts = r.number - 1 AND d.due IS NOT NULL
   WHERE EXISTS (SELECT FROM me)
     FOR UPDATE OF d SKIP LOCKED
), recorded AS (
  UPDATE deliveries d SET
    status = r.status, attempts = r.number, due = to_timestamp(r.due / 1000),
    finished_at = CASE WHEN r.due IS NULL THEN $3::timestamptz END
    FROM result r WHERE d.id = r.id
  RETURNING r.*
), logged AS (
  INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code, response, error, is_resent)
  SELECT id, number, to_timestamp("startedAt" / 1000), "durationMs", "statusCode", response, error, COALESCE("isResent", false)
    FROM recorded
)
SELECT EXISTS (SELECT FROM me) AS "isMember",
       CASE WHEN (SELECT count(*) FROM recorded) < $4::int THEN ARRAY(SELECT id FROM recorded) END AS ids`,
}

/** Ends a delivery whose attempt cannot be logged. It is not sent again, regardless of its result. */
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

/** Finds attempts that were not recorded, and can be later: other deliveries were deleted, or have changed. */
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
