import { z } from 'zod'
import type { Bus } from '../infra/bus.ts'
import { type Actor, refOf } from './actor.ts'
import { getConversation } from './conversations.ts'
import type { Deps } from './deps.ts'
import { typingTopic } from './events.ts'
import { idText, parse } from './input.ts'
import { requireLevel } from './policy.ts'

export const Typing = z.object({ conversationId: idText, typing: z.boolean() })

/**
 * Says that somebody is typing, or has stopped. A live signal only: nothing is stored, and it may be lost.
 * @throws NotFoundError, ValidationError
 */
export async function setTyping(deps: Deps, actor: Actor, input: z.input<typeof Typing>): Promise<void> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationId, typing } = parse(Typing, input)
  await getConversation(deps, actor, conversationId)
  sendTyping(deps.bus, actor, conversationId, typing)
}

/** The signal alone, for callers that have already checked the conversation. */
export function sendTyping(bus: Bus, actor: Actor, conversationId: string, typing: boolean): void {
  bus.send(typingTopic(actor.workspaceId), JSON.stringify({ conversationId, typing, actor: refOf(actor) }))
}
