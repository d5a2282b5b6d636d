import { graphql } from '../api/graphql.ts'
import { ActorFields } from '../viewer/actor.ts'

/** What a row of the list shows; every change of a conversation brings all of it. */
export const ConversationRow = graphql(
  `
    fragment ConversationRow on Conversation {
      id
      status
      subject
      priority
      tags
      snoozedUntil
      closedAt
      lastActivityAt
      lastMessagePreview
      messageCount
      unreadCount
      assignee {
        ...ActorFields
      }
      visitor {
        ...ActorFields
        email
        avatar
      }
    }
  `,
  ActorFields,
)

export const MessageFields = graphql(
  `
    fragment MessageFields on Message {
      id
      sequence
      type
      body
      sender {
        ...ActorFields
      }
      senderName
      clientMessageId
      createdAt
    }
  `,
  ActorFields,
)

export const ConversationPage = graphql(
  `
    query ConversationPage($filter: ConversationFilter, $first: Int!, $after: String) {
      conversations(filter: $filter, first: $first, after: $after) {
        edges {
          node {
            ...ConversationRow
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  ConversationRow,
)

export const OpenConversation = graphql(
  `
    query OpenConversation($id: ID!) {
      conversation(id: $id) {
        ...ConversationRow
        channel
        createdAt
        lastReadSequence
        visitor {
          externalId
          metadata
          createdAt
        }
        messages(last: 50) {
          edges {
            node {
              ...MessageFields
            }
          }
          pageInfo {
            hasPreviousPage
            startCursor
          }
        }
      }
    }
  `,
  ConversationRow,
  MessageFields,
)

export const EarlierMessages = graphql(
  `
    query EarlierMessages($id: ID!, $before: String!) {
      conversation(id: $id) {
        id
        messages(last: 50, before: $before) {
          edges {
            node {
              ...MessageFields
            }
          }
          pageInfo {
            hasPreviousPage
            startCursor
          }
        }
      }
    }
  `,
  MessageFields,
)

/** Of the whole workspace: that something has changed, and the counts. */
export const InboxFeed = graphql(`
  subscription InboxFeed($after: String) {
    inbox(after: $after) {
      cursor
      counts {
        mine
        unassigned
        open
        snoozed
      }
    }
  }
`)

/** Of one list. */
export const ListFeed = graphql(
  `
    subscription ListFeed($filter: ConversationFilter, $after: String) {
      inbox(filter: $filter, after: $after) {
        cursor
        removedIds
        conversations {
          ...ConversationRow
        }
      }
    }
  `,
  ConversationRow,
)

export const ConversationFeed = graphql(
  `
    subscription ConversationFeed($id: ID!, $after: String) {
      conversation(id: $id, after: $after) {
        __typename
        ... on MessageAdded {
          cursor
          message {
            ...MessageFields
          }
        }
        ... on ConversationChanged {
          cursor
          conversation {
            ...ConversationRow
          }
        }
        ... on TypingChanged {
          actor {
            ...ActorFields
          }
          isTyping
          expiresAt
        }
      }
    }
  `,
  ConversationRow,
  MessageFields,
  ActorFields,
)

export const UpdateConversation = graphql(
  `
    mutation UpdateConversation($input: UpdateConversationInput!) {
      updateConversation(input: $input) {
        conversation {
          ...ConversationRow
        }
        error {
          code
          message
        }
      }
    }
  `,
  ConversationRow,
)

export const SendMessage = graphql(
  `
    mutation SendMessage($input: SendMessageInput!) {
      sendMessage(input: $input) {
        message {
          ...MessageFields
          conversationId
        }
        error {
          code
          message
        }
      }
    }
  `,
  MessageFields,
)

export const SetTyping = graphql(`
  mutation SetTyping($input: SetTypingInput!) {
    setTyping(input: $input) {
      error {
        code
        message
      }
    }
  }
`)

export const WorkspaceMembers = graphql(
  `
    query WorkspaceMembers($first: Int!, $after: String) {
      workspace {
        id
        members(first: $first, after: $after) {
          edges {
            node {
              ...ActorFields
              email
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  `,
  ActorFields,
)

export const MarkRead = graphql(`
  mutation MarkRead($input: MarkConversationReadInput!) {
    markConversationRead(input: $input) {
      conversation {
        id
        unreadCount
        lastReadSequence
      }
      error {
        code
        message
      }
    }
  }
`)

export const AgentIcons = graphql(`
  query AgentIcons {
    agents(first: 100) {
      edges {
        node {
          id
          icon
        }
      }
    }
  }
`)

export const InboxCounts = graphql(`
  query InboxCounts {
    inboxCounts {
      mine
      unassigned
      open
      snoozed
    }
  }
`)
