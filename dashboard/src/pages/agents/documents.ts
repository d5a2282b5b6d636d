import { graphql } from '../../api/graphql.ts'
import { EndpointFields } from '../../endpoints/documents.ts'
import { ActorFields } from '../../viewer/actor.ts'

export const AgentFields = graphql(
  `
  fragment AgentFields on Agent {
    id
    name
    description
    type
    iconUrl
    icon
    creatorName
    creatorUrl
    isEnabled
    ignoreOwnEvents
    config
    installedAt
    installer {
      name
      actor {
        ...ActorFields
      }
      hasLeft
      hasKeyEnded
    }
    lastSeenAt
    replyCount24h
    successRate24h
    webhookEndpoints(first: 5) {
      edges {
        node {
          ...EndpointFields
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`,
  EndpointFields,
  ActorFields,
)

export const Agents = graphql(
  `
  query Agents($first: Int!, $after: String) {
    agents(first: $first, after: $after) {
      edges {
        node {
          ...AgentFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`,
  AgentFields,
)

export const Agent = graphql(
  `
  query Agent($id: ID!) {
    node(id: $id) {
      __typename
      id
      ...AgentFields
    }
    unregisteredWebhookEndpoints {
      endpointId
      url
      agentId
      unregisteredAt
    }
  }
`,
  AgentFields,
)

export const InstallAgent = graphql(
  `
  mutation InstallAgent($input: InstallAgentInput!) {
    installAgent(input: $input) {
      secret
      key
      agent {
        ...AgentFields
      }
      error {
        code
        message
        fields {
          path
          message
        }
      }
    }
  }
`,
  AgentFields,
)

export const UpdateAgent = graphql(
  `
  mutation UpdateAgent($input: UpdateAgentInput!) {
    updateAgent(input: $input) {
      agent {
        ...AgentFields
      }
      error {
        code
        message
        fields {
          path
          message
        }
      }
    }
  }
`,
  AgentFields,
)

export const RotateAgentApiKey = graphql(
  `
  mutation RotateAgentApiKey($input: RotateAgentApiKeyInput!) {
    rotateAgentApiKey(input: $input) {
      key
      agent {
        ...AgentFields
      }
      error {
        code
        message
      }
    }
  }
`,
  AgentFields,
)

/** What would go with an agent. */
export const AgentRemoval = graphql(`
  query AgentRemoval($id: ID!) {
    agentRemoval(id: $id) {
      webhookUrls
      webhookEndpointCount
      apiKeyPrefixes
      pendingDeliveryCount
    }
  }
`)

export const UninstallAgent = graphql(`
  mutation UninstallAgent($input: UninstallAgentInput!) {
    uninstallAgent(input: $input) {
      deletedId
      error {
        code
        message
      }
    }
  }
`)
