import { stringifyVariables } from '@urql/core'
import type { Cache, UpdatesConfig } from '@urql/exchange-graphcache'
import type {
  ConversationFeedSubscription,
  ConversationFilter,
  InboxFeedSubscription,
  ListFeedSubscription,
  MessageFieldsFragment,
  SendMessageMutation,
} from '../generated/documents.ts'
import { ConversationPage, InboxCounts, OpenConversation } from './documents.ts'
import type { Row } from './views.ts'

/** What live events and mutations change in lists beyond the objects that they bring. */
export const inboxUpdates = {
  Subscription: {
    inbox({ inbox }: InboxFeedSubscription | ListFeedSubscription, { filter }, cache) {
      if ('conversations' in inbox) putIntoLists(cache, inbox.conversations, stringifyVariables(filter ?? {}))
      else if (inbox.counts !== null) {
        const { counts } = inbox
        cache.updateQuery({ query: InboxCounts }, (data) => data && { ...data, inboxCounts: counts })
      }
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

/** Into the first page of each list with this filter, unless they are there. Lists put their rows into order themselves. */
function putIntoLists(cache: Cache, rows: readonly Row[], wanted: string): void {
  if (rows.length === 0) return
  for (const { fieldName, arguments: given } of cache.inspectFields('Query')) {
    if (fieldName !== 'conversations' || given?.['after'] != null || typeof given?.['first'] !== 'number') continue
    // Only our own documents wrote it.
    const filter = (given['filter'] ?? {}) as ConversationFilter
    if (stringifyVariables(filter) !== wanted) continue
    const variables = { filter, first: given['first'], after: null }
    cache.updateQuery({ query: ConversationPage, variables }, (page) => {
      if (page?.conversations == null) return page
      const known = new Set(page.conversations.edges.map(({ node }) => node.id))
      const entered = rows.filter(({ id }) => !known.has(id))
      if (entered.length === 0) return page
      const edges = entered.map((node) => ({ __typename: 'ConversationEdge' as const, node }))
      return { ...page, conversations: { ...page.conversations, edges: [...edges, ...page.conversations.edges] } }
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
