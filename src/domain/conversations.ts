import type { Conversation, Member, User, Visitor } from '../generated/prisma/client.ts'
import { Prisma } from '../infra/db.ts'
import type { Tx } from '../infra/transaction.ts'
import type { Actor } from './actor.ts'
import type { Deps } from './deps.ts'
import { NotFoundError } from './errors.ts'
import { requireId } from './input.ts'
import { requireLevel, visibleConversations } from './policy.ts'

export type ConversationWithPeople = Conversation & {
  visitor: Visitor
  assignee: (Member & { user: Person }) | null
}

/** What others see of a user. */
type Person = Pick<User, 'id' | 'name' | 'email'>
const PERSON = { id: true, name: true, email: true } as const

/** What a conversation is always shown with. */
export const WITH_PEOPLE = { visitor: true, assignee: { include: { user: { select: PERSON } } } } as const

/**
 * One conversation that the actor may see.
 * @throws NotFoundError for an unknown id and for another workspace's alike
 */
export async function getConversation(deps: Deps, actor: Actor, id: string): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_ONLY')
  requireId('conversation', id, 'Conversation')
  const row = (await conversationsById(deps, actor, [id])).get(id)
  if (row === undefined) throw new NotFoundError('Conversation')
  return row
}

const CONVERSATION_FIELDS = Object.values(Prisma.ConversationScalarFieldEnum)
const VISITOR_FIELDS = Object.values(Prisma.VisitorScalarFieldEnum)
const MEMBER_FIELDS = Object.values(Prisma.MemberScalarFieldEnum)
const columns = (table: string, fields: readonly string[]) =>
  fields.map((field) => `${table}.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`)

/** $1 ids, $2 workspace, $3 the visitor that is asking, if one is. The columns in the order that `withPeople` reads. */
const BY_ID = {
  name: 'conversations_by_id',
  rowMode: 'array',
  text: `
  SELECT ${[
    ...columns('c', CONVERSATION_FIELDS),
    ...columns('v', VISITOR_FIELDS),
    ...columns('m', MEMBER_FIELDS),
    ...columns('u', Object.keys(PERSON)),
  ]}
    FROM conversations c
    JOIN visitors v ON v.id = c.visitor_id
    LEFT JOIN members m ON m.id = c.assignee_id
    LEFT JOIN users u ON u.id = m.user_id
   WHERE c.id = ANY($1) AND c.workspace_id = $2 AND ($3::text IS NULL OR c.visitor_id = $3)`,
} as const

/**
 * The conversations of these ids that the actor may see, by id. By hand, because every inbox waits for it: with Prisma's
 * query it takes five times as much of the processor.
 */
export async function conversationsById(
  deps: Deps,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, ConversationWithPeople>> {
  const { workspaceId, visitorId = null } = visibleConversations(actor)
  const rows = await deps.db.prepared<unknown[]>(BY_ID, [ids, workspaceId, visitorId])
  return new Map(rows.map((row) => withPeople(row)).map((conversation) => [conversation.id, conversation]))
}

function withPeople(row: readonly unknown[]): ConversationWithPeople {
  let at = 0
  const take = <Shape>(fields: readonly string[]): Shape => {
    const shape: Record<string, unknown> = {}
    for (const field of fields) shape[field] = row[at++]
    // The statement's columns are the model's fields.
    return shape as Shape
  }
  const conversation = take<Conversation>(CONVERSATION_FIELDS)
  const visitor = take<Visitor>(VISITOR_FIELDS)
  const member = take<Member>(MEMBER_FIELDS)
  const user = take<Person>(Object.keys(PERSON))
  return { ...conversation, visitor, assignee: conversation.assigneeId === null ? null : { ...member, user } }
}

/** A conversation's row, locked until the transaction ends: whoever changes it, or adds a message, waits here. */
export async function lockConversation(tx: Tx, actor: Actor, id: string): Promise<Conversation> {
  requireId('conversation', id, 'Conversation')
  const { workspaceId, visitorId } = visibleConversations(actor)
  const own = visitorId === undefined ? Prisma.empty : Prisma.sql`AND visitor_id = ${visitorId}`
  const [row] = await tx.db.$queryRaw<Conversation[]>`
    SELECT id, workspace_id AS "workspaceId", visitor_id AS "visitorId", assignee_id AS "assigneeId", status, channel,
           subject, priority, tags, metadata, message_count AS "messageCount", last_message_at AS "lastMessageAt",
           last_message_preview AS "lastMessagePreview", last_activity_at AS "lastActivityAt",
           snoozed_until AS "snoozedUntil", closed_at AS "closedAt", created_at AS "createdAt", updated_at AS "updatedAt"
      FROM conversations WHERE id = ${id} AND workspace_id = ${workspaceId} ${own} FOR UPDATE`
  if (row === undefined) throw new NotFoundError('Conversation')
  return row
}
