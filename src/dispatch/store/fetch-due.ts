import type { FetchedDelivery, PendingDelivery } from '../delivery.ts'
import type { DbConnection, Statement } from './connection.ts'

/** What holds first attempts of its conversation back: retries that are due, all that wait, or whatever waits. */
export type HoldBack = 'due' | 'retries' | 'all'
const HOLD_BACK: Readonly<Record<HoldBack, number>> = { due: 0, retries: 1, all: 2 }

/** What to read for one endpoint: at most so many of each kind, and none of those that are held already. */
export interface FetchRequest {
  readonly endpointId: string
  /** First attempts, in the order of their events. */
  readonly firsts: number
  /** First attempts after this seq alone: of those before, nothing is new. */
  readonly firstsAfter: string
  readonly holdBack: HoldBack
  /** Retries that are due, the longest waiting first, to be noticed. */
  readonly retries: number
  /** Retries due from this time on alone. */
  readonly retriesFrom: Date
  /** Of what was replayed in bulk: first attempts, and retries. */
  readonly replays: number
  /** `seq` of what is held. */
  readonly prefetched: readonly string[]
}

/** First attempts that one claim looks at, when some of them may be held back. */
export const MAX_SCANNED = 200
/** With STRICT ordering, a delivery with fewer attempts holds back those after it. */
export const STRICT_ATTEMPTS = 5

/**
 * Reads what is next for endpoints that belong to this process: an index walk for each kind, as long as what is wanted
 * and what is held, however long the backlog.
 *
 * - First attempts come in `seq` order, and events of one conversation commit in that order. So nothing that is read has
 *   an earlier first attempt in its conversation that is neither held nor read with it.
 * - Those that wait behind a retry of their conversation, which is due or holds them back by STRICT ordering, are noticed.
 *   One walk passes some of them; the caller has the next go on behind, so none is passed at every claim.
 * - Disabled endpoints and agents keep what waits for them; tests go to them too.
 */
export async function fetchDue(
  connection: DbConnection,
  wanted: readonly FetchRequest[],
  now: Date,
): Promise<FetchedDelivery[]> {
  return connection.run<FetchedDelivery>(FETCH_DUE, [
    wanted.map(({ endpointId }) => endpointId),
    wanted.map(({ firsts }) => firsts),
    wanted.map(({ retries }) => retries),
    wanted.map(({ replays }) => replays),
    wanted.map(({ prefetched }) => `{${prefetched.join()}}`),
    now,
    wanted.map(({ firstsAfter }) => firstsAfter),
    wanted.map(({ retriesFrom }) => retriesFrom),
    wanted.map(({ holdBack }) => HOLD_BACK[holdBack]),
  ])
}

const COLUMNS = 'd.id, d.seq, d.conversation_id, d.attempts, d.due, d.lane, d.is_test, d.event_id'
const NOT_PREFETCHED = 'd.due IS NOT NULL AND d.seq >= e.sends_from_seq AND d.seq <> ALL(q.prefetched::bigint[])'
const FIRST = `${NOT_PREFETCHED} AND NOT d.is_test AND d.attempts = 0`
const RETRY = `${NOT_PREFETCHED} AND NOT d.is_test AND d.attempts > 0 AND d.due <= $6::timestamptz`
const DELIVERY_COLUMNS = `d.seq::text AS seq, d.conversation_id AS "conversationId", d.attempts,
       CASE WHEN d.attempts > 0 THEN d.due END AS "nextAttemptAt", CASE WHEN d.lane = 0 THEN 'live' ELSE 'replay' END AS priority,
       d.is_test AS "isTest"`
const VERSION = `e.xmin::text || COALESCE('.' || a.xmin::text, '') AS version`
const IS_LIVE = 'e.is_enabled AND COALESCE(a.is_enabled, true)'

/** Whether something of its conversation goes before a first attempt `d`. */
const isBehind = (now: string, holdBack: string) => `d.conversation_id IS NOT NULL AND (
         SELECT earlier.id FROM deliveries earlier
          WHERE earlier.endpoint_id = d.endpoint_id AND earlier.conversation_id = d.conversation_id
            AND earlier.seq >= e.sends_from_seq AND earlier.seq < d.seq AND earlier.due IS NOT NULL AND NOT earlier.is_test AND earlier.lane = 0
            AND (${holdBack} = 2 OR (earlier.attempts > 0 AND (earlier.due <= ${now}::timestamptz OR ${holdBack} = 1
             OR (e.ordering = 'STRICT' AND earlier.attempts < ${STRICT_ATTEMPTS}))))
          ORDER BY earlier.seq LIMIT 1) IS NOT NULL`

