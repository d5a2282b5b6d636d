import { z } from 'zod'
import type { Conversation, Message } from '../../generated/prisma/client.ts'
import type { MessageType } from '../../generated/prisma/enums.ts'
import { type LockedConversation, lockConversation } from '../conversations/conversations.ts'
import { type EventTx, inEventTransaction } from '../events/event-lock.ts'
import { recordEvent } from '../events/events.ts'
import { type Actor, ANY_AGENT, refOf } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { parse, text } from '../shared/input.ts'
import { refuseLoop } from './loop-guard.ts'
import { AgentBody, GivenSenderName, MessageColumns } from './message-columns.ts'
import { sendTyping } from './typing.ts'

const WRITTEN_CHARACTERS = 10_000

/** The text of a visitor's message or a note: 1 to 10,000 characters after trimming. */
export const MessageBody = text(WRITTEN_CHARACTERS)

type TypedBody = Pick<Message, 'body' | 'type'>

function isWithinLimit({ body, type }: TypedBody): boolean {
  return type === 'BOT' || type === 'AGENT' || [...body].length <= WRITTEN_CHARACTERS
}

const SentType = MessageColumns.shape.type
  .exclude(['SYSTEM'])
  .describe('The type of the message. VISITOR reopens the conversation, and is refused for the key of an agent.')

/** A message from a caller; VISITOR for a visitor's message. */
export const SendMessage = z
  .object({
    body: AgentBody.describe(
      'The text, without white space at its ends: 1 to 10,000 characters for VISITOR and NOTE, 1 to 20,000 for BOT and AGENT. At most 60,000 bytes as JSON.',
    ),
    type: SentType.default('BOT'),
    senderName: GivenSenderName,
  })
  .refine(isWithinLimit, { path: ['body'], message: `must have at most ${WRITTEN_CHARACTERS} characters` })

/** With the client's own id of the message, unique for its conversation and sender: sent again, it adds no second one. */
export const SendMessageOnce = SendMessage.safeExtend({
  type: SentType,
  clientMessageId: text(100)
    .optional()
    .describe(
      'An id from the client, 1 to 100 characters, such as a UUID, unique for the conversation and sender. If a message with this id exists, the payload has that message and none is added; another body or type is a CONFLICT. None by default.',
    ),
})

const PREVIEW_CHARACTERS = 100

/**
 * Adds a message to a conversation and sends message.created, except for notes. A visitor's message reopens a snoozed
 * or closed conversation. With a `clientMessageId` that its sender has used in the conversation, nothing is added: the
 * first message is returned.
 * @throws ForbiddenError for a visitor's message by an agent; NotFoundError, ValidationError, LoopDetectedError;
 *   ConflictError when the first message with that `clientMessageId` has another body or type
 */
export async function sendMessage(
  deps: Deps,
  actor: Actor,
  conversationId: string,
  input: z.input<typeof SendMessageOnce>,
): Promise<Message> {
  requireLevel(actor, 'READ_WRITE')
  const { body, type, senderName, clientMessageId = null } = parse(SendMessageOnce, input)
  if (type === 'VISITOR') requireNotAgent(actor, "send visitors' messages")
  return inEventTransaction(deps, { workspaceId: actor.workspaceId, conversationIds: [conversationId] }, async (tx) => {
    const conversation = await lockConversation(tx, actor, conversationId)
    const sender = authorOf(actor, conversation, type, senderName)
    const first = clientMessageId === null ? null : await sentBefore(tx, conversationId, sender.id, clientMessageId)
    if (first !== null) {
      if (first.body === body && first.type === type) return first
      throw new ConflictError(`Message ${first.id} has this clientMessageId and another text`, 'clientMessageId')
    }
    if (type === 'BOT') tx.afterCommit(() => sendTyping(deps.bus, actor, conversationId, false))
    return addMessage(tx, deps, actor, { conversation, type, body, sender, clientMessageId, at: deps.clock.now() })
  })
}

/** Runs under the conversation's lock, so that the second of two concurrent calls finds the message of the first. */
function sentBefore(tx: EventTx, conversationId: string, senderId: string, clientMessageId: string) {
  return tx.db.message.findFirst({ where: { conversationId, senderId, clientMessageId } })
}

interface MessageAuthor {
  readonly id: string
  readonly name: string | null
}

