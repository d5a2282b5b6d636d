import { useEffect, useState } from 'react'
import { follow, request } from './api.ts'
import type { ThreadMessageFragment } from './gql/graphql.ts'
import { graphql } from './gql/index.ts'

graphql(`fragment ThreadMessage on Message { id clientMessageId sequence type body createdAt sender { displayName } }`)
const THREAD = graphql(`query Thread($id: ID!) {
  conversation(id: $id) { id subject messages(last: 100) { nodes { ...ThreadMessage } } }
}`)

const UPDATES = graphql(`subscription ThreadUpdates($id: ID!, $after: String) {
  conversation(id: $id, after: $after) {
    ... on MessageAdded { cursor message { ...ThreadMessage } }
    ... on ConversationChanged { cursor conversation { id subject } }
  }
}`)

const inOrder = (a: ThreadMessageFragment, b: ThreadMessageFragment) => a.sequence - b.sequence

/** The subject of a conversation and its latest messages, oldest first. */
export function useThread(id: string) {
  const [thread, setThread] = useState<{ subject: string | null | undefined; messages: ThreadMessageFragment[] }>()
  useEffect(() => {
    const stop = new AbortController()
    const bySequence = new Map<number, ThreadMessageFragment>()
    let subject: string | null | undefined
    void follow(
      UPDATES,
      { id },
      ({ conversation: update }) => ('cursor' in update ? update.cursor : null),
      async ({ conversation: update }, isFresh) => {
        if (isFresh) {
          const read = await request(THREAD, { id })
          subject = read.conversation?.subject
          for (const message of read.conversation?.messages?.nodes ?? []) bySequence.set(message.sequence, message)
        }
        if ('message' in update) bySequence.set(update.message.sequence, update.message)
        if ('conversation' in update) subject = update.conversation.subject
        if (!stop.signal.aborted) setThread({ subject, messages: [...bySequence.values()].sort(inOrder) })
      },
      stop.signal,
    )
    return () => stop.abort()
  }, [id])
  return thread
}
