import { graphql } from '../api/graphql.ts'

export const UpsertVisitor = graphql(`
  mutation UpsertVisitor($input: UpsertVisitorInput!) {
    upsertVisitor(input: $input) {
      visitor {
        id
      }
      error {
        code
        message
      }
    }
  }
`)

export const StartConversation = graphql(`
  mutation StartConversation($input: StartConversationInput!) {
    startConversation(input: $input) {
      conversation {
        id
      }
      error {
        code
        message
      }
    }
  }
`)

export const InstallEchoAgent = graphql(`
  mutation InstallEchoAgent($input: InstallEchoAgentInput!) {
    installEchoAgent(input: $input) {
      agent {
        id
        name
        isEnabled
      }
      error {
        code
        message
      }
    }
  }
`)

/** How far the workspace has come with its first webhook. */
export const FirstSteps = graphql(`
  query FirstSteps {
    agents(first: 1) {
      edges {
        node {
          id
        }
      }
    }
    conversations(first: 1) {
      edges {
        node {
          id
        }
      }
    }
    deliveries(first: 1, filter: { statuses: DELIVERED }) {
      edges {
        node {
          id
          endpoint {
            id
          }
        }
      }
    }
  }
`)