/** The author of a message, and the display name if the caller passed none. */
export function authorOf(
  actor: Actor,
  { visitorId, visitorName }: LockedConversation,
  type: z.output<typeof SendMessage>['type'],
  senderName: string | null | undefined,
): MessageAuthor {
  if (type === 'VISITOR') return { id: visitorId, name: senderName ?? visitorName }
  if (actor.type === 'agent') {
    // Among people's messages, an agent always has its own name, so that it cannot impersonate a person.
    return { id: actor.id, name: type === 'BOT' ? (senderName ?? actor.name) : actor.name }
  }
  return { id: actor.id, name: senderName ?? (type === 'BOT' ? ANY_AGENT : (actor.user?.name ?? actor.name)) }
}

interface NewMessage {
  /** The conversation, as read under the caller's lock. */
  readonly conversation: Pick<Conversation, 'id' | 'status' | 'assigneeId'>
  readonly type: MessageType
  readonly body: string
  readonly sender: MessageAuthor
  /** Omitted: the message has none. */
  readonly clientMessageId?: string | null
  readonly at: Date
}

/**
 * Appends a message in the caller's transaction, which holds the conversation's lock or has just created the
 * conversation. Therefore, `sequence` has no gaps, and the events of a conversation are committed in its order. Notes
 * and system messages are counted, but do not change preview and activity, and record no event.
 */
export async function addMessage(tx: EventTx, deps: Deps, actor: Actor, message: NewMessage): Promise<Message> {
  const { conversation, type, body, sender, clientMessageId = null, at } = message
  const conversationId = conversation.id
  if (type === 'BOT') await refuseLoop(tx, deps, actor, message)
  const isPublic = type === 'VISITOR' || type === 'AGENT' || type === 'BOT'
  const preview = [...body.slice(0, 2 * PREVIEW_CHARACTERS)].slice(0, PREVIEW_CHARACTERS).join('')
  const reopens = type === 'VISITOR' && conversation.status !== 'OPEN'
  const { workspaceId } = actor
  const [row] = await tx.db.$queryRaw<Message[]>`
    WITH conversation AS (
      UPDATE conversations SET
        message_count = message_count + 1,
        updated_at = ${at},
        last_message_at = CASE WHEN ${isPublic} THEN ${at} ELSE last_message_at END,
        last_message_preview = CASE WHEN ${isPublic} THEN ${preview} ELSE last_message_preview END,
        last_activity_at = CASE WHEN ${isPublic} THEN ${at} ELSE last_activity_at END,
        activity_xid = CASE WHEN ${isPublic} THEN pg_current_xact_id() ELSE activity_xid END,
        status = CASE WHEN ${reopens} THEN 'OPEN'::"ConversationStatus" ELSE status END,
        closed_at = CASE WHEN ${reopens} THEN NULL ELSE closed_at END,
        snoozed_until = CASE WHEN ${reopens} THEN NULL ELSE snoozed_until END
      WHERE id = ${conversationId}
      RETURNING message_count
    )
    INSERT INTO messages
      (id, workspace_id, conversation_id, sequence, type, body, sender_id, sender_name, actor_id, client_message_id, created_at)
    SELECT ${newId('message')}, ${workspaceId}, ${conversationId}, message_count, ${type}::"MessageType", ${body},
           ${sender.id}, ${sender.name}, ${actor.id}, ${clientMessageId}, ${at}
      FROM conversation
    RETURNING id, workspace_id AS "workspaceId", conversation_id AS "conversationId", sequence, type, body,
              sender_id AS "senderId", sender_name AS "senderName", actor_id AS "actorId",
              client_message_id AS "clientMessageId", created_at AS "createdAt"`
  if (row === undefined) throw new Error(`conversation ${conversationId} vanished while it was locked`)
  const { sequence } = row
  const envelope = { workspaceId, conversationId, actor: refOf(actor), at }
  if (type === 'VISITOR' || type === 'AGENT' || type === 'BOT') {
    const seen = { workspaceId, assigneeId: conversation.assigneeId, senderName: sender.name, sequence }
    const data = { conversationId, messageId: row.id, type, body, ...seen }
    await recordEvent(tx, deps.bus, { ...envelope, type: 'message.created', data })
  } else {
    const data = { conversationId, messageId: row.id, workspaceId, sequence }
    await recordEvent(tx, deps.bus, { ...envelope, type: 'note.created', data })
  }
  if (reopens) {
    const data = { conversationId, changed: ['status', 'closedAt', 'snoozedUntil'], workspaceId }
    await recordEvent(tx, deps.bus, { ...envelope, type: 'conversation.updated', data })
  }
  return row
}
