import { z } from 'zod'
import type { Conversation, Message } from '../../generated/prisma/client.ts'
import { MessageType } from '../../generated/prisma/enums.ts'
import { Prisma } from '../../infra/database/db.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import { getConversation, type LockedConversation, lockConversation } from '../conversations/conversations.ts'
import { type EventTx, inEventTransaction } from '../events/event-lock.ts'
import { recordEvent } from '../events/events.ts'
import { type Actor, ANY_AGENT, refOf } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { LoopDetectedError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { idText, parse, text } from '../shared/input.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { isRead } from '../shared/page-sql.ts'
import { type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import { sendTyping } from './typing.ts'

const WRITTEN_CHARACTERS = 10_000

/** What a visitor writes, and a note: 1 to 10,000 characters after trimming. */
export const MessageBody = text(WRITTEN_CHARACTERS)

const ANSWER_CHARACTERS = 20_000
/** Between the quotes: webhooks stay under the 100 kB at which receivers stop reading. */
const ANSWER_JSON_BYTES = 60_000

/** An answer may quote a whole question: 1 to 20,000 characters after trimming. */
const AnswerBody = text(ANSWER_CHARACTERS).refine(
  (body) => Buffer.byteLength(JSON.stringify(body)) - 2 <= ANSWER_JSON_BYTES,
  `must have at most ${ANSWER_JSON_BYTES} bytes as JSON`,
)

type TypedBody = Pick<Message, 'body' | 'type'>

function isWithinLimit({ body, type }: TypedBody): boolean {
  return type === 'BOT' || type === 'AGENT' || [...body].length <= WRITTEN_CHARACTERS
}
const SenderName = text(100)

/** What a caller may send; a visitor's words come in with VISITOR. */
export const SendMessage = z
  .object({
    body: AnswerBody,
    type: z.enum(MessageType).exclude(['SYSTEM']).default('BOT'),
    senderName: SenderName.nullish(),
  })
  .refine(isWithinLimit, { path: ['body'], message: `must have at most ${WRITTEN_CHARACTERS} characters` })

export const Reply = z.object({ conversationId: idText, body: AnswerBody, senderName: SenderName.nullish() })

export type ReplyResult =
  | { skipped: false; messageId: string; conversationId: string }
  | { skipped: true; reason: 'conversation_assigned' | 'conversation_closed'; conversationId: string }

const PREVIEW_CHARACTERS = 100
/** BOT messages are counted over this time, and the visitor's over that one before their last. */
const LOOP_WINDOW_MS = 60_000
const ANSWERED_WINDOW_MS = 600_000
/** What a conversation takes however little its visitor wrote. */
const LOOP_LIMIT = 20

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

/** A message, whose body is left out where the messages before it have enough bytes for a page. */
export interface FoundMessage extends Message {
  readonly isRead: boolean
}

/** A page of a conversation's messages, by whatever reads them: alone, or with other conversations' in one statement. */
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
  /** From the end, the last one first. */
  readonly reverse: boolean
}

const LAST_SEQUENCE = 2 ** 31 - 1

/** The same range of many conversations in one statement. The caller has judged who may see them. */
export async function messagesOf(
  { db }: Pick<Deps, 'db'>,
  conversationIds: readonly string[],
  { after, before, take, reverse }: MessageRange,
): Promise<Map<string, FoundMessage[]>> {
  const order = reverse ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const rows = await db.prisma.$queryRaw<FoundMessage[]>`
    SELECT id, workspace_id AS "workspaceId", conversation_id AS "conversationId", sequence, type,
           CASE WHEN is_read THEN body ELSE '' END AS body, is_read AS "isRead",
           sender_id AS "senderId", sender_name AS "senderName", actor_id AS "actorId", created_at AS "createdAt"
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

/**
 * Adds a message to a conversation and sends message.created, except for notes. A visitor's message reopens a snoozed
 * or closed conversation.
 * @throws ForbiddenError for a visitor's message by an agent; NotFoundError, ValidationError, LoopDetectedError
 */
export async function sendMessage(
  deps: Deps,
  actor: Actor,
  conversationId: string,
  input: z.input<typeof SendMessage>,
): Promise<Message> {
  requireLevel(actor, 'READ_WRITE')
  const { body, type, senderName } = parse(SendMessage, input)
  if (type === 'VISITOR') requireNotAgent(actor, "send visitors' messages")
  return inEventTransaction(deps, { workspaceId: actor.workspaceId, conversationIds: [conversationId] }, async (tx) => {
    const conversation = await lockConversation(tx, actor, conversationId)
    const sender = authorOf(actor, conversation, type, senderName)
    if (type === 'BOT') tx.afterCommit(() => sendTyping(deps.bus, actor, conversationId, false))
    return addMessage(tx, deps, actor, { conversation, type, body, sender, at: deps.clock.now() })
  })
}

/**
 * An agent's answer: a BOT message that ends the typing indicator; nothing is written when a person is assigned or the
 * conversation is closed.
 * @throws NotFoundError, ValidationError, LoopDetectedError
 */
export async function reply(deps: Deps, actor: Actor, input: z.input<typeof Reply>): Promise<ReplyResult> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationId, body, senderName } = parse(Reply, input)
  return inEventTransaction(deps, { workspaceId: actor.workspaceId, conversationIds: [conversationId] }, async (tx) => {
    const conversation = await lockConversation(tx, actor, conversationId)
    // Whoever has answered types no longer, also when a person was quicker.
    tx.afterCommit(() => sendTyping(deps.bus, actor, conversationId, false))
    if (conversation.assigneeId !== null) return { skipped: true, reason: 'conversation_assigned', conversationId }
    if (conversation.status === 'CLOSED') return { skipped: true, reason: 'conversation_closed', conversationId }
    const sender = authorOf(actor, conversation, 'BOT', senderName)
    const message = await addMessage(tx, deps, actor, { conversation, type: 'BOT', body, sender, at: deps.clock.now() })
    return { skipped: false, messageId: message.id, conversationId }
  })
}

interface MessageAuthor {
  readonly id: string
  readonly name: string | null
}

/** Whose words they are, and the name to show when the caller gave none. */
function authorOf(
  actor: Actor,
  { visitorId, visitorName }: LockedConversation,
  type: z.output<typeof SendMessage>['type'],
  senderName: string | null | undefined,
): MessageAuthor {
  if (type === 'VISITOR') return { id: visitorId, name: senderName ?? visitorName }
  if (actor.type === 'agent') {
    // Where people write, an agent has no name but its own: it must not pass for one of them.
    return { id: actor.id, name: type === 'BOT' ? (senderName ?? actor.name) : actor.name }
  }
  return { id: actor.id, name: senderName ?? (type === 'BOT' ? ANY_AGENT : (actor.user?.name ?? actor.name)) }
}

interface NewMessage {
  /** As it is under the caller's lock. */
  readonly conversation: Pick<Conversation, 'id' | 'status' | 'assigneeId'>
  readonly type: MessageType
  readonly body: string
  readonly sender: MessageAuthor
  readonly at: Date
}

/**
 * Appends a message inside the caller's transaction, which holds the conversation's lock (or has just made it): that is
 * what makes `sequence` gapless and events of one conversation commit in its order. Notes and system messages are the
 * team's own: they count as messages, but change neither preview nor activity, and send nothing.
 */
export async function addMessage(tx: EventTx, deps: Deps, actor: Actor, message: NewMessage): Promise<Message> {
  const { conversation, type, body, sender, at } = message
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
      (id, workspace_id, conversation_id, sequence, type, body, sender_id, sender_name, actor_id, created_at)
    SELECT ${newId('message')}, ${workspaceId}, ${conversationId}, message_count, ${type}::"MessageType", ${body},
           ${sender.id}, ${sender.name}, ${actor.id}, ${at}
      FROM conversation
    RETURNING id, workspace_id AS "workspaceId", conversation_id AS "conversationId", sequence, type, body,
              sender_id AS "senderId", sender_name AS "senderName", actor_id AS "actorId", created_at AS "createdAt"`
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

/**
 * Contract, section on replying: the BOT messages of the last minute that no visitor's message follows must be no more than
 * the lines that they may answer, which are the visitor's of the ten minutes up to the last one, and 20 in any case. Reads
 * along two indexes, and no further back than the BOT messages that it found.
 * @throws LoopDetectedError
 */
async function refuseLoop(tx: Tx, { counts, log }: Deps, actor: Actor, message: NewMessage): Promise<void> {
  const { conversation, at } = message
  const since = new Date(at.getTime() - LOOP_WINDOW_MS)
  const [oldest] = await tx.db.$queryRaw<{ most: number; createdAt: Date }[]>`
    WITH asked AS MATERIALIZED (
      SELECT sequence, created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'VISITOR' ORDER BY sequence DESC LIMIT 1
    ), bots AS MATERIALIZED (
      SELECT sequence, created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'BOT' AND created_at > ${since}
         AND sequence > COALESCE((SELECT sequence FROM asked), 0)
    ), answerable AS (
      SELECT created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'VISITOR' AND (SELECT count(*) FROM bots) >= ${LOOP_LIMIT}::int
       ORDER BY sequence DESC LIMIT (SELECT count(*) + 1 FROM bots)
    ), allowed AS MATERIALIZED (
      SELECT GREATEST(${LOOP_LIMIT}::int, count(*)::int) AS most FROM answerable
       WHERE created_at > (SELECT created_at FROM asked) - ${ANSWERED_WINDOW_MS}::int * interval '1 millisecond'
    )
    SELECT most, created_at AS "createdAt" FROM bots, allowed
     ORDER BY sequence DESC OFFSET (SELECT most - 1 FROM allowed) LIMIT 1`
  if (oldest === undefined) return
  counts.loopsRefused++
  const where = { workspaceId: actor.workspaceId, conversationId: conversation.id, actorId: actor.id }
  log.warn({ ...where, most: oldest.most }, 'a bot that answers itself was stopped')
  throw new LoopDetectedError(oldest.most, oldest.createdAt.getTime() + LOOP_WINDOW_MS - at.getTime())
}
