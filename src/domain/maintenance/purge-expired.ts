import type { Deps } from '../shared/deps.ts'

/** Expired credentials, found by the time of their end. */
const STATEMENTS = [
  // A concurrent rotation starts a new overlap, whose end is in the future.
  `UPDATE webhook_endpoints SET previous_sealed_secret = NULL, secret_overlap_ends_at = NULL
    WHERE secret_overlap_ends_at <= $1::timestamptz`,
  'DELETE FROM sessions WHERE expires_at <= $1::timestamptz',
  'DELETE FROM verifications WHERE expires_at <= $1::timestamptz',
]

/** Deletes expired secrets, sessions and sign-in links. */
export async function purgeExpired({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  // A clock that was set ahead for a moment must not delete what ends later.
  const now = clock.steady()
  const done = await Promise.allSettled(STATEMENTS.map((statement) => db.sql(statement, [now])))
  for (const result of done) if (result.status === 'rejected') throw result.reason
}
