import { z } from 'zod'
import type { Conversation, Message } from '../../generated/prisma/client.ts'
import type { MessageType } from '../../generated/prisma/enums.ts'
import { Prisma } from '../../infra/database/db.ts'
import { getConversation } from '../conversations/conversations.ts'
import type { Actor } from '../shared/actor.ts'
import { visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { isRead } from '../shared/page-sql.ts'
import { type Page, type PageRequest, paginate } from '../shared/pagination.ts'

/**
 * A conversation's messages, oldest first, notes included.
 * @throws NotFoundError when the actor cannot see the conversation
 */
export async function listMessages(
  deps: Deps,
  actor: Actor,
  conversationId: string,
  page: PageRequest,
): Promise<Page<Message>> {
  const conversation = await getConversation(deps, actor, conversationId)
  return messagePage(conversation, page, async (range) => {
    return (await messagesOf(deps, [conversationId], range)).get(conversationId) ?? []
  })
}

const Sequence = z.tuple([z.int32().min(0)])

/** A message whose body is omitted if the messages before it have used up the bytes of the page. */
export interface FoundMessage extends Message {
  readonly isRead: boolean
}

/**
 * A page of a conversation's messages, read by `find`: alone, or with those of other conversations in one statement.
 */
export function messagePage(
  { messageCount }: Pick<Conversation, 'messageCount'>,
  page: PageRequest,
  read: (range: MessageRange) => Promise<FoundMessage[]>,
): Promise<Page<Message>> {
  return paginate<FoundMessage, [number]>(page, {
    cursorKey: Sequence,
    cursorKeyOf: ({ sequence }) => [sequence],
    find: ({ after, before, take, reverse }) =>
      read({ after: after?.[0] ?? 0, before: before?.[0] ?? LAST_SEQUENCE, take, reverse }),
    count: async () => messageCount,
    sizeOf: (message) => (message.isRead ? jsonBytes(message) : Number.POSITIVE_INFINITY),
  })
}

/** Messages of a conversation between two sequences, both excluded. */
export interface MessageRange {
  readonly after: number
  readonly before: number
  readonly take: number
  /** From the end, the last message first. */
  readonly reverse: boolean
}

const LAST_SEQUENCE = 2 ** 31 - 1

/** The same range of many conversations in one statement. The caller has checked the permission. */
export async function messagesOf(
  { db }: Pick<Deps, 'db'>,
  conversationIds: readonly string[],
  { after, before, take, reverse }: MessageRange,
): Promise<Map<string, FoundMessage[]>> {
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const rows = await db.prisma.$queryRaw<FoundMessage[]>`
    SELECT id, workspace_id AS "workspaceId", conversation_id AS "conversationId", sequence, type,
           CASE WHEN is_read THEN body ELSE '' END AS body, is_read AS "isRead",
           sender_id AS "senderId", sender_name AS "senderName", actor_id AS "actorId",
           client_message_id AS "clientMessageId", created_at AS "createdAt"
      FROM (
        SELECT message.*, ${isRead(Prisma.sql`wanted.n`, Prisma.sql`message.sequence ${order}`)} AS is_read
          FROM unnest(${[...conversationIds]}::text[]) WITH ORDINALITY AS wanted(id, n)
         CROSS JOIN LATERAL (
           SELECT * FROM messages
            WHERE conversation_id = wanted.id AND sequence > ${after} AND sequence < ${before}
            ORDER BY sequence ${order} LIMIT ${take}) message) found
     ORDER BY sequence ${order}`
  return Map.groupBy(rows, ({ conversationId }) => conversationId)
}

/** The messages of these ids that the actor may see, by id: notes and system entries are not for visitors. */
export async function messagesById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, Message>> {
  const internal = actor.type === 'visitor' ? { type: { notIn: ['NOTE', 'SYSTEM'] satisfies MessageType[] } } : {}
  const where = { id: { in: [...ids] }, conversation: visibleConversations(actor), ...internal }
  const rows = await db.prisma.message.findMany({ where })
  return new Map(rows.map((row) => [row.id, row]))
}
