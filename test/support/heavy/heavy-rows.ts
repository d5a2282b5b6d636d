import type { Database } from '../../../src/infra/database/db.ts'

/** `prefix` and a number as an id is written; `series` keeps several calls apart. */
const idOf = (prefix: string, series: number) =>
  `'${prefix}_' || lpad(${series}::text, 4, '0') || lpad(n::text, 22, '0')`

let series = 0

/** Conversations of one visitor that a member has, each with a message that the member has read. */
export async function makeConversations(
  db: Database,
  { workspaceId, visitorId, memberId }: { workspaceId: string; visitorId: string; memberId: string },
  count: number,
): Promise<void> {
  series += 1
  const id = idOf('conv', series)
  await db.sql(
    `INSERT INTO conversations (id, workspace_id, visitor_id, assignee_id, last_activity_at, updated_at, message_count)
     SELECT ${id}, $1, $2, $3, now() - n * interval '1 second', now(), 1 FROM generate_series(1, $4::int) n`,
    [workspaceId, visitorId, memberId, count],
  )
  await db.sql(
    `INSERT INTO messages (id, workspace_id, conversation_id, sequence, type, body)
     SELECT ${idOf('msg', series)}, $1, ${id}, 1, 'VISITOR', 'Hello' FROM generate_series(1, $2::int) n`,
    [workspaceId, count],
  )
  await db.sql(
    `INSERT INTO conversation_reads (workspace_id, member_id, conversation_id, last_read_sequence, updated_at)
     SELECT $1, $2, ${id}, 1, now() FROM generate_series(1, $3::int) n`,
    [workspaceId, memberId, count],
  )
}

/** Deliveries to one endpoint, each of an event of its own, every second one with an attempt and every third one waiting. */
export async function makeDeliveries(
  db: Database,
  { workspaceId, endpointId }: { workspaceId: string; endpointId: string },
  count: number,
): Promise<void> {
  series += 1
  const [event, delivery] = [idOf('evt', series), idOf('dlv', series)]
  await db.sql(
    `INSERT INTO events (id, workspace_id, type, body)
     SELECT ${event}, $1, 'message.created', '{"event":"message.created","data":{}}' FROM generate_series(1, $2::int) n`,
    [workspaceId, count],
  )
  await db.sql(
    `INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, status, due, finished_at, created_at)
     SELECT ${delivery}, $1, ${event}, $2, n, (CASE WHEN n % 3 = 0 THEN 'PENDING' ELSE 'FAILED' END)::"DeliveryStatus",
            CASE WHEN n % 3 = 0 THEN now() + interval '1 day' END, CASE WHEN n % 3 > 0 THEN now() END, now()
       FROM generate_series(1, $3::int) n`,
    [workspaceId, endpointId, count],
  )
  await db.sql(
    `INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms)
     SELECT ${delivery}, 1, now(), 5 FROM generate_series(2, $1::int, 2) n`,
    [count],
  )
}
