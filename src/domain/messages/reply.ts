import { z } from 'zod'
import type { Message } from '../../generated/prisma/client.ts'
import { lockConversation } from '../conversations/conversations.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { parse } from '../shared/input.ts'
import { GivenSenderName, MessageColumns } from './message-columns.ts'
import { addMessage, authorOf } from './send-message.ts'
import { sendTyping } from './typing.ts'

const { conversationId, body } = MessageColumns.shape

export const Reply = z.object({ conversationId, body, senderName: GivenSenderName })

/** Why a reply was not added. */
export const SKIP_REASONS = ['conversation_assigned', 'conversation_closed'] as const
export type SkipReason = (typeof SKIP_REASONS)[number]

export type ReplyResult =
  | { skipped: false; message: Message; conversationId: string }
  | { skipped: true; reason: SkipReason; conversationId: string }

/**
 * An agent's reply: a BOT message that ends the typing indicator. Skipped if the conversation is assigned or closed.
 * @throws NotFoundError, ValidationError, LoopDetectedError
 */
export async function reply(deps: Deps, actor: Actor, input: z.input<typeof Reply>): Promise<ReplyResult> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationId, body, senderName } = parse(Reply, input)
  return inEventTransaction(deps, { workspaceId: actor.workspaceId, conversationIds: [conversationId] }, async (tx) => {
    const conversation = await lockConversation(tx, actor, conversationId)
    // A reply ends the typing indicator, even if it is skipped.
    tx.afterCommit(() => sendTyping(deps.bus, actor, conversationId, false))
    if (conversation.assigneeId !== null) return { skipped: true, reason: 'conversation_assigned', conversationId }
    if (conversation.status === 'CLOSED') return { skipped: true, reason: 'conversation_closed', conversationId }
    const sender = authorOf(actor, conversation, 'BOT', senderName)
    const message = await addMessage(tx, deps, actor, { conversation, type: 'BOT', body, sender, at: deps.clock.now() })
    return { skipped: false, message, conversationId }
  })
}
