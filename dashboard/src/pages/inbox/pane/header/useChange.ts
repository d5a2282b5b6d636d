import { useCallback } from 'react'
import { useAction } from '../../../../api/useAction.ts'
import { UpdateConversation } from '../../../../conversations/documents.ts'
import type { UpdateConversationInput } from '../../../../generated/documents.ts'

/** Changes a conversation: shown at once, taken back with a toast when the server refuses. */
export function useChange(conversationId: string) {
  const [run] = useAction(UpdateConversation)
  return useCallback(
    (changes: Omit<UpdateConversationInput, 'conversationId'>) => run({ input: { conversationId, ...changes } }),
    [run, conversationId],
  )
}
