import type { OptimisticMutationConfig } from '@urql/exchange-graphcache'
import { graphql } from '../api/graphql.ts'
import { ConversationRow } from './documents.ts'

/** A member as an assignee. */
const AssigneeFields = graphql(`
  fragment AssigneeFields on Member {
    __typename
    id
    displayName
  }
`)

/** What a change will look like, shown before the server has answered, and taken back when it refuses. */
export const inboxOptimistic: OptimisticMutationConfig = {
  updateConversation({ input }, cache) {
    const { conversationId: id, status, assigneeId, ...changes } = input as Record<string, unknown>
    if (typeof id !== 'string') return null
    const row = cache.readFragment(ConversationRow, { __typename: 'Conversation', id })
    if (row === null) return null
    const assignee =
      typeof assigneeId === 'string'
        ? cache.readFragment(AssigneeFields, { __typename: 'Member', id: assigneeId })
        : null
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
