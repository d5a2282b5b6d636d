import { useRef, useState } from 'react'
import { pause, Refused, request } from './api.ts'
import { graphql } from './gql/index.ts'

const SEND = graphql(`mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { error { message } } }`)

/** A message that was written here. `problem`: why GudDesk refused it; null while it is being sent, and afterwards. */
export type Draft = { conversationId: string; clientMessageId: string; body: string; problem: string | null }

/** Sends messages one after another. What is sent again after a lost connection has the same `clientMessageId`, so it is stored once. */
export function useOutbox() {
  const [drafts, setDrafts] = useState<readonly Draft[]>([])
  const queue = useRef(Promise.resolve())

  async function deliver({ conversationId, clientMessageId, body }: Draft): Promise<string | null> {
    const input = { conversationId, clientMessageId, body, type: 'AGENT' as const }
    for (;;) {
      try {
        return (await request(SEND, { input })).sendMessage?.error?.message ?? null
      } catch (error) {
        if (error instanceof Refused) return error.message
        await pause(1000)
      }
    }
  }

  function send(conversationId: string, body: string): void {
    const draft: Draft = { conversationId, clientMessageId: crypto.randomUUID(), body, problem: null }
    setDrafts((before) => [...before, draft])
    queue.current = queue.current.then(async () => {
      const problem = await deliver(draft)
      if (problem !== null) setDrafts((all) => all.map((each) => (each === draft ? { ...each, problem } : each)))
    })
  }

  return { drafts, send }
}
