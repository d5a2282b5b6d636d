import type { Clock } from '../../infra/clock.ts'
import type { Database } from '../../infra/database/db.ts'
import type { Log } from '../../infra/log.ts'
import type { Mailer } from '../../infra/mail.ts'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import type { Bus } from '../../infra/redis/bus.ts'
import type { Vault } from '../../infra/secrets.ts'

/** Counters of operations, for `GET /metrics`. */
export interface Counts {
  /** BOT messages that were refused because of a loop. */
  loopsRefused: number
  /** Rows that the database refused, and that were set aside. */
  rowsSetAside: number
}

/** The counters of a process that has just started. */
export function newCounts(): Counts {
  return { loopsRefused: 0, rowsSetAside: 0 }
}

/** The dependencies of operations. */
export interface Deps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly counts: Counts
  /** The maximum number of webhook endpoints in a workspace. */
  readonly endpointsPerWorkspace: number
  /** The public URL of this deployment, without a trailing slash. */
  readonly publicUrl: string
  /** Sends mail. Omitted without a mail server: links are then shown to their creators. */
  readonly mail?: Mailer
  /** The URL of the built-in echo agent, once the server listens. Only in development. */
  readonly echoAgentUrl?: () => string
}
