import type { Message } from '../../generated/prisma/client.ts'
import type { MessageType } from '../../generated/prisma/enums.ts'
import type { Prepared } from '../../infra/database/db.ts'
import { inOneStatement } from '../../infra/database/transaction.ts'
import { CONVERSATION_LOCK, type EventTx, lockKey, WORKSPACE_LOCK } from '../events/event-lock.ts'
import { causingAgent, LateValue, partsOf, tellOfEvent, textOf } from '../events/events.ts'
import { type Actor, refOf } from '../shared/actor.ts'
import { visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { LoopDetectedError, NotFoundError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { requireId } from '../shared/input.ts'
import { sendTyping } from './typing.ts'

export interface NewMessage {
  readonly conversationId: string
  readonly type: MessageType
  readonly body: string
  readonly author: MessageAuthor
  /** Left out: it has none. */
  readonly clientMessageId?: string | null
  /** Nothing is added where a person is assigned, or the conversation is closed. */
  readonly isReply?: boolean
  readonly at: Date
}

/** Who wrote a message. */
export interface MessageAuthor {
  /** Null: the conversation's visitor. */
  readonly id: string | null
  /** Null: the visitor's own name. */
  readonly name: string | null
}

export type AddedMessage =
  /** `repeated`: nothing was added; this is the id of the first message with that `clientMessageId`. */
  | { readonly outcome: 'added'; readonly message: Message }
  | { readonly outcome: 'repeated'; readonly messageId: string }
  | { readonly outcome: 'assigned' | 'closed' }

/**
 * Adds a message to a conversation that the actor sees, in one statement: the function add_message_1 of the migrations.
 * It makes `sequence` gapless, and the events of one conversation commit in its order. Notes and system messages are the
 * team's own: they count as messages, but change neither preview nor activity, and send nothing.
 * @throws NotFoundError, LoopDetectedError
 */
export async function addMessage(deps: Deps, actor: Actor, message: NewMessage): Promise<AddedMessage> {
  requireId('conversation', message.conversationId, 'Conversation')
  const id = newId('message')
  const params = paramsOf(actor, id, message, false)
  const [row] = await inOneStatement<AddedRow>(deps, ADD_MESSAGE, params, (rows) => [
    () => tell(deps, actor, message, rows[0]),
  ])
  return addedBy(deps, actor, id, message, row)
}

/** The first message of a conversation that the caller's transaction has just started, and so holds the locks of. */
export async function addFirstMessage(tx: EventTx, deps: Deps, actor: Actor, message: NewMessage): Promise<void> {
  const id = newId('message')
  const params = paramsOf(actor, id, message, true)
  const [row] = await tx.db.$queryRawUnsafe<AddedRow[]>(ADD_MESSAGE.text, ...params)
  tx.afterCommit(() => tell(deps, actor, message, row))
  addedBy(deps, actor, id, message, row)
}

interface AddedRow {
  outcome: 'added' | 'repeated' | 'not_found' | 'assigned' | 'closed' | 'loop'
  messageId: string
  sequence: number
  senderId: string
  senderName: string | null
  endpointIds: string[]
  loopMost: number
  loopSince: Date
}

const PREVIEW_CHARACTERS = 100

/** Contract, section on replying: BOT messages are counted over the first time, and the visitor's over the second before their last. */
const LOOP_WINDOW_MS = 60_000
const ANSWERED_WINDOW_MS = 600_000
/** What a conversation takes however little its visitor wrote. */
const LOOP_LIMIT = 20

const ADD_MESSAGE: Prepared = {
  name: 'add_message_1',
  text: `
SELECT outcome, message_id AS "messageId", message_sequence AS sequence, message_sender_id AS "senderId",
       message_sender_name AS "senderName", endpoint_ids AS "endpointIds", loop_most AS "loopMost", loop_since AS "loopSince"
  FROM add_message_1(
         $1, $2::int, $3::int, $4, $5::int, $6::int, $7::boolean, $8, $9, $10::"MessageType", $11, $12, $13, $14, $15, $16,
         $17, $18::boolean, $19::timestamptz, $20, $21, $22::text[], $23, $24, $25::int,
         $26::int * interval '1 millisecond', $27::int * interval '1 millisecond')`,
}

function paramsOf(actor: Actor, messageId: string, message: NewMessage, isLocked: boolean): unknown[] {
  const { conversationId, type, body, author, clientMessageId = null, isReply = false, at } = message
  const { workspaceId } = actor
  const isPublic = type === 'VISITOR' || type === 'AGENT' || type === 'BOT'
  const preview = isPublic ? [...body.slice(0, 2 * PREVIEW_CHARACTERS)].slice(0, PREVIEW_CHARACTERS).join('') : null
  const envelope = { actor: refOf(actor), at }
  const sequence = new LateValue('sequence')
  const parts = isPublic
    ? partsOf({
        ...envelope,
        type: 'message.created',
        data: {
          ...{ conversationId, messageId, type, body, workspaceId },
          assigneeId: new LateValue('assigneeId'),
          senderName: new LateValue('senderName'),
          sequence,
        },
      })
    : partsOf({ ...envelope, type: 'note.created', data: { conversationId, messageId, workspaceId, sequence } })
  const changed = ['status', 'closedAt', 'snoozedUntil']
  // Nobody else's message reopens a conversation.
  const reopened =
    type === 'VISITOR'
      ? textOf({ ...envelope, type: 'conversation.updated', data: { conversationId, changed, workspaceId } })
      : null
  return [
    ...[workspaceId, WORKSPACE_LOCK, lockKey(workspaceId), conversationId, CONVERSATION_LOCK, lockKey(conversationId)],
    ...[isLocked, visibleConversations(actor).visitorId ?? null],
    ...[messageId, type, body, preview, author.id, author.name, actor.id, causingAgent(actor), clientMessageId],
    ...[isReply, at],
    ...[newId('event'), isPublic ? 'message.created' : 'note.created', parts],
    ...[newId('event'), reopened],
    ...[LOOP_LIMIT, LOOP_WINDOW_MS, ANSWERED_WINDOW_MS],
  ]
}

/** After the commit. Whoever has answered types no longer, also when a person was quicker. */
function tell(deps: Deps, actor: Actor, { conversationId, type }: NewMessage, row: AddedRow | undefined): void {
  if (row === undefined || !['added', 'assigned', 'closed'].includes(row.outcome)) return
  if (type === 'BOT') sendTyping(deps.bus, actor, conversationId, false)
  if (row.outcome === 'added') tellOfEvent(deps.bus, actor.workspaceId, row.endpointIds)
}

function addedBy(deps: Deps, actor: Actor, id: string, message: NewMessage, row: AddedRow | undefined): AddedMessage {
  const { conversationId, type, body, clientMessageId = null, at: createdAt } = message
  const { workspaceId, id: actorId } = actor
  if (row === undefined) throw new Error('add_message_1 returned no row')
  const { outcome, messageId, sequence, senderId, senderName } = row
  switch (outcome) {
    case 'added': {
      const text = { type, body, senderId, senderName, actorId, clientMessageId, createdAt }
      return { outcome, message: { id, workspaceId, conversationId, sequence, ...text } }
    }
    case 'repeated':
      return { outcome, messageId }
    case 'not_found':
      throw new NotFoundError('Conversation')
    case 'loop':
      deps.counts.loopsRefused++
      deps.log.warn({ workspaceId, conversationId, actorId, limit: row.loopMost }, 'bot message loop stopped')
      throw new LoopDetectedError(row.loopMost, row.loopSince.getTime() + LOOP_WINDOW_MS - createdAt.getTime())
    default:
      return { outcome }
  }
}
