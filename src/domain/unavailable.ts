import { isDatabaseAway } from '../infra/db-away.ts'
import { UnavailableError } from './errors.ts'

/** The same error, or `unavailable` in the place of one that the absent database caused. */
export function orUnavailable(error: unknown): unknown {
  return isDatabaseAway(error) ? new UnavailableError(error) : error
}
