import { graphql } from '../api/graphql.ts'

export const CreateVisitor = graphql(`
  mutation CreateVisitor($input: CreateVisitorInput!) {
    createVisitor(input: $input) {
      __typename
      ... on CreateVisitorPayload {
        visitor {
          id
        }
      }
      ... on Error {
        code
        message
      }
    }
  }
`)

export const StartConversation = graphql(`
  mutation StartConversation($input: StartConversationInput!) {
    startConversation(input: $input) {
      __typename
      ... on StartConversationPayload {
        conversation {
          id
        }
      }
      ... on Error {
        code
        message
      }
    }
  }
`)

export const InstallEchoAgent = graphql(`
  mutation InstallEchoAgent($input: InstallEchoAgentInput!) {
    installEchoAgent(input: $input) {
      __typename
      ... on InstallEchoAgentPayload {
        agent {
          id
          name
          isEnabled
        }
      }
      ... on Error {
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
    deliveries(first: 1, filter: { status: DELIVERED }) {
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
