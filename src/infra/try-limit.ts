import type { Clock } from './clock.ts'
import type { Database } from './db.ts'

/** At most so many tries under one key in a window of time. */
export interface TryLimit {
  readonly key: string
  readonly max: number
}

const FORGOTTEN_MS = 86_400_000

/**
 * Counts a try under each key, for all nodes together: the counters are rows. A window begins with its first try and
 * ends `windowMs` later, however many tries come meanwhile; it is a day at most.
 * @returns null when every limit allows it; otherwise in how many milliseconds all of them will
 */
export async function countTry(
  { db, clock }: { db: Database; clock: Clock },
  windowMs: number,
  limits: readonly TryLimit[],
): Promise<number | null> {
  const now = clock.now()
  // In the order of their keys: two statements that lock the same rows must not wait for each other.
  const keys = limits.map(({ key }) => key).sort()
  const rows = await db.sql<{ key: string; tries: number; since: Date }>(
    `INSERT INTO try_counts AS counted (key, tries, since)
     SELECT key, 1, $2::timestamptz FROM unnest($1::text[]) WITH ORDINALITY AS tried(key, n) ORDER BY n
     ON CONFLICT (key) DO UPDATE SET
       tries = CASE WHEN counted.since <= $3::timestamptz THEN 1 ELSE counted.tries + 1 END,
       since = CASE WHEN counted.since <= $3::timestamptz THEN excluded.since ELSE counted.since END
     RETURNING key, tries, since`,
    [keys, now, new Date(now.getTime() - windowMs)],
  )
  await forgetOld(db, new Date(now.getTime() - FORGOTTEN_MS))
  const waits = limits.flatMap(({ key, max }) => {
    const row = rows.find((counted) => counted.key === key)
    return row === undefined || row.tries <= max ? [] : [row.since.getTime() + windowMs - now.getTime()]
  })
  return waits.length === 0 ? null : Math.max(...waits)
}

async function forgetOld(db: Database, before: Date): Promise<void> {
  await db.sql(
    `DELETE FROM try_counts
      WHERE key IN (SELECT key FROM try_counts WHERE since < $1::timestamptz LIMIT 100 FOR UPDATE SKIP LOCKED)`,
    [before],
  )
}
