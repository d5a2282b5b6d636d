import { z } from 'zod'
import type { Bus } from '../../infra/redis/bus.ts'
import { getConversation } from '../conversations/conversations.ts'
import { typingTopic } from '../events/events.ts'
import { type Actor, type ActorRef, ANY_AGENT, refOf } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { idText, parse } from '../shared/input.ts'

export const Typing = z.object({
  conversationId: idText.describe('The id of the conversation.'),
  typing: z.boolean().describe('True when the caller is typing, false when they have stopped.'),
})

/** The duration of a person's typing signal; clients repeat it while the person types. */
const TYPING_MS = 10_000
/** The same for agents, which send it once and then wait for a model. */
const AGENT_TYPING_MS = 60_000
/** The maximum number of signals that wait for a slow reader. */
const MAX_WAITING = 100

/** The start or the end of typing. */
export interface TypingSignal {
  readonly conversationId: string
  readonly actor: ActorRef
  readonly isTyping: boolean
  /** The time when the signal ends without a new one. */
  readonly expiresAt: Date
}

/**
 * Publishes that the actor is typing, or has stopped. Nothing is stored, and the signal can be lost.
 * @throws NotFoundError, ValidationError
 */
export async function setTyping(deps: Deps, actor: Actor, input: z.input<typeof Typing>): Promise<void> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationId, typing } = parse(Typing, input)
  await getConversation(deps, actor, conversationId)
  sendTyping(deps.bus, actor, conversationId, typing)
}

/** Publishes the signal for callers that have already checked the conversation. */
export function sendTyping(bus: Bus, actor: Actor, conversationId: string, typing: boolean): void {
  bus.send(typingTopic(actor.workspaceId), JSON.stringify({ conversationId, typing, actor: shownAs(actor) }))
}

/** The public author of the signal. The name of an API key is private, so it appears as an agent. */
function shownAs(actor: Actor): ActorRef {
  return actor.type === 'api_key' ? { ...refOf(actor), name: ANY_AGENT } : refOf(actor)
}

function typingMs({ type }: ActorRef): number {
  return type === 'agent' || type === 'api_key' ? AGENT_TYPING_MS : TYPING_MS
}

const Sent = z.object({
  conversationId: z.string(),
  typing: z.boolean(),
  actor: z.object({
    type: z.enum(['visitor', 'member', 'agent', 'api_key', 'system']),
    id: z.string(),
    name: z.string(),
  }),
})

/**
 * The typing signals of a conversation until `signal` is aborted. A slow reader gets the latest one of each author. The
 * caller has checked the permission.
 */
export async function* followTyping(
  { bus, clock, log }: Pick<Deps, 'bus' | 'clock' | 'log'>,
  { workspaceId, conversationId }: { workspaceId: string; conversationId: string },
  signal: AbortSignal,
): AsyncGenerator<TypingSignal, void, undefined> {
  const waiting = new Map<string, TypingSignal>()
  let wake: () => void = () => undefined
  const unsubscribe = bus.subscribe(typingTopic(workspaceId), (message) => {
    // The bus sends an empty message after a reconnect. There is nothing to read again here.
    if (message === '') return
    const sent = readSent(message)
    if (sent === null) return log.warn({ signal: message.slice(0, 200) }, 'invalid typing signal ignored')
    if (sent.conversationId !== conversationId) return
    const { actor, typing: isTyping } = sent
    if (waiting.size >= MAX_WAITING && !waiting.has(actor.id)) return
    const expiresAt = new Date(clock.now().getTime() + (isTyping ? typingMs(actor) : 0))
    waiting.set(actor.id, { conversationId, actor, isTyping, expiresAt })
    wake()
  })
  const stop = () => wake()
  signal.addEventListener('abort', stop, { once: true })
  try {
    while (!signal.aborted) {
      const batch = [...waiting.values()]
      waiting.clear()
      yield* batch
      if (waiting.size > 0 || signal.aborted) continue
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal.removeEventListener('abort', stop)
    unsubscribe()
  }
}

function readSent(message: string): z.output<typeof Sent> | null {
  try {
    return Sent.parse(JSON.parse(message))
  } catch {
    return null
  }
}
