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
  assignee: (Member & { user: User }) | null
}

/** What a conversation is always shown with. */
export const WITH_PEOPLE = { visitor: true, assignee: { include: { user: true } } } as const

/**
 * One conversation that the actor may see.
 * @throws NotFoundError for an unknown id and for another workspace's alike
 */
export async function getConversation(deps: Deps, actor: Actor, id: string): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_ONLY')
  requireId('conversation', id, 'Conversation')
  const where = { id, ...visibleConversations(actor) }
  const row = await deps.db.prisma.conversation.findFirst({ where, include: WITH_PEOPLE })
  if (row === null) throw new NotFoundError('Conversation')
  return row
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
