import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { useAction } from '../../../api/useAction.ts'
import { SendMessage } from '../../../conversations/documents.ts'

/** What somebody has written and the server has not taken yet. */
export interface Unsent {
  readonly id: string
  readonly body: string
  readonly type: 'AGENT' | 'NOTE'
  /** null while it is on its way; then why it was not taken. */
  readonly failure: string | null
}

export interface Outbox {
  readonly unsent: readonly Unsent[]
  readonly send: (body: string, type: Unsent['type']) => void
  readonly retry: (id: string) => void
  readonly discard: (id: string) => void
}

/** Kept while the page lives, by conversation: going elsewhere and coming back loses nothing. */
const boxes = new Map<string, readonly Unsent[]>()
const listeners = new Set<() => void>()
const EMPTY: readonly Unsent[] = []

function change(conversationId: string, by: (now: readonly Unsent[]) => readonly Unsent[]): void {
  boxes.set(conversationId, by(boxes.get(conversationId) ?? EMPTY))
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Shows a message at once, and keeps it with its text when it could not be sent. */
export function useOutbox(conversationId: string): Outbox {
  const unsent = useSyncExternalStore(subscribe, () => boxes.get(conversationId) ?? EMPTY)
  const [run] = useAction(SendMessage, { toast: false })

  const deliver = useCallback(
    async ({ id, body, type }: Unsent) => {
      // Sent again after its answer was lost, it is the same message.
      const outcome = await run({ input: { conversationId, body, type, clientMessageId: id } })
      const failure = outcome.ok ? null : outcome.message
      change(conversationId, (now) =>
        failure === null
          ? now.filter((each) => each.id !== id)
          : now.map((each) => (each.id === id ? { ...each, failure } : each)),
      )
    },
    [conversationId, run],
  )

  return useMemo(
    () => ({
      unsent,
      send: (body, type) => {
        const message: Unsent = { id: crypto.randomUUID(), body, type, failure: null }
        change(conversationId, (now) => [...now, message])
        void deliver(message)
      },
      retry: (id) => {
        const message = unsent.find((each) => each.id === id)
        if (message === undefined) return
        change(conversationId, (now) => now.map((each) => (each.id === id ? { ...each, failure: null } : each)))
        void deliver(message)
      },
      discard: (id) => change(conversationId, (now) => now.filter((each) => each.id !== id)),
    }),
    [conversationId, unsent, deliver],
  )
}
