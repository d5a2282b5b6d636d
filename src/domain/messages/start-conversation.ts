import { z } from 'zod'
import type { Prisma } from '../../infra/database/db.ts'
import { ConversationColumns } from '../conversations/columns/conversation-columns.ts'
import { ConversationDetails } from '../conversations/columns/conversation-details.ts'
import { type ConversationWithPeople, WITH_PEOPLE } from '../conversations/conversations.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import { recordEvent } from '../events/events.ts'
import { type Actor, refOf } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ValidationError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { idText, omitUndefined, parse } from '../shared/input.ts'
import { addFirstMessage } from './add-message.ts'
import { MessageBody } from './send-message.ts'

export const StartConversation = z.object({
  visitorId: idText.describe('The id of the visitor.'),
  message: MessageBody.nullish().describe(
    'The first message, written by the visitor, 1 to 10,000 characters. None by default.',
  ),
  channel: ConversationColumns.shape.channel.optional().describe('The channel. API by default.'),
  ...ConversationDetails.partial().shape,
})

/**
 * Starts a conversation for a visitor; `message` becomes its first message, written by the visitor. Sends
 * conversation.created, then message.created.
 * @throws ValidationError for bad input and for a visitor that the workspace does not have
 */
export async function startConversation(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof StartConversation>,
): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_WRITE')
  const { visitorId, message, channel = 'API', metadata = {}, ...details } = parse(StartConversation, input)
  const { workspaceId } = actor
  const id = newId('conversation')
  return inEventTransaction(deps, { workspaceId, conversationIds: [id] }, async (tx) => {
    const visitor = await tx.db.visitor.findFirst({ where: { id: visitorId, workspaceId } })
    if (visitor === null)
      throw new ValidationError([{ path: 'visitorId', message: 'is not a customer of this workspace' }])
    const createdAt = deps.clock.now()
    const conversation = await tx.db.conversation.create({
      data: {
        id,
        workspaceId,
        visitorId,
        channel,
        ...omitUndefined(details),
        metadata: metadata as Prisma.InputJsonObject,
        createdAt,
        lastActivityAt: createdAt,
      },
    })
    await recordEvent(tx, deps.bus, {
      type: 'conversation.created',
      workspaceId,
      conversationId: id,
      data: {
        conversationId: id,
        visitorId,
        status: conversation.status,
        firstMessage: message ?? null,
        createdAt: createdAt.toISOString(),
        workspaceId,
        channel,
        subject: conversation.subject,
      },
      actor: refOf(actor),
      at: createdAt,
    })
    if (message != null) {
      const author = { id: null, name: null }
      await addFirstMessage(tx, deps, actor, {
        conversationId: id,
        type: 'VISITOR',
        body: message,
        author,
        at: createdAt,
      })
    }
    return tx.db.conversation.findUniqueOrThrow({ where: { id }, include: WITH_PEOPLE })
  })
}