const FETCH_DUE: Statement = {
  name: 'dispatcher_claim',
  text: `SELECT d.id, q.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, d.is_deferred AS "isDeferred",
       COALESCE(event.type, '') AS type, COALESCE(event.body, '') AS body, ${VERSION}
  FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::text[], $7::bigint[], $8::timestamptz[], $9::int[])
         AS q(endpoint_id, firsts, retries, replays, prefetched, firsts_after, retries_from, hold_back)
  JOIN webhook_endpoints e ON e.id = q.endpoint_id
  LEFT JOIN agents a ON a.id = e.agent_id
 CROSS JOIN LATERAL (
   SELECT q.firsts > 0 AND (q.hold_back > 0 OR e.ordering = 'STRICT' OR COALESCE((
     SELECT d.due FROM deliveries d
      WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND d.due IS NOT NULL AND d.attempts > 0 AND NOT d.is_test
      ORDER BY d.due LIMIT 1) <= $6::timestamptz, false)) AS may_be_behind
 ) h
 CROSS JOIN LATERAL (
   (SELECT id, seq, conversation_id, attempts, due, lane, is_test, event_id, is_behind AS is_deferred FROM (
     SELECT f.*, count(*) FILTER (WHERE NOT f.is_behind) OVER (ORDER BY f.seq) AS n FROM (
       SELECT ${COLUMNS}, h.may_be_behind AND ${isBehind('$6', 'q.hold_back')} AS is_behind FROM deliveries d
        WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${FIRST} AND d.seq > q.firsts_after
        ORDER BY d.seq LIMIT CASE WHEN h.may_be_behind THEN GREATEST(q.firsts, ${MAX_SCANNED}) ELSE q.firsts END) f) f
     WHERE f.n <= q.firsts)
   UNION ALL
   (SELECT ${COLUMNS}, d.conversation_id IS NOT NULL FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${RETRY} AND d.due >= q.retries_from
     ORDER BY d.due LIMIT q.retries)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${FIRST}
     ORDER BY d.seq LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${RETRY}
     ORDER BY d.due LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS}, false FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.is_test AND ${NOT_PREFETCHED}
     ORDER BY d.due LIMIT 1000)
 ) d
  LEFT JOIN events event ON event.id = d.event_id AND NOT d.is_deferred
 WHERE d.is_test OR (${IS_LIVE})`,
}

/** What to read of one conversation. */
export interface ConversationFetch {
  readonly endpointId: string
  readonly conversationId: string
  /** Events after this seq. */
  readonly after: string
  /** At most so many. */
  readonly limit: number
}

/** Reads what waits in conversations, each in the order of its events, whether it is due or not. */
export function fetchConversations(
  connection: DbConnection,
  wanted: readonly ConversationFetch[],
): Promise<PendingDelivery[]> {
  return connection.run<PendingDelivery>(CONVERSATIONS, [
    wanted.map(({ endpointId }) => endpointId),
    wanted.map(({ conversationId }) => conversationId),
    wanted.map(({ after }) => after),
    wanted.map(({ limit }) => limit),
  ])
}

const WAITS = 'd.due IS NOT NULL AND NOT d.is_test'
/** What waits at the one endpoint that a statement is about. */
const WAITS_HERE = `${WAITS} AND d.seq >= (SELECT e.sends_from_seq FROM webhook_endpoints e WHERE e.id = $1)`

const CONVERSATIONS: Statement = {
  name: 'dispatcher_claim_conversations',
  text: `SELECT d.id, q.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, event.type, event.body, ${VERSION}
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) AS q(endpoint_id, conversation_id, after, most)
  JOIN webhook_endpoints e ON e.id = q.endpoint_id
  LEFT JOIN agents a ON a.id = e.agent_id
 CROSS JOIN LATERAL (
   SELECT ${COLUMNS} FROM deliveries d
    WHERE d.endpoint_id = q.endpoint_id AND d.conversation_id = q.conversation_id AND d.seq > q.after AND d.seq >= e.sends_from_seq
      AND d.lane = 0 AND ${WAITS}
    ORDER BY d.seq LIMIT q.most
 ) d
  JOIN events event ON event.id = d.event_id
 WHERE ${IS_LIVE}`,
}

