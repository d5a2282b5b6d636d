import { z } from 'zod'
import { inTransaction } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { idText, parse } from '../shared/input.ts'
import { type ConversationWithPeople, getConversation } from './conversations.ts'

export const MarkRead = z.object({
  conversationId: idText.describe('The id of the conversation.'),
  sequence: z
    .int32()
    .min(0)
    .describe(
      'The sequence number of the last message that was read, from 0. A number higher than that of the latest message marks all messages as read.',
    ),
})

/** The maximum of the number of unread messages. */
export const MAX_UNREAD = 1000

/** The person with the marker; null for agents, visitors and the system, which have none. */
function readerOf({ type, user }: Actor): string | null {
  return type === 'agent' ? null : (user?.id ?? null)
}

/**
 * Records how far the caller has read a conversation. The marker never moves back, nor beyond the last message, so
 * concurrent calls are safe. It is personal: READ_ONLY is enough to set it, and no event is recorded.
 * @throws NotFoundError, ValidationError; ForbiddenError for callers that are not people
 */
export async function markConversationRead(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof MarkRead>,
): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_ONLY')
  const userId = readerOf(actor)
  if (userId === null) throw new ForbiddenError('Unread markers require a user')
  const { conversationId, sequence } = parse(MarkRead, input)
  const conversation = await getConversation(deps, actor, conversationId)
  await inTransaction(
    deps,
    (tx) => tx.db.$executeRaw`
    INSERT INTO conversation_reads (workspace_id, member_id, conversation_id, last_read_sequence, updated_at)
    SELECT c.workspace_id, member.id, c.id, LEAST(${sequence}, c.message_count), ${deps.clock.now()}
      FROM conversations c
      JOIN members member ON member.workspace_id = c.workspace_id AND member.user_id = ${userId}
     WHERE c.id = ${conversation.id} AND c.workspace_id = ${actor.workspaceId}
       FOR KEY SHARE OF c, member
    ON CONFLICT (member_id, conversation_id) DO UPDATE SET
      last_read_sequence = EXCLUDED.last_read_sequence, updated_at = EXCLUDED.updated_at
      WHERE conversation_reads.last_read_sequence < EXCLUDED.last_read_sequence`,
  )
  return conversation
}

/** The read state of a conversation for the caller. */
export interface ReadState {
  readonly lastReadSequence: number
  /** Later messages of other visitors, people and bots; at most MAX_UNREAD. */
  readonly unreadCount: number
}

/**
 * The read states of many conversations in one statement; empty for callers that are not people. The caller has checked
 * the permission.
 */
export async function readStates(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  conversationIds: readonly string[],
): Promise<Map<string, ReadState>> {
  const userId = readerOf(actor)
  if (userId === null) return new Map()
  const rows = await db.prisma.$queryRaw<{ id: string; last: number; unread: bigint }[]>`
    WITH me AS (
      SELECT id, ARRAY(SELECT key.id FROM api_keys key WHERE key.user_id = member.user_id) || id AS own
        FROM members member WHERE workspace_id = ${actor.workspaceId} AND user_id = ${userId}
    )
    SELECT wanted.id, marker.last, unread.count AS unread
      FROM me
     CROSS JOIN unnest(${[...conversationIds]}::text[]) AS wanted(id)
      LEFT JOIN conversation_reads r ON r.member_id = me.id AND r.conversation_id = wanted.id
     CROSS JOIN LATERAL (SELECT COALESCE(r.last_read_sequence, 0) AS last) marker
     CROSS JOIN LATERAL (
       SELECT count(*) FROM (
         SELECT 1 FROM messages m
          WHERE m.conversation_id = wanted.id AND m.sequence > marker.last
            AND m.type IN ('VISITOR', 'AGENT', 'BOT') AND COALESCE(m.sender_id, '') <> ALL(me.own)
          LIMIT ${MAX_UNREAD}) counted) unread`
  return new Map(rows.map(({ id, last, unread }) => [id, { lastReadSequence: last, unreadCount: Number(unread) }]))
}
