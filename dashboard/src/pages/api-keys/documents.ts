import { graphql } from '../../api/graphql.ts'

const ApiKeyFields = graphql(`
  fragment ApiKeyFields on ApiKey {
    id
    name
    prefix
    permission
    isForAllWorkspaces
    agentId
    createdAt
    lastUsedAt
    expiresAt
    revokedAt
  }
`)

/** For owners and admins: everybody's. */
export const ApiKeys = graphql(
  `
  query ApiKeys($first: Int, $after: String) {
    apiKeys(first: $first, after: $after) {
      edges {
        node {
          ...ApiKeyFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`,
  ApiKeyFields,
)

/** For everybody else: their own. */
export const OwnApiKeys = graphql(
  `
  query OwnApiKeys($first: Int, $after: String) {
    ownApiKeys(first: $first, after: $after) {
      edges {
        node {
          ...ApiKeyFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`,
  ApiKeyFields,
)

export const CreateApiKey = graphql(
  `
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      key
      apiKey {
        ...ApiKeyFields
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
  ApiKeyFields,
)

export const RevokeApiKey = graphql(`
  mutation RevokeApiKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) {
      apiKey {
        id
        revokedAt
      }
      error {
        code
        message
      }
    }
  }
`)
