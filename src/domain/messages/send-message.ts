import { z } from 'zod'
import type { Message } from '../../generated/prisma/client.ts'
import { type Actor, ANY_AGENT } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError } from '../shared/errors.ts'
import { hasAtMost, parse, text } from '../shared/input.ts'
import { addMessage, type MessageAuthor } from './add-message.ts'
import { AgentBody, GivenSenderName, MessageColumns } from './message-columns.ts'

const WRITTEN_CHARACTERS = 10_000

/** The text of a visitor's message or a note: 1 to 10,000 characters after trimming. */
export const MessageBody = text(WRITTEN_CHARACTERS)

type TypedBody = Pick<Message, 'body' | 'type'>

function isWithinLimit({ body, type }: TypedBody): boolean {
  return type === 'BOT' || type === 'AGENT' || hasAtMost(WRITTEN_CHARACTERS, body)
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
  const author = authorOf(actor, type, senderName)
  const at = deps.clock.now()
  const added = await addMessage(deps, actor, { conversationId, type, body, author, clientMessageId, at })
  if (added.outcome === 'added') return added.message
  if (added.outcome !== 'repeated') throw new Error(`A message was treated as a reply: ${added.outcome}`)
  const first = await deps.db.prisma.message.findUniqueOrThrow({ where: { id: added.messageId } })
  if (first.body === body && first.type === type) return first
  throw new ConflictError(`Message ${first.id} has this clientMessageId and another text`, 'clientMessageId')
}

/** The author of a message, and the display name if the caller passed none. */
export function authorOf(
  actor: Actor,
  type: z.output<typeof SendMessage>['type'],
  senderName: string | null | undefined,
): MessageAuthor {
  if (type === 'VISITOR') return { id: null, name: senderName ?? null }
  if (actor.type === 'agent') {
    // Among people's messages, an agent always has its own name, so that it cannot impersonate a person.
    return { id: actor.id, name: type === 'BOT' ? (senderName ?? actor.name) : actor.name }
  }
  return { id: actor.id, name: senderName ?? (type === 'BOT' ? ANY_AGENT : (actor.user?.name ?? actor.name)) }
}
