import { isDatabaseAway, isDiskFull, isReadOnly } from '../../infra/database/db-away.ts'
import type { Deps } from './deps.ts'
import { DiskFullError, UnavailableError } from './errors.ts'

/** The same error, or `unavailable` in the place of one that the absent database caused, or its full disk. */
export function toUnavailable({ db }: Pick<Deps, 'db'>, error: unknown): unknown {
  // The embedded database is read-only for one reason.
  if (isDiskFull(error) || (db.isEmbedded && isReadOnly(error))) return new DiskFullError(error)
  return isDatabaseAway(error) ? new UnavailableError(error) : error
}