/**
 * The conversations in which anything waits, after one of them.
 * @returns also the last there is, and the seq after which the first attempts come that are new
 */
export async function listWaitingConversations(
  connection: DbConnection,
  endpointId: string,
  after: string,
  limit: number,
): Promise<{ ids: string[]; end: { conversationId: string; seq: string } }> {
  const rows = await connection.run<{ id: string; last: string; seq: string }>(WAITING, [endpointId, after, limit])
  return { ids: rows.map(({ id }) => id), end: { conversationId: rows[0]?.last ?? '', seq: rows[0]?.seq ?? '0' } }
}

/** Of the last first attempts that wait, as many are taken for new: others with a lower seq may be committed later. */
const LATE = 50

const OF_LIVE = `SELECT d.conversation_id FROM deliveries d WHERE d.endpoint_id = $1 AND d.lane = 0 AND ${WAITS_HERE}`

const WAITING: Statement = {
  name: 'dispatcher_waiting_conversations',
  text: `WITH RECURSIVE waiting AS (
  (${OF_LIVE} AND d.conversation_id > $2 ORDER BY d.conversation_id, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM waiting CROSS JOIN LATERAL (
    ${OF_LIVE} AND d.conversation_id > waiting.conversation_id ORDER BY d.conversation_id, d.seq LIMIT 1) next
)
SELECT conversation_id AS id,
       (${OF_LIVE} AND d.conversation_id IS NOT NULL ORDER BY d.conversation_id DESC, d.seq DESC LIMIT 1) AS last,
       COALESCE((SELECT d.seq FROM deliveries d
          WHERE d.endpoint_id = $1 AND d.lane = 0 AND ${WAITS_HERE} AND d.attempts = 0
          ORDER BY d.seq DESC OFFSET ${LATE} LIMIT 1), 0)::text AS seq
  FROM waiting LIMIT $3::int`,
}

/** A delivery that may be sent to try a receiver: the first that waits in its conversation. */
export interface ProbeCandidate {
  readonly id: string
  readonly seq: string
  readonly conversationId: string | null
  /** It is the one that was asked for, or waits before that. */
  readonly isNamed: boolean
}

/**
 * What a receiver may be tried with: the first of each conversation among the longest waiting, in the order of their events;
 * of bulk replays one, after all others.
 * @param withFirsts first attempts, too: nothing else sends them
 */
export function findProbeCandidates(
  connection: DbConnection,
  endpointId: string,
  deliveryId: string | null,
  withFirsts: boolean,
): Promise<ProbeCandidate[]> {
  return connection.run<ProbeCandidate>(CANDIDATES, [endpointId, deliveryId, withFirsts])
}

const some = (lane: number, attempts: string, order: string, limit: string, rank: number) =>
  `(SELECT d.id, d.seq, d.conversation_id, d.lane, ${rank} AS rank FROM deliveries d
     WHERE d.endpoint_id = $1 AND d.lane = ${lane} AND ${WAITS_HERE} AND d.attempts ${attempts} ORDER BY d.${order} LIMIT ${limit})`

const CANDIDATES: Statement = {
  name: 'dispatcher_find_candidates',
  text: `WITH found AS MATERIALIZED (
  (SELECT d.id, d.seq, d.conversation_id, d.lane, 0 AS rank FROM deliveries d
    WHERE d.id = $2 AND d.endpoint_id = $1 AND ${WAITS_HERE})
  UNION ALL ${some(0, '= 0', 'seq', 'CASE WHEN $3::boolean THEN 20 ELSE 0 END', 1)}
  UNION ALL ${some(0, '> 0', 'due', '50', 1)}
  UNION ALL ${some(1, '= 0', 'seq', 'CASE WHEN $3::boolean THEN 1 ELSE 0 END', 2)}
  UNION ALL ${some(1, '> 0', 'due', '1', 2)}
), candidate AS (
  SELECT COALESCE(head.id, found.id) AS id, COALESCE(head.seq, found.seq) AS seq, found.conversation_id, found.rank
    FROM found LEFT JOIN LATERAL (
      SELECT d.id, d.seq FROM deliveries d
       WHERE d.endpoint_id = $1 AND d.conversation_id = found.conversation_id AND d.seq <= found.seq AND d.lane = found.lane
         AND ${WAITS_HERE}
       ORDER BY d.seq LIMIT 1) head ON true
  UNION ALL
  SELECT id, seq, conversation_id, rank FROM found WHERE rank = 0
)
SELECT id, seq::text AS seq, conversation_id AS "conversationId", min(rank) = 0 AS "isNamed"
  FROM candidate GROUP BY id, candidate.seq, conversation_id ORDER BY min(rank) = 2, candidate.seq`,
}

