import type { Clock } from '../../infra/clock.ts'
import type { Database } from '../../infra/database/db.ts'
import type { Log } from '../../infra/log.ts'
import type { Mailer } from '../../infra/mail.ts'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import type { Bus } from '../../infra/redis/bus.ts'
import type { Vault } from '../../infra/secrets.ts'

/** What operations count, for `GET /metrics`. */
export interface Counts {
  /** Messages of bots that were refused because they answer themselves. */
  loopsRefused: number
  /** Rows that the database refuses, and that the work on others went on without. */
  rowsSetAside: number
}

/** Of a process that has just started. */
export function newCounts(): Counts {
  return { loopsRefused: 0, rowsSetAside: 0 }
}

/** What operations work with. */
export interface Deps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly counts: Counts
  /** Webhook endpoints that a workspace may have. */
  readonly endpointsPerWorkspace: number
  /** Where people reach this deployment, without a trailing slash. */
  readonly publicUrl: string
  /** Sends mail; left out where no mail server is configured: then links are shown to whoever makes them. */
  readonly mail?: Mailer
  /** Where the built-in echo agent receives, once the server listens. There in development only. */
  readonly echoAgentUrl?: () => string
}
