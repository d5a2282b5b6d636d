/**
 * Adding a message without GudDesk: a bare Koa route, the key looked up, and one prepared statement for lock, message, event
 * and deliveries, on the same tables. Nothing is checked, and nothing is delivered. It prints its origin.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import pg from 'pg'

const KEY = `SELECT key.id, key.workspace_id, key.permission, users.name FROM api_keys key JOIN users ON users.id = key.user_id
 WHERE key.hash = $1 AND key.is_enabled AND key.revoked_at IS NULL`

/** $1 conversation, $2 workspace, $3 message, $4 text, $5 event, $6 and $7 the event's text around the sequence. */
const ADD = `WITH locked AS (
  SELECT id, workspace_id, visitor_id FROM conversations WHERE id = $1 AND workspace_id = $2 FOR UPDATE
), counted AS (
  UPDATE conversations c SET message_count = c.message_count + 1, last_message_at = now(), last_message_preview = left($4, 100),
         last_activity_at = now(), activity_xid = pg_current_xact_id(), updated_at = now()
    FROM locked WHERE c.id = locked.id
  RETURNING c.id, c.workspace_id, c.visitor_id, c.message_count
), message AS (
  INSERT INTO messages (id, workspace_id, conversation_id, sequence, type, body, sender_id)
  SELECT $3, workspace_id, id, message_count, 'VISITOR', $4, visitor_id FROM counted
), event AS (
  INSERT INTO events (id, workspace_id, type, conversation_id, body)
  SELECT $5, workspace_id, 'message.created', id, $6 || message_count || $7 FROM counted
  RETURNING id, workspace_id, conversation_id, seq, created_at
), delivery AS (
  INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, due, created_at)
  SELECT 'dlv_' || left(md5(event.id || endpoint.id), 26), event.workspace_id, event.id, endpoint.id, event.conversation_id, event.seq,
         event.created_at, event.created_at
    FROM event JOIN webhook_endpoints endpoint ON endpoint.workspace_id = event.workspace_id AND endpoint.on_message_created
)
SELECT message_count AS sequence FROM counted`

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
const app = new Koa()
app.use(async (ctx) => {
  const hash = createHash('sha256').update(ctx.get('authorization').slice('Bearer '.length)).digest('hex')
  const { rows: keys } = await pool.query({ name: 'key', text: KEY, values: [hash] })
  const conversationId = ctx.path.split('/')[4]
  const { type, body }: { type: string; body: string } = JSON.parse(await text(ctx.req))
  const [id, workspaceId] = [newId('msg'), keys[0].workspace_id]
  const data = { conversationId, messageId: id, type, body, workspaceId, assigneeId: null, senderName: 'Vera' }
  const event = JSON.stringify({ event: 'message.created', data, timestamp: new Date() })
  const at = event.indexOf('},"timestamp"')
  const parts = [`${event.slice(0, at)},"sequence":`, event.slice(at)]
  const values = [conversationId, workspaceId, id, body, newId('evt'), ...parts]
  const { rows } = await pool.query({ name: 'add', text: ADD, values })
  ctx.status = 201
  ctx.body = { data: { id, conversationId, type, body, sequence: rows[0].sequence } }
})
const server = app.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
process.on('SIGTERM', () => process.exit(0))

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 26)}`
}
