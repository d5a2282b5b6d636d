import type { Deps } from './deps.ts'

/** What gave access once. Each is found by its end, and only what has ended is touched. */
const STATEMENTS = [
  // A rotation that runs at the same time begins a new overlap, whose end is not past.
  `UPDATE webhook_endpoints SET previous_sealed_secret = NULL, secret_overlap_ends_at = NULL
    WHERE secret_overlap_ends_at <= $1::timestamptz`,
  'DELETE FROM sessions WHERE expires_at <= $1::timestamptz',
  'DELETE FROM verifications WHERE expires_at <= $1::timestamptz',
]

/** Removes secrets that were rotated out, sessions and sign-in links, once their time is over: nobody can find them then. */
export async function forgetEnded({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  for (const statement of STATEMENTS) await db.sql(statement, [clock.now()])
}
