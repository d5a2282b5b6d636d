import { graphql } from '../api/graphql.ts'

export const EndpointFields = graphql(`
  fragment EndpointFields on WebhookEndpoint {
    id
    url
    description
    isEnabled
    disabledReason
    consecutiveFailures
    failingSince
    lastSuccessAt
    lastFailureAt
    maxInFlight
    ordering
    events
    agentId
    createdAt
    secretRotation {
      overlapEndsAt
    }
  }
`)

export const UnregisteredFields = graphql(`
  fragment UnregisteredFields on UnregisteredWebhookEndpoint {
    endpointId
    url
    agentId
    unregisteredAt
    keptUntil
  }
`)

export const Endpoints = graphql(
  `
  query Endpoints($after: String) {
    webhookEndpoints(first: 50, after: $after) {
      edges {
        node {
          ...EndpointFields
          successRate24h
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
    unregisteredWebhookEndpoints {
      ...UnregisteredFields
    }
    agents(first: 100) {
      edges {
        node {
          id
          name
          isEnabled
        }
      }
    }
  }
`,
  EndpointFields,
  UnregisteredFields,
)

export const Endpoint = graphql(
  `
  query Endpoint($id: ID!) {
    node(id: $id) {
      __typename
      id
      ...EndpointFields
      ... on WebhookEndpoint {
        successRate24h
      }
    }
  }
`,
  EndpointFields,
)

export const EndpointAgent = graphql(`
  query EndpointAgent($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Agent {
        name
        isEnabled
      }
    }
  }
`)

export const CreateEndpoint = graphql(
  `
  mutation CreateEndpoint($input: RegisterWebhookEndpointInput!) {
    registerWebhookEndpoint(input: $input) {
      isNew
      secret
      endpoint {
        ...EndpointFields
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
  EndpointFields,
)

export const UpdateEndpoint = graphql(
  `
  mutation UpdateEndpoint($input: UpdateWebhookEndpointInput!) {
    updateWebhookEndpoint(input: $input) {
      endpoint {
        ...EndpointFields
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
  EndpointFields,
)

export const EnableEndpoint = graphql(
  `
  mutation EnableEndpoint($input: EnableWebhookEndpointInput!) {
    enableWebhookEndpoint(input: $input) {
      endpoint {
        ...EndpointFields
      }
      error {
        code
        message
      }
    }
  }
`,
  EndpointFields,
)

export const DisableEndpoint = graphql(
  `
  mutation DisableEndpoint($input: DisableWebhookEndpointInput!) {
    disableWebhookEndpoint(input: $input) {
      endpoint {
        ...EndpointFields
      }
      error {
        code
        message
      }
    }
  }
`,
  EndpointFields,
)

export const DeleteEndpoint = graphql(`
  mutation DeleteEndpoint($input: DeleteWebhookEndpointInput!) {
    deleteWebhookEndpoint(input: $input) {
      deletedId
      error {
        code
        message
      }
    }
  }
`)

export const RotateSecret = graphql(
  `
  mutation RotateSecret($input: RotateWebhookSecretInput!) {
    rotateWebhookSecret(input: $input) {
      secret
      endpoint {
        ...EndpointFields
      }
      error {
        code
        message
      }
    }
  }
`,
  EndpointFields,
)

export const EndWebhookSecretOverlap = graphql(
  `
  mutation EndWebhookSecretOverlap($input: EndWebhookSecretOverlapInput!) {
    endWebhookSecretOverlap(input: $input) {
      endpoint {
        ...EndpointFields
      }
      error {
        code
        message
      }
    }
  }
`,
  EndpointFields,
)
