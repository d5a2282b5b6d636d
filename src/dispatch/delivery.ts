import type { DeliveryStatus } from '../generated/prisma/enums.ts'

/**
 * The types of a delivery from the database to the attempt log. A PendingDelivery is fetched (queue) and sent (send),
 * with an HttpResult, which becomes a TimedResult with its times. The Decision (policy) follows from it, and the
 * AttemptRecord from both. A PendingWrite waits to be written (record), and the WriteResult is the result of that.
 */

/** A fetched delivery that this process can send. */
export interface PendingDelivery {
  readonly id: string
  readonly endpointId: string
  /** The seq of its event. */
  readonly seq: string
  readonly conversationId: string | null
  /** The time of its event. */
  readonly createdAt: Date
  /** The number of recorded attempts. */
  readonly attempts: number
  /** When the next attempt is due; null for a first attempt. */
  readonly nextAttemptAt: Date | null
  /** `replay`: a bulk replay, which is sent after all live deliveries. */
  readonly priority: 'live' | 'replay'
  /** A test event: one attempt, without effect on the endpoint's health. */
  readonly isTest: boolean
  readonly type: string
  readonly body: string
  /** Changes with every change of the endpoint or its agent. */
  readonly version: string
  /** Sent before it is due, to find out whether the receiver has recovered: a failure spends no attempt. */
  readonly isEarly?: boolean
}

/** A delivery as returned by `fetchDue`. */
export interface FetchedDelivery extends PendingDelivery {
  /**
   * Its type and body were not read: it is a retry, or waits behind one. `fetchConversations` reads its conversation.
   */
  readonly isDeferred: boolean
}

interface Resend {
  /** Sent twice: the receiver closed the kept connection during the first request. */
  isResent?: boolean
}

/** The result of one request, and its cause. */
export type HttpResult =
  /** The receiver responded; `response` is the first 4 kB of its body, `location` the target of a redirect. */
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
  /** An internal fault prevented the request: no attempt of the receiver is spent. */
  | { kind: 'fault'; error: string }

/** The result of an attempt, with its duration. */
export interface TimedResult {
  readonly httpResult: HttpResult
  readonly startedAt: Date
  readonly durationMs: number
}

/** The next step. */
export type Decision =
  | { next: 'delivered' }
  | { next: 'retry'; at: Date }
  | { next: 'failed' }
  /** Failed, and the endpoint is disabled at once: 410. */
  | { next: 'gone' }
  /** Nothing is recorded: the early request failed, and the delivery waits for its due time. */
  | { next: 'unspent' }
  /** Nothing is recorded: the delivery is sent when it is possible. */
  | { next: 'release' }

/** An attempt as it is written to the attempt log, with the delivery's new state. */
export interface AttemptRecord {
  readonly id: string
  /** 1, 2, … */
  readonly number: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly statusCode: number | null
  readonly response: string | null
  readonly error: string | null
  /** Sent twice: the receiver closed the kept connection during the first request. */
  readonly isResent: boolean
  readonly status: DeliveryStatus
  /** Null when the delivery is finished. */
  readonly nextAttemptAt: Date | null
}

/** An attempt that waits to be written. `Queue`: the type of the endpoint's queue, which imports this file. */
export interface PendingWrite<Queue> {
  readonly queue: Queue
  readonly delivery: PendingDelivery
  readonly record: AttemptRecord
  /** The receiver responded with 410: its endpoint is disabled first. */
  readonly isGone: boolean
}

/** The result of writing a batch. */
export interface WriteResult {
  /** False: this process was removed from the members, and nothing was written. */
  readonly isMember: boolean
  /** The ids of the written deliveries; null: all. */
  readonly ids: readonly string[] | null
}
