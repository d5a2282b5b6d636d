import { isDatabaseAway, isDiskFull, isReadOnly } from '../../infra/database/db-away.ts'
import type { Deps } from './deps.ts'
import { DiskFullError, UnavailableError } from './errors.ts'

/** Replaces errors of an unreachable database or a full disk with `unavailable`; returns other errors unchanged. */
export function toUnavailable({ db }: Pick<Deps, 'db'>, error: unknown): unknown {
  // The embedded database is read-only only while its disk is full.
  if (isDiskFull(error) || (db.isEmbedded && isReadOnly(error))) return new DiskFullError(error)
  return isDatabaseAway(error) ? new UnavailableError(error) : error
}
