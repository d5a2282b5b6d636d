import type { FetchedDelivery, PendingDelivery } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'
import {
  COLUMNS,
  DELIVERY_COLUMNS,
  HOLD_BACK_CODE,
  type HoldBack,
  IS_ENABLED,
  isHeldBack,
  PENDING,
  PENDING_HERE,
  VERSION,
} from './delivery-sql.ts'

/** The part of one conversation to read. */
export interface ConversationRequest {
  readonly endpointId: string
  readonly conversationId: string
  /** Events after this seq. */
  readonly after: string
  readonly limit: number
}

/** Reads the pending deliveries of conversations, each in the order of its events, regardless of due times. */
export function fetchConversations(
  connection: DbConnection,
  requests: readonly ConversationRequest[],
): Promise<PendingDelivery[]> {
  return connection.run<PendingDelivery>(FETCH_CONVERSATIONS, [
    requests.map(({ endpointId }) => endpointId),
    requests.map(({ conversationId }) => conversationId),
    requests.map(({ after }) => after),
    requests.map(({ limit }) => limit),
  ])
}

const FETCH_CONVERSATIONS: Statement = {
  name: 'dispatcher_fetch_conversations',
  text: `SELECT d.id, q.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, event.type, event.body, ${VERSION}
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) AS q(endpoint_id, conversation_id, after, most)
  JOIN webhook_endpoints e ON e.id = q.endpoint_id
  LEFT JOIN agents a ON a.id = e.agent_id
 CROSS JOIN LATERAL (
   SELECT ${COLUMNS} FROM deliveries d
    WHERE d.endpoint_id = q.endpoint_id AND d.conversation_id = q.conversation_id AND d.seq > q.after AND d.seq >= e.sends_from_seq
      AND d.lane = 0 AND ${PENDING}
    ORDER BY d.seq LIMIT q.most
 ) d
  JOIN events event ON event.id = d.event_id
 WHERE ${IS_ENABLED}`,
}

/**
 * Lists the conversations with pending deliveries after a conversation, by id.
 * @returns also the last of all, and the seq after which first attempts are new
 */
export async function listPendingConversations(
  connection: DbConnection,
  endpointId: string,
  after: string,
  limit: number,
): Promise<{ ids: string[]; end: { conversationId: string; seq: string } }> {
  const rows = await connection.run<{ id: string; last: string; seq: string }>(LIST, [endpointId, after, limit])
  return { ids: rows.map(({ id }) => id), end: { conversationId: rows[0]?.last ?? '', seq: rows[0]?.seq ?? '0' } }
}

/** This many of the last pending first attempts count as new: others with a lower seq can be committed later. */
const COMMITTED_LATE = 50

const LIVE = `SELECT d.conversation_id FROM deliveries d WHERE d.endpoint_id = $1 AND d.lane = 0 AND ${PENDING_HERE}`

const LIST: Statement = {
  name: 'dispatcher_list_pending_conversations',
  text: `WITH RECURSIVE waiting AS (
  (${LIVE} AND d.conversation_id > $2 ORDER BY d.conversation_id, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM waiting CROSS JOIN LATERAL (
    ${LIVE} AND d.conversation_id > waiting.conversation_id ORDER BY d.conversation_id, d.seq LIMIT 1) next
)
SELECT conversation_id AS id,
       (${LIVE} AND d.conversation_id IS NOT NULL ORDER BY d.conversation_id DESC, d.seq DESC LIMIT 1) AS last,
       COALESCE((SELECT d.seq FROM deliveries d
          WHERE d.endpoint_id = $1 AND d.lane = 0 AND ${PENDING_HERE} AND d.attempts = 0
          ORDER BY d.seq DESC OFFSET ${COMMITTED_LATE} LIMIT 1), 0)::text AS seq
  FROM waiting LIMIT $3::int`,
}

/** The conversation heads to read. */
export interface HeadsRequest {
  /** Conversations after this id. */
  readonly after: string
  readonly limit: number
  readonly holdBack: HoldBack
}

/**
 * Reads conversation heads, which are first attempts without an earlier delivery in their conversations, by
 * conversation id. Used when the oldest events of an endpoint all wait for one another.
 * @returns also the conversation after which to continue
 */
export async function fetchConversationHeads(
  connection: DbConnection,
  endpointId: string,
  { after, limit, holdBack }: HeadsRequest,
  now: Date,
): Promise<{ heads: FetchedDelivery[]; last: string }> {
  const heads = await connection.run<FetchedDelivery>(FETCH_HEADS, [
    endpointId,
    after,
    limit,
    now,
    HOLD_BACK_CODE[holdBack],
  ])
  return { heads, last: heads.length < limit ? '' : (heads.at(-1)?.conversationId ?? '') }
}

const HEAD = `SELECT d.conversation_id, d.id FROM deliveries d
   WHERE d.endpoint_id = $1 AND ${PENDING_HERE} AND d.lane = 0 AND d.attempts = 0`

const FETCH_HEADS: Statement = {
  name: 'dispatcher_fetch_conversation_heads',
  text: `WITH RECURSIVE head AS (
  (${HEAD} AND d.conversation_id > $2 ORDER BY d.conversation_id, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM head CROSS JOIN LATERAL (
    ${HEAD} AND d.conversation_id > head.conversation_id ORDER BY d.conversation_id, d.seq LIMIT 1) next
), taken AS (SELECT id FROM head LIMIT $3::int)
SELECT d.id, d.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, ${isHeldBack('$4', '$5::int')} AS "isDeferred",
       event.type, event.body, ${VERSION}
  FROM taken
  JOIN deliveries d ON d.id = taken.id
  JOIN webhook_endpoints e ON e.id = d.endpoint_id AND e.ordering = 'RELAXED' AND d.seq >= e.sends_from_seq
  LEFT JOIN agents a ON a.id = e.agent_id
  JOIN events event ON event.id = d.event_id
 WHERE ${IS_ENABLED}
 ORDER BY d.conversation_id`,
}
