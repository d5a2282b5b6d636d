import type { Session, Statement } from './session.ts'

/** A delivery that this process may send, as it was read. */
export interface Claimed {
  readonly id: string
  readonly endpointId: string
  /** Its event's seq. */
  readonly seq: string
  readonly conversationId: string | null
  /** Attempts recorded so far. */
  readonly attempts: number
  /** 0: live; 1: replayed in bulk. */
  readonly lane: number
  /** Sample data that somebody asked for: one attempt, which does not count for the endpoint's health. */
  readonly isTest: boolean
  readonly type: string
  readonly body: string
  /** Changes whenever the endpoint or its agent does. */
  readonly version: string
}

/** What to read for one endpoint: at most so many of each kind, and none of those that are held already. */
export interface Wanted {
  readonly endpointId: string
  /** First attempts, in the order of their events. */
  readonly firsts: number
  /** Retries that are due, the longest waiting first. */
  readonly retries: number
  /** Of what was replayed in bulk: first attempts, and retries. */
  readonly replays: number
  /** `seq` of what is held. */
  readonly held: readonly string[]
}

/**
 * Reads what is next for endpoints that belong to this process: an index walk for each kind, as long as what is wanted
 * and what is held, however long the backlog.
 *
 * - First attempts come in `seq` order, and events of one conversation commit in that order. So nothing that is read has
 *   an earlier first attempt in its conversation that is neither held nor read with it.
 * - Where ordering is STRICT, an event waits while an earlier one of its conversation is being retried, through its
 *   first five attempts.
 * - Disabled endpoints and agents keep what waits for them; tests go to them too.
 */
export async function claim(session: Session, wanted: readonly Wanted[], now: Date): Promise<Claimed[]> {
  return session.run<Claimed>(CLAIM, [
    wanted.map(({ endpointId }) => endpointId),
    wanted.map(({ firsts }) => firsts),
    wanted.map(({ retries }) => retries),
    wanted.map(({ replays }) => replays),
    wanted.map(({ held }) => `{${held.join()}}`),
    now,
  ])
}

const COLUMNS = 'd.id, d.seq, d.conversation_id, d.attempts, d.lane, d.is_test, d.event_id'
const UNHELD = 'd.due IS NOT NULL AND d.seq >= e.sends_from_seq AND d.seq <> ALL(q.held::bigint[])'
const FIRST = `${UNHELD} AND NOT d.is_test AND d.attempts = 0`
const RETRY = `${UNHELD} AND NOT d.is_test AND d.attempts > 0 AND d.due <= $6::timestamptz`

const CLAIM: Statement = {
  name: 'dispatcher_claim',
  text: `SELECT d.id, q.endpoint_id AS "endpointId", d.seq::text AS seq, d.conversation_id AS "conversationId", d.attempts, d.lane,
       d.is_test AS "isTest", event.type, event.body, e.xmin::text || COALESCE('.' || a.xmin::text, '') AS version
  FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::text[]) AS q(endpoint_id, firsts, retries, replays, held)
  JOIN webhook_endpoints e ON e.id = q.endpoint_id
  LEFT JOIN agents a ON a.id = e.agent_id
 CROSS JOIN LATERAL (
   (SELECT ${COLUMNS} FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${FIRST}
       AND (e.ordering = 'RELAXED' OR d.conversation_id IS NULL OR (
         SELECT earlier.id FROM deliveries earlier
          WHERE earlier.endpoint_id = d.endpoint_id AND earlier.conversation_id = d.conversation_id
            AND earlier.seq >= e.sends_from_seq AND earlier.seq < d.seq AND earlier.due IS NOT NULL AND NOT earlier.is_test AND earlier.lane = 0
            AND earlier.attempts BETWEEN 1 AND 4
          ORDER BY earlier.seq LIMIT 1) IS NULL)
     ORDER BY d.seq LIMIT q.firsts)
   UNION ALL
   (SELECT ${COLUMNS} FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 0 AND ${RETRY}
     ORDER BY d.due LIMIT q.retries)
   UNION ALL
   (SELECT ${COLUMNS} FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${FIRST}
     ORDER BY d.seq LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS} FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.lane = 1 AND ${RETRY}
     ORDER BY d.due LIMIT q.replays)
   UNION ALL
   (SELECT ${COLUMNS} FROM deliveries d
     WHERE d.endpoint_id = q.endpoint_id AND d.is_test AND ${UNHELD}
     ORDER BY d.due LIMIT 1000)
 ) d
  JOIN events event ON event.id = d.event_id
 WHERE d.is_test OR (e.is_enabled AND COALESCE(a.is_enabled, true))`,
}

/**
 * The first unsent events of conversations after `after`, in the conversations' order: for an endpoint whose oldest events
 * all wait for one another.
 */
export async function claimHeads(
  session: Session,
  endpointId: string,
  after: string,
  limit: number,
): Promise<{ heads: Claimed[]; last: string }> {
  const heads = await session.run<Claimed & { conversationId: string }>(HEADS, [endpointId, after, limit])
  return { heads, last: heads.length < limit ? '' : (heads.at(-1)?.conversationId ?? '') }
}

const HEAD = `SELECT d.conversation_id, d.id FROM deliveries d
   WHERE d.endpoint_id = $1 AND d.due IS NOT NULL AND NOT d.is_test AND d.lane = 0 AND d.attempts = 0`

const HEADS: Statement = {
  name: 'dispatcher_claim_heads',
  text: `WITH RECURSIVE head AS (
  (${HEAD} AND d.conversation_id > $2 ORDER BY d.conversation_id, d.seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM head CROSS JOIN LATERAL (
    ${HEAD} AND d.conversation_id > head.conversation_id ORDER BY d.conversation_id, d.seq LIMIT 1) next
), taken AS (SELECT id FROM head LIMIT $3::int)
SELECT d.id, d.endpoint_id AS "endpointId", d.seq::text AS seq, d.conversation_id AS "conversationId", d.attempts, d.lane,
       d.is_test AS "isTest", event.type, event.body, e.xmin::text || COALESCE('.' || a.xmin::text, '') AS version
  FROM taken
  JOIN deliveries d ON d.id = taken.id
  JOIN webhook_endpoints e ON e.id = d.endpoint_id AND e.ordering = 'RELAXED' AND e.is_enabled AND d.seq >= e.sends_from_seq
  LEFT JOIN agents a ON a.id = e.agent_id
  JOIN events event ON event.id = d.event_id
 WHERE COALESCE(a.is_enabled, true)
 ORDER BY d.conversation_id`,
}
