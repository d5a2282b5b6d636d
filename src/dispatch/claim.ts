import type { Database } from '../infra/db.ts'

/** A delivery that this process may send until its lease ends. */
export interface Claimed {
  readonly id: string
  readonly lease: string
  /** 1, 2, …: the attempt about to be made. */
  readonly attempt: number
  readonly seq: string
  readonly workspaceId: string
  readonly endpointId: string
  readonly agentId: string | null
  readonly url: string
  readonly sealedSecret: string
  /** The secret before, while one is being rotated: it signs too. */
  readonly previousSealedSecret: string | null
  readonly type: string
  readonly body: string
  /** Sample data that somebody asked for: one attempt, which does not count for the endpoint's health. */
  readonly isTest: boolean
}

export interface ClaimRequest {
  readonly lease: string
  readonly now: Date
  readonly leaseEnds: Date
  /** At most this many deliveries. */
  readonly batch: number
  /** Requests that one endpoint may have in flight. */
  readonly perEndpoint: number
  /** Endpoints with requests in flight here, and how many more each may take. */
  readonly free: ReadonlyMap<string, number>
}

/**
 * Leases due deliveries: the lease's token is written with its end as the new `due`, so a dead process's deliveries
 * come back by themselves. Rows that another dispatcher is claiming are skipped.
 *
 * - Fair: a loose index scan visits every endpoint that has work, and takes only what each has room for. A backlog
 *   costs as much as one row.
 * - Ordered: a first attempt waits while an earlier event of its conversation has not had its own first attempt at
 *   that endpoint. Events of one conversation commit in `seq` order, so an old snapshot can only wait too long.
 *   Lanes do not wait for each other: what is replayed in bulk never holds up what is live.
 * - Endpoints and agents that are disabled keep what waits for them.
 * - Tests go at once, whatever else waits, and to disabled endpoints too. Few can wait at a time: sendTestEvent sees to it.
 */
export async function claim(db: Database, request: ClaimRequest): Promise<Claimed[]> {
  const { lease, now, leaseEnds, batch, perEndpoint, free } = request
  const rows = await db.sql<Claimed>(CLAIM, [
    lease,
    now,
    leaseEnds,
    batch,
    perEndpoint,
    [...free.keys()],
    [...free.values()],
  ])
  // RETURNING has no order; sending has.
  return rows.sort((a, b) => (BigInt(a.seq) < BigInt(b.seq) ? -1 : 1))
}

const CLAIM = `
WITH RECURSIVE working AS (
  (SELECT endpoint_id FROM deliveries WHERE due IS NOT NULL ORDER BY endpoint_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint_id FROM deliveries d
           WHERE d.due IS NOT NULL AND d.endpoint_id > working.endpoint_id
           ORDER BY d.endpoint_id LIMIT 1)
    FROM working WHERE working.endpoint_id IS NOT NULL
), room AS (
  SELECT endpoint.id AS endpoint_id, COALESCE(here.free, $5::int) AS free
    FROM working
    JOIN webhook_endpoints endpoint ON endpoint.id = working.endpoint_id AND endpoint.is_enabled
    LEFT JOIN agents agent ON agent.id = endpoint.agent_id
    LEFT JOIN unnest($6::text[], $7::int[]) AS here(endpoint_id, free) ON here.endpoint_id = endpoint.id
   WHERE COALESCE(agent.is_enabled, true) AND COALESCE(here.free, $5::int) > 0
), next AS (
  SELECT due_now.id
    FROM room
   CROSS JOIN LATERAL (
     SELECT d.id FROM deliveries d
      WHERE d.endpoint_id = room.endpoint_id AND d.due <= $2::timestamptz AND NOT d.is_test
        AND (d.attempts > 0 OR d.conversation_id IS NULL OR NOT EXISTS (
          SELECT 1 FROM deliveries earlier
           WHERE earlier.endpoint_id = d.endpoint_id AND earlier.conversation_id = d.conversation_id
             AND earlier.lane = d.lane AND earlier.seq < d.seq AND earlier.attempts = 0 AND earlier.due IS NOT NULL))
      ORDER BY d.due, d.seq
      LIMIT room.free
      FOR UPDATE SKIP LOCKED
   ) due_now
   LIMIT $4::int
), tests AS (
  SELECT d.id FROM deliveries d
   WHERE d.is_test AND d.due <= $2::timestamptz
   ORDER BY d.due
   LIMIT $4::int
   FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET lease = $1, due = $3::timestamptz
  FROM (SELECT id FROM tests UNION ALL SELECT id FROM next LIMIT $4::int) taken, events event, webhook_endpoints endpoint
 WHERE d.id = taken.id AND event.id = d.event_id AND endpoint.id = d.endpoint_id
RETURNING d.id, d.lease, d.attempts + 1 AS attempt, d.seq::text AS seq, d.workspace_id AS "workspaceId",
  d.endpoint_id AS "endpointId", endpoint.agent_id AS "agentId", endpoint.url, endpoint.sealed_secret AS "sealedSecret",
  CASE WHEN endpoint.secret_overlap_ends_at > $2::timestamptz THEN endpoint.previous_sealed_secret END AS "previousSealedSecret",
  event.type, event.body, d.is_test AS "isTest"`

/** Gives leases back: what they cover is due again at `at`. Nothing is recorded. */
export async function release(db: Database, leases: readonly Pick<Claimed, 'id' | 'lease'>[], at: Date): Promise<void> {
  await db.sql(
    `UPDATE deliveries d SET lease = NULL, due = $3::timestamptz
       FROM unnest($1::text[], $2::text[]) AS mine(id, lease)
      WHERE d.id = mine.id AND d.lease = mine.lease`,
    [leases.map(({ id }) => id), leases.map(({ lease }) => lease), at],
  )
}

/** Takes back every lease of a predecessor that was killed. Only for a process that has the database to itself. */
export async function releaseAbandoned(db: Database, now: Date): Promise<void> {
  await db.sql('UPDATE deliveries SET lease = NULL, due = $1::timestamptz WHERE lease IS NOT NULL', [now])
}
