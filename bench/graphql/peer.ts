/**
 * The same results without GraphQL: a bare Koa route each, one hand-written statement, no authentication. It prints its port.
 * Runs on DATABASE_URL, or on the embedded database in DATA_DIR.
 */
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { readConfig } from '../../src/infra/config.ts'
import { openDatabase } from '../../src/infra/database/db.ts'
import { createLog } from '../../src/infra/log.ts'

const CONVERSATION = `SELECT c.id, c.status, c.subject, c.last_message_preview, v.id AS visitor_id, v.name AS visitor_name,
       m.id AS member_id, u.name AS member_name
  FROM conversations c
  JOIN visitors v ON v.id = c.visitor_id
  LEFT JOIN members m ON m.id = c.assignee_id
  LEFT JOIN users u ON u.id = m.user_id`
const LIST = `${CONVERSATION} WHERE c.workspace_id = $1 ORDER BY c.activity_minute DESC, c.last_activity_at DESC, c.id DESC LIMIT 50`
const ONE = `${CONVERSATION} WHERE c.workspace_id = $1 AND c.id = $2`
const VISITOR = 'SELECT id, name, email FROM visitors WHERE workspace_id = $1 AND id = $2'

interface Row {
  id: string
  status: string
  subject: string | null
  last_message_preview: string | null
  visitor_id: string
  visitor_name: string | null
  member_id: string | null
  member_name: string | null
}

function toConversation(row: Row): object {
  return {
    id: row.id,
    status: row.status,
    subject: row.subject,
    visitor: { id: row.visitor_id, name: row.visitor_name },
    assignee: row.member_id === null ? null : { id: row.member_id, name: row.member_name },
    lastMessagePreview: row.last_message_preview,
  }
}

const db = await openDatabase(readConfig(), createLog('warn'))
const app = new Koa()
app.use(async (ctx) => {
  const [, name, workspaceId, id] = ctx.path.split('/')
  if (name === 'list') {
    const rows = await db.sql<Row>(LIST, [workspaceId])
    ctx.body = { data: { conversations: { edges: rows.map((row) => ({ node: toConversation(row) })) } } }
  }
  if (name === 'one') {
    const [row] = await db.sql<Row>(ONE, [workspaceId, id])
    ctx.body = { data: { conversation: row === undefined ? null : toConversation(row) } }
  }
  if (name === 'visitor') {
    const [row] = await db.sql<Row>(VISITOR, [workspaceId, id])
    ctx.body = { data: { node: row ?? null } }
  }
})
const server = app.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
process.on('SIGTERM', () => process.exit(0))
