import type { Deps } from '../shared/deps.ts'

/** What gave access once. Each is found by its end, and only what has ended is touched. */
const STATEMENTS = [
  // A rotation that runs at the same time begins a new overlap, whose end is not past.
  `UPDATE webhook_endpoints SET previous_sealed_secret = NULL, secret_overlap_ends_at = NULL
    WHERE secret_overlap_ends_at <= $1::timestamptz`,
  'DELETE FROM sessions WHERE expires_at <= $1::timestamptz',
  'DELETE FROM verifications WHERE expires_at <= $1::timestamptz',
]

/** Removes secrets that were rotated out, sessions and sign-in links, once their time is over: nobody can find them then. */
export async function purgeExpired({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  // A clock that is set ahead for a moment must not take for ever what ends later.
  const now = clock.steady()
  const done = await Promise.allSettled(STATEMENTS.map((statement) => db.sql(statement, [now])))
  for (const result of done) if (result.status === 'rejected') throw result.reason
}
