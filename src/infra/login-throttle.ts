import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'
import type { Database } from './database/db.ts'

/** At most so many tries under one key in a window of time. */
export interface AttemptLimit {
  readonly key: string
  readonly max: number
}

/** Why a try is refused: the key whose limit is reached, and in how many milliseconds it allows another one. */
export interface ThrottledAttempt {
  readonly key: string
  readonly waitMs: number
}

const RETENTION_MS = 86_400_000
/** Keys that a process remembers as used up. */
const MAX_EXHAUSTED_KEYS = 10_000

/** Until when keys are used up, in steady milliseconds, by the database's pool: what is refused writes nothing. */
const exhausted = new WeakMap<Database['pool'], LRUCache<string, number>>()

/**
 * Counts a try under one key after the other, for all nodes together: the counters are rows. The first limit that refuses
 * it is the last one that counts it, and while a limit is known to be reached, none counts. A window begins with its first
 * try and ends `windowMs` later, however many tries come meanwhile; it is a day at most.
 * @returns null when every limit allows it
 */
export async function throttleAttempt(
  { db, clock }: { db: Database; clock: Clock },
  windowMs: number,
  limits: readonly AttemptLimit[],
): Promise<ThrottledAttempt | null> {
  const now = clock.steady()
  const remembered = exhausted.get(db.pool) ?? new LRUCache({ max: MAX_EXHAUSTED_KEYS })
  exhausted.set(db.pool, remembered)
  for (const { key } of limits) {
    const waitMs = (remembered.get(key) ?? 0) - now.getTime()
    if (waitMs > 0) return { key, waitMs }
  }
  for (const { key, max } of limits) {
    const { tries, since } = await countAttempt(db, key, now, windowMs)
    const endsAt = since.getTime() + windowMs
    if (tries >= max) remembered.set(key, endsAt)
    if (tries > max) return { key, waitMs: endsAt - now.getTime() }
  }
  await purgeOld(db, new Date(now.getTime() - RETENTION_MS))
  return null
}

async function countAttempt(
  db: Database,
  key: string,
  now: Date,
  windowMs: number,
): Promise<{ tries: number; since: Date }> {
  const [row] = await db.sql<{ tries: number; since: Date }>(
    `INSERT INTO try_counts AS counted (key, tries, since) VALUES ($1, 1, $2::timestamptz)
     ON CONFLICT (key) DO UPDATE SET
       tries = CASE WHEN counted.since <= $3::timestamptz THEN 1 ELSE counted.tries + 1 END,
       since = CASE WHEN counted.since <= $3::timestamptz THEN excluded.since ELSE counted.since END
     RETURNING tries, since`,
    [key, now, new Date(now.getTime() - windowMs)],
  )
  if (row === undefined) throw new Error('A try was not counted')
  return row
}

async function purgeOld(db: Database, before: Date): Promise<void> {
  await db.sql(
    `DELETE FROM try_counts
      WHERE key IN (SELECT key FROM try_counts WHERE since < $1::timestamptz LIMIT 100 FOR UPDATE SKIP LOCKED)`,
    [before],
  )
}
