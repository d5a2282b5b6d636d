import type { Cache, UpdatesConfig } from '@urql/exchange-graphcache'
import type {
  ConversationFeedSubscription,
  ConversationFilter,
  InboxFeedSubscription,
  MessageFieldsFragment,
  SendMessageMutation,
} from '../generated/documents.ts'
import { OwnMembership } from '../viewer/documents.ts'
import { ConversationPage, InboxCounts, OpenConversation } from './documents.ts'
import { matches, type Row } from './views.ts'

/** What live events and mutations change in lists beyond the objects that they bring. */
export const inboxUpdates = {
  Subscription: {
    inbox(result: InboxFeedSubscription, _args, cache) {
      const { counts } = result.inbox
      if (counts !== null) cache.updateQuery({ query: InboxCounts }, (data) => data && { ...data, inboxCounts: counts })
      for (const row of result.inbox.conversations) putIntoLists(cache, row)
      for (const id of result.inbox.deletedIds) cache.invalidate({ __typename: 'Conversation', id })
    },
    conversation({ conversation: update }: ConversationFeedSubscription, { id }, cache) {
      if (update.__typename === 'MessageAdded' && typeof id === 'string') addMessage(cache, id, update.message)
    },
  },
  Mutation: {
    sendMessage({ sendMessage: sent }: SendMessageMutation, _args, cache) {
      if (sent?.message != null) addMessage(cache, sent.message.conversationId, sent.message)
    },
  },
} satisfies UpdatesConfig

/** Into the first page of every list that it belongs to and is not in yet. Lists put their rows into order themselves. */
function putIntoLists(cache: Cache, row: Row): void {
  for (const { fieldName, arguments: given } of cache.inspectFields('Query')) {
    if (fieldName !== 'conversations' || given?.['after'] != null || typeof given?.['first'] !== 'number') continue
    // Only our own documents wrote it.
    const filter = (given['filter'] ?? {}) as ConversationFilter
    if (!matches(filter, row, ownMemberId(cache))) continue
    const variables = { filter, first: given['first'], after: null }
    cache.updateQuery({ query: ConversationPage, variables }, (page) => {
      if (page?.conversations == null || page.conversations.edges.some(({ node }) => node.id === row.id)) return page
      const edge = { __typename: 'ConversationEdge', node: row }
      return { ...page, conversations: { ...page.conversations, edges: [edge, ...page.conversations.edges] } }
    })
  }
}

/** To the end of an open conversation; once, whether the answer or the live event comes first. */
function addMessage(cache: Cache, id: string, message: MessageFieldsFragment): void {
  cache.updateQuery({ query: OpenConversation, variables: { id } }, (open) => {
    if (!open?.conversation?.messages) return open
    const { edges } = open.conversation.messages
    if (edges.some(({ node }) => node.id === message.id)) return open
    const sorted = [...edges, { __typename: 'MessageEdge', node: message }].sort(
      (a, b) => a.node.sequence - b.node.sequence,
    )
    const messages = { ...open.conversation.messages, edges: sorted }
    return { ...open, conversation: { ...open.conversation, messages } }
  })
}

/** Known since before anything of the workspace is shown. */
function ownMemberId(cache: Cache): string {
  return cache.readQuery({ query: OwnMembership })?.viewer?.member?.id ?? ''
}
