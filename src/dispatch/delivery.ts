import type { DeliveryStatus } from '../generated/prisma/enums.ts'
import type { HttpResult } from './policy/outcome.ts'

/*
 * A delivery's stages: a PendingDelivery is fetched (queue), sent (HttpResult, TimedResult), decided on (Decision), and its
 * AttemptRecord is written (PendingWrite, WriteResult).
 */

/** A delivery that this process may send, as it was read. */
export interface PendingDelivery {
  readonly id: string
  readonly endpointId: string
  /** Its event's seq. */
  readonly seq: string
  readonly conversationId: string | null
  /** AttemptHandler recorded so far. */
  readonly attempts: number
  /** When the next attempt is due; null for a first attempt. */
  readonly nextAttemptAt: Date | null
  /** `replay`: it was replayed in bulk, and goes after everything live. */
  readonly priority: 'live' | 'replay'
  /** Sample data that somebody asked for: one attempt, which does not count for the endpoint's health. */
  readonly isTest: boolean
  readonly type: string
  readonly body: string
  /** Changes whenever the endpoint or its agent does. */
  readonly version: string
  /** It is sent ahead of its time, to see whether the receiver is back: a failure spends no attempt. */
  readonly isEarly?: boolean
}

/** A delivery as `fetchDue` returns it. */
export interface FetchedDelivery extends PendingDelivery {
  /**
   * Its type and body were not read: it waits behind a retry, or is a retry itself. Its conversation is read by
   * `fetchConversations`.
   */
  readonly isDeferred: boolean
}

/** What an attempt came to, and how long it took. */
export interface TimedResult {
  readonly httpResult: HttpResult
  readonly startedAt: Date
  readonly durationMs: number
}

/** One attempt as it is written to the attempt log, and the delivery's state after it. */
export interface AttemptRecord {
  readonly id: string
  /** 1, 2, … */
  readonly number: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly statusCode: number | null
  readonly response: string | null
  readonly error: string | null
  /** It went out twice: first on a connection that the receiver was closing. */
  readonly isResent: boolean
  readonly status: DeliveryStatus
  /** Null when the delivery is finished. */
  readonly nextAttemptAt: Date | null
}
