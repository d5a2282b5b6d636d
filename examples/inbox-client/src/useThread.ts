import { useEffect, useState } from 'react'
import { follow, request } from './api.ts'
import type { ThreadMessageFragment, ThreadQuery } from './gql/graphql.ts'
import { graphql } from './gql/index.ts'

graphql(`fragment ThreadMessage on Message { id clientMessageId sequence type body createdAt sender { displayName } }`)

const THREAD = graphql(`query Thread($id: ID!) {
  conversation(id: $id) { id subject status messages(last: 100) { edges { node { ...ThreadMessage } } } }
}`)

const UPDATES = graphql(`subscription ThreadUpdates($id: ID!, $after: String) {
  conversation(id: $id, after: $after) {
    ... on MessageAdded { cursor message { ...ThreadMessage } }
    ... on ConversationChanged { cursor conversation { id subject status } }
  }
}`)

/** A conversation and its latest messages, oldest first. */
export interface Thread {
  readonly conversation: Pick<NonNullable<ThreadQuery['conversation']>, 'id' | 'subject' | 'status'> | null
  readonly messages: readonly ThreadMessageFragment[]
}

export function useThread(id: string): Thread {
  const [thread, setThread] = useState<Thread>({ conversation: null, messages: [] })
  useEffect(() => {
    const stop = new AbortController()
    const bySequence = new Map<number, ThreadMessageFragment>()
    let conversation: Thread['conversation'] = null
    void follow(
      UPDATES,
      { id },
      ({ conversation: update }) => ('cursor' in update ? update.cursor : null),
      async ({ conversation: update }, isFresh) => {
        if (isFresh) {
          const read = await request(THREAD, { id })
          conversation = read.conversation ?? null
          for (const { node } of read.conversation?.messages?.edges ?? []) bySequence.set(node.sequence, node)
        }
        if ('message' in update) bySequence.set(update.message.sequence, update.message)
        if ('conversation' in update) conversation = update.conversation
        const messages = [...bySequence.values()].sort((a, b) => a.sequence - b.sequence)
        if (!stop.signal.aborted) setThread({ conversation, messages })
      },
      stop.signal,
    )
    return () => stop.abort()
  }, [id])
  return thread
}
