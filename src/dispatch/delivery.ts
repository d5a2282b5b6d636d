import type { DeliveryStatus } from '../generated/prisma/enums.ts'

/*
 * A delivery from the database to the attempt log: a PendingDelivery is fetched (queue) and sent (send), which gives an
 * HttpResult, with its times a TimedResult. A Decision follows from it (policy), and an AttemptRecord of both. As a
 * PendingWrite it waits to be written (record), and the WriteResult says what was.
 */

/** A delivery that this process may send, as it was read. */
export interface PendingDelivery {
  readonly id: string
  readonly endpointId: string
  /** Its event's seq. */
  readonly seq: string
  readonly conversationId: string | null
  /** When its event was recorded. */
  readonly createdAt: Date
  /** Attempts recorded so far. */
  readonly attempts: number
  /** When the next attempt is due; null for a first attempt. */
  readonly nextAttemptAt: Date | null
  /** `replay`: it was replayed in bulk, and goes after everything live. */
  readonly priority: 'live' | 'replay'
  /** Sample data on request: one attempt, which does not count for the endpoint's health. */
  readonly isTest: boolean
  readonly type: string
  readonly body: string
  /** Changes whenever the endpoint or its agent does. */
  readonly version: string
  /** It is sent before its time, to see whether the receiver is back: a failure spends no attempt. */
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

interface Resend {
  /** Sent twice: the receiver was closing the kept connection that the request went out on first. */
  isResent?: boolean
}

/** What one request came to, and whose fault it is. */
export type HttpResult =
  /** The receiver answered; `response` is the first 4 kB of its body, `location` where a redirect leads. */
  | (Resend & {
      kind: 'answered'
      statusCode: number
      retryAfter?: string | undefined
      location?: string | undefined
      response: string
    })
  /** No complete response: refused connection, reset, timeout, name that does not resolve. The receiver's fault. */
  | (Resend & { kind: 'failed'; error: string })
  /** The address is not allowed. Nothing was sent, and no later attempt would be. */
  | { kind: 'refused'; error: string }
  /** We could not send: the receiver's attempts are not spent. */
  | { kind: 'fault'; error: string }

/** What an attempt came to, and how long it took. */
export interface TimedResult {
  readonly httpResult: HttpResult
  readonly startedAt: Date
  readonly durationMs: number
}

/** What happens next. */
export type Decision =
  | { next: 'delivered' }
  | { next: 'retry'; at: Date }
  | { next: 'failed' }
  /** Failed, and the endpoint is disabled at once: 410. */
  | { next: 'gone' }
  /** Nothing is recorded: it was sent before its time, and waits for that as before. */
  | { next: 'unspent' }
  /** Nothing is recorded: it is sent when we can. */
  | { next: 'release' }

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

/** One attempt that waits to be written. `Queue`: the endpoint's queue, which imports this file. */
export interface PendingWrite<Queue> {
  readonly queue: Queue
  readonly delivery: PendingDelivery
  readonly record: AttemptRecord
  /** The receiver answered 410: its endpoint is disabled before anything else. */
  readonly isGone: boolean
}

/** What was written of a batch. */
export interface WriteResult {
  /** False: this process was removed from the members, and nothing was written. */
  readonly isMember: boolean
  /** Ids of what was written; null: everything was. */
  readonly ids: readonly string[] | null
}