/** Reads deliveries of an endpoint that wait, by their ids. */
export function fetchByIds(
  connection: DbConnection,
  endpointId: string,
  ids: readonly string[],
): Promise<PendingDelivery[]> {
  return connection.run<PendingDelivery>(THESE, [endpointId, ids])
}

const THESE: Statement = {
  name: 'dispatcher_claim_these',
  text: `WITH d AS MATERIALIZED (
  SELECT d.* FROM unnest($2::text[]) AS q(id) JOIN deliveries d ON d.id = q.id
)
SELECT d.id, d.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, event.type, event.body, ${VERSION}
  FROM d
  JOIN webhook_endpoints e ON e.id = d.endpoint_id AND d.seq >= e.sends_from_seq
  LEFT JOIN agents a ON a.id = e.agent_id
  JOIN events event ON event.id = d.event_id
 WHERE d.endpoint_id = $1 AND ${WAITS} AND ${IS_LIVE}`,
}

/** Makes bulk replays due that wait for another attempt, some at a time. @returns how many */
export async function makeReplaysDue(connection: DbConnection, endpointId: string, now: Date): Promise<number> {
  const rows = await connection.run<{ id: string }>(MAKE_REPLAYS_DUE, [endpointId, now])
  return rows.length
}

/** What `makeReplaysDue` changes at a time. */
export const REPLAYS_MADE_DUE = 500

const MAKE_REPLAYS_DUE: Statement = {
  name: 'dispatcher_hasten_replays',
  text: `WITH later AS MATERIALIZED (
  SELECT d.id FROM deliveries d
   WHERE d.endpoint_id = $1 AND d.lane = 1 AND ${WAITS_HERE} AND d.attempts > 0 AND d.due > $2::timestamptz
   ORDER BY d.due LIMIT ${REPLAYS_MADE_DUE} FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET due = $2 FROM later WHERE d.id = later.id RETURNING d.id`,
}

/**
 * The first unsent events of conversations after `after`, in the conversations' order: for an endpoint whose oldest events
 * all wait for one another.
 */
export async function fetchConversationHeads(
  connection: DbConnection,
  endpointId: string,
  { after, limit, holdBack, now }: { after: string; limit: number; holdBack: HoldBack; now: Date },
): Promise<{ heads: FetchedDelivery[]; last: string }> {
  const heads = await connection.run<FetchedDelivery>(HEADS, [endpointId, after, limit, now, HOLD_BACK[holdBack]])
  return { heads, last: heads.length < limit ? '' : (heads.at(-1)?.conversationId ?? '') }
}

const HEAD = `SELECT d.conversation_id, d.id FROM deliveries d
   WHERE d.endpoint_id = $1 AND ${WAITS_HERE} AND d.lane = 0 AND d.attempts = 0`

const HEADS: Statement = {
  name: 'dispatcher_claim_heads',
  text: `WITH RECURSIVE head AS (
  (${HEAD} AND d.conversation_id > $2 ORDER BY d.conversation_id, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM head CROSS JOIN LATERAL (
    ${HEAD} AND d.conversation_id > head.conversation_id ORDER BY d.conversation_id, d.seq LIMIT 1) next
), taken AS (SELECT id FROM head LIMIT $3::int)
SELECT d.id, d.endpoint_id AS "endpointId", ${DELIVERY_COLUMNS}, ${isBehind('$4', '$5::int')} AS "isDeferred",
       event.type, event.body, ${VERSION}
  FROM taken
  JOIN deliveries d ON d.id = taken.id
  JOIN webhook_endpoints e ON e.id = d.endpoint_id AND e.ordering = 'RELAXED' AND d.seq >= e.sends_from_seq
  LEFT JOIN agents a ON a.id = e.agent_id
  JOIN events event ON event.id = d.event_id
 WHERE ${IS_LIVE}
 ORDER BY d.conversation_id`,
}
