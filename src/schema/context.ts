import type { Actor, Caller, Origin } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { DomainError, ErrorCode, RateLimitStatus } from '../domain/shared/errors.ts'
import type { PageBudget } from '../domain/shared/page-budget.ts'
import type { Streams } from '../live/streams.ts'
import type { Loaders } from './loaders.ts'

/** What every resolver gets. */
export interface Context {
  readonly deps: Deps
  readonly streams: Streams
  readonly loaders: Loaders
  /** What the pages of this operation may still have in bytes. */
  readonly budget: PageBudget
  readonly requestId: string
  /** Where the caller stands in their budget, this operation included; null without a limit. */
  readonly rateLimit: RateLimitStatus | null
  /** Aborted when nobody waits for the answer any more; null where the transport itself ends what it has begun. */
  readonly gone: AbortSignal | null
  /** Told why a mutation is refused, where that matters to how its request ends. */
  readonly onRefused?: (code: ErrorCode) => void
  /** Where the request comes from, whoever sends it. */
  readonly origin: Origin
  /**
   * Whose credential it is, in no particular workspace.
   * @throws the DomainError that says why there is none
   */
  caller(): Caller
  /**
   * The person who is signed in; null without a session.
   * @throws ForbiddenError for a cookie that another site's page has made a browser send
   */
  signedIn(): Caller | null
  /**
   * Who is asking, in the workspace that the request is about.
   * @throws the DomainError that says why nobody is: no credential, a bad one, or no workspace named
   */
  actor(): Actor
  /**
   * Calls back once, within a second, when the credential is no longer valid.
   * @returns ends the watch
   */
  whenRevoked(listener: (error: DomainError) => void): () => void
}
