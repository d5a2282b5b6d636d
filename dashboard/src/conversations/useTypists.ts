import { useCallback, useEffect, useState } from 'react'
import type { ActorFieldsFragment, ConversationFeedSubscription } from '../generated/documents.ts'

export interface Typist {
  readonly id: string
  readonly name: string
}

type Update = ConversationFeedSubscription['conversation']

/** Who types in a conversation: each until their signal expires, until they say that they stopped, or until they write. */
export function useTypists(conversationId: string, ownId: string) {
  const [typists, setTypists] = useState<readonly (Typist & { expiresAt: number })[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation has other typists
  useEffect(() => setTypists([]), [conversationId])

  const hear = useCallback(
    (update: Update) => {
      if (update.__typename === 'MessageAdded') {
        setTypists((now) => now.filter(({ id }) => id !== update.message.sender?.id))
      }
      if (update.__typename !== 'TypingChanged' || update.actor.id === ownId) return
      const { actor, isTyping, expiresAt } = update
      setTypists((now) => {
        const others = now.filter(({ id }) => id !== actor.id)
        return isTyping ? [...others, { ...typistOf(actor), expiresAt: Date.parse(expiresAt) }] : others
      })
    },
    [ownId],
  )

  const next = Math.min(...typists.map(({ expiresAt }) => expiresAt))
  useEffect(() => {
    if (!Number.isFinite(next)) return
    const timer = setTimeout(
      () => setTypists((now) => now.filter(({ expiresAt }) => expiresAt > Date.now())),
      Math.max(0, next - Date.now()) + 50,
    )
    return () => clearTimeout(timer)
  }, [next])

  return { typists: typists as readonly Typist[], hear }
}

/** The name of an API key is its owner's note to themselves: what it writes is an agent's. */
function typistOf({ __typename, id, displayName }: ActorFieldsFragment): Typist {
  return { id, name: __typename === 'ApiKey' ? 'AI Agent' : displayName }
}
