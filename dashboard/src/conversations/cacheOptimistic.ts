import type { OptimisticMutationConfig } from '@urql/exchange-graphcache'
import { ConversationRow, WorkspaceMembers } from './documents.ts'

/** What a change will look like, shown before the server has answered, and taken back when it refuses. */
export const inboxOptimistic: OptimisticMutationConfig = {
  updateConversation({ input }, cache) {
    const { conversationId: id, status, assigneeId, ...changes } = input as Record<string, unknown>
    if (typeof id !== 'string') return null
    const row = cache.readFragment(ConversationRow, { __typename: 'Conversation', id })
    if (row === null) return null
    const members = cache.readQuery({ query: WorkspaceMembers })?.workspace?.members ?? []
    const assignee = members.find((member) => member.id === assigneeId)
    return {
      __typename: 'UpdateConversationPayload',
      error: null,
      conversation: {
        ...row,
        ...changes,
        __typename: 'Conversation',
        ...(typeof status === 'string' && { status }),
        ...(changes['snoozedUntil'] != null && { status: 'SNOOZED' }),
        ...(assigneeId === null && { assignee: null }),
        ...(assignee && { assignee }),
      },
    }
  },
}
