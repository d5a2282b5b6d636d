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
  typing: z
    .boolean()
    .describe('True while the caller is typing. Agents: the indicator ends after 60 seconds, or with the reply.'),
})

/** How long a person who said so counts as typing: whoever types on says it again before. */
const TYPING_MS = 10_000
/** The same for agents, which say it once and then wait for a model. */
const AGENT_TYPING_MS = 60_000
/** How many people's and agents' signals wait for a slow reader. */
const MAX_WAITING = 100

/** Somebody types, or has stopped. */
export interface TypingSignal {
  readonly conversationId: string
  readonly actor: ActorRef
  readonly isTyping: boolean
  /** Without a new signal it is over by then. */
  readonly expiresAt: Date
}

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
  bus.send(typingTopic(actor.workspaceId), JSON.stringify({ conversationId, typing, actor: shownAs(actor) }))
}

/** Who is seen to type. An API key's name is its owner's note to themselves: what it writes is an agent's. */
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
 * A conversation's typing signals until `signal` is aborted. A slow reader gets each one's latest. The caller has judged
 * who may see them.
 */
export async function* followTyping(
  { bus, clock, log }: Pick<Deps, 'bus' | 'clock' | 'log'>,
  { workspaceId, conversationId }: { workspaceId: string; conversationId: string },
  signal: AbortSignal,
): AsyncGenerator<TypingSignal, void, undefined> {
  const waiting = new Map<string, TypingSignal>()
  let wake: () => void = () => undefined
  const unsubscribe = bus.subscribe(typingTopic(workspaceId), (message) => {
    // What a bus that is back says to everybody: look for yourself. Here is nothing to be found.
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
