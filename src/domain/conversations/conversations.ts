import type { Conversation, Member, User, Visitor } from '../../generated/prisma/client.ts'
import { Prisma } from '../../infra/database/db.ts'
import { namedColumnsOf, RowReader } from '../../infra/database/rows.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'
import { columnsAs } from '../shared/page-sql.ts'

export type ConversationWithPeople = Conversation & {
  visitor: Visitor
  assignee: (Member & { user: Person }) | null
}

/**
 * A conversation with its assignee; null if that member was removed, although assigneeId can name them a while longer.
 */
export type ConversationWithAssignee = Conversation & { assignee: Pick<Member, 'id'> | null }

/** The public fields of a user. */
type Person = Pick<User, 'id' | 'name' | 'email' | 'emailVerifiedAt'>
const PERSON = { id: true, name: true, email: true, emailVerifiedAt: true } as const

/** The relations that every response contains. */
export const WITH_PEOPLE = { visitor: true, assignee: { include: { user: { select: PERSON } } } } as const

/**
 * A conversation that the actor can see.
 * @throws NotFoundError for an unknown id, and for a conversation of another workspace
 */
export async function getConversation(deps: Deps, actor: Actor, id: string): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_ONLY')
  requireId('conversation', id, 'Conversation')
  const row = (await conversationsById(deps, actor, [id])).get(id)
  if (row === undefined) throw new NotFoundError('Conversation')
  return row
}

/** The fields of conversations and their people to read. Others are undefined in the rows, regardless of their type. */
export interface ConversationFields {
  readonly conversation: readonly (keyof Conversation)[]
  readonly visitor: readonly (keyof Visitor)[]
  /** Empty: the assignee is not read. */
  readonly assignee: readonly (keyof Member)[]
}

export const ALL_FIELDS: ConversationFields = {
  // The minute serves indexes only.
  conversation: Object.values(Prisma.ConversationScalarFieldEnum).filter((field) => field !== 'activityMinute'),
  visitor: Object.values(Prisma.VisitorScalarFieldEnum),
  assignee: Object.values(Prisma.MemberScalarFieldEnum),
}
const PERSON_FIELDS = ['id', 'name', 'email', 'emailVerifiedAt'] as const

/** The columns of conversations `c` and their people in the order of `conversationOf`, and the joins that they need. */
export function selectConversations({ conversation, visitor, assignee }: ConversationFields): {
  columns: string
  joins: string
} {
  const isAssigned = assignee.length > 0
  return {
    columns: [
      ...namedColumnsOf('c', conversation),
      ...namedColumnsOf('v', visitor),
      ...(isAssigned ? [...namedColumnsOf('m', assignee), ...namedColumnsOf('u', PERSON_FIELDS)] : []),
    ].join(', '),
    joins: [
      visitor.length > 0 ? 'JOIN visitors v ON v.id = c.visitor_id' : '',
      isAssigned ? 'LEFT JOIN members m ON m.id = c.assignee_id LEFT JOIN users u ON u.id = m.user_id' : '',
    ].join(' '),
  }
}

const EVERYTHING = selectConversations(ALL_FIELDS)

/** $1 ids, $2 workspace, $3 the visitor, if the caller is one. */
const BY_ID = {
  name: 'conversations_by_id',
  text: `
  SELECT ${EVERYTHING.columns} FROM conversations c ${EVERYTHING.joins}
   WHERE c.id = ANY($1) AND c.workspace_id = $2 AND ($3::text IS NULL OR c.visitor_id = $3)`,
} as const

/**
 * The conversations with these ids that the actor can see, by id. Plain SQL, because every inbox waits for it: Prisma's
 * query takes five times as much CPU time.
 */
export async function conversationsById(
  deps: Deps,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, ConversationWithPeople>> {
  const { workspaceId, visitorId = null } = visibleConversations(actor)
  const rows = await deps.db.values(BY_ID, [ids, workspaceId, visitorId])
  return new Map(rows.map((row) => conversationOf(row)).map((conversation) => [conversation.id, conversation]))
}

/** A conversation from the values of its columns, which start at the given index of `row`. */
export function conversationOf(row: readonly unknown[], fields = ALL_FIELDS, begin = 0): ConversationWithPeople {
  const reader = new RowReader(row, begin)
  const conversation = reader.take<Conversation>(fields.conversation)
  const visitor = reader.take<Visitor>(fields.visitor)
  const member = reader.take<Member>(fields.assignee)
  const assignee = member.id == null ? null : Object.assign(member, { user: reader.take<Person>(PERSON_FIELDS) })
  return Object.assign(conversation, { visitor, assignee })
}

/** The columns of `conversations` under the names of their fields, but for the assignee, who may have been removed. */
const STORED_COLUMNS = columnsAs(
  'conversations',
  ALL_FIELDS.conversation.filter((field) => field !== 'assigneeId'),
)

/** Locks the row of a conversation until the transaction ends, so that concurrent changes and messages wait here. */
export async function lockConversation(tx: Tx, actor: Actor, id: string): Promise<Conversation> {
  requireId('conversation', id, 'Conversation')
  const { workspaceId, visitorId } = visibleConversations(actor)
  const own = visitorId === undefined ? Prisma.empty : Prisma.sql`AND visitor_id = ${visitorId}`
  const [row] = await tx.db.$queryRaw<Conversation[]>`
    SELECT ${STORED_COLUMNS}, (SELECT id FROM members WHERE members.id = assignee_id) AS "assigneeId"
      FROM conversations WHERE id = ${id} AND workspace_id = ${workspaceId} ${own} FOR UPDATE`
  if (row === undefined) throw new NotFoundError('Conversation')
  return row
}
