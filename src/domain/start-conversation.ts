import { z } from 'zod'
import { Channel } from '../generated/prisma/enums.ts'
import type { Prisma } from '../infra/db.ts'
import { type Actor, refOf } from './actor.ts'
import { type ConversationWithPeople, WITH_PEOPLE } from './conversations.ts'
import type { Deps } from './deps.ts'
import { ValidationError } from './errors.ts'
import { inEventTransaction } from './event-lock.ts'
import { recordEvent } from './events.ts'
import { newId } from './ids.ts'
import { clearableText, idText, jsonObject, parse } from './input.ts'
import { addMessage, MessageBody } from './messages.ts'
import { requireLevel } from './policy.ts'

export const Subject = clearableText(255)

export const StartConversation = z.object({
  visitorId: idText,
  subject: Subject.optional(),
  message: MessageBody.nullish(),
  channel: z.enum(Channel).optional(),
  metadata: jsonObject.optional(),
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
  const { visitorId, subject = null, message, channel = 'API', metadata = {} } = parse(StartConversation, input)
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
        subject,
        channel,
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
        subject,
      },
      actor: refOf(actor),
      at: createdAt,
    })
    if (message != null) {
      const sender = { id: visitorId, name: visitor.name }
      await addMessage(tx, deps, actor, { conversation, type: 'VISITOR', body: message, sender, at: createdAt })
    }
    return tx.db.conversation.findUniqueOrThrow({ where: { id }, include: WITH_PEOPLE })
  })
}
