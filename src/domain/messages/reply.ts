import { z } from 'zod'
import type { Message } from '../../generated/prisma/client.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { parse } from '../shared/input.ts'
import { addMessage } from './add-message.ts'
import { GivenSenderName, MessageColumns } from './message-columns.ts'
import { authorOf } from './send-message.ts'

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
  const author = authorOf(actor, 'BOT', senderName)
  const message = { conversationId, type: 'BOT', body, author, isReply: true, at: deps.clock.now() } as const
  const added = await addMessage(deps, actor, message)
  if (added.outcome === 'added') return { skipped: false, message: added.message, conversationId }
  if (added.outcome === 'repeated') throw new Error('A reply has no clientMessageId')
  return { skipped: true, reason: `conversation_${added.outcome}`, conversationId }
}
