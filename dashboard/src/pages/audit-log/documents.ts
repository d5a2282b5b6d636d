import { graphql } from '../../api/graphql.ts'
import { ActorFields } from '../../viewer/actor.ts'

const AuditEntryFields = graphql(
  `
  fragment AuditEntryFields on AuditEntry {
    id
    action
    actor {
      ...ActorFields
    }
    targetType
    targetId
    targetName
    address
    userAgent
    data
    createdAt
  }
`,
  ActorFields,
)

export const AuditEntries = graphql(
  `
  query AuditEntries($filter: AuditEntryFilter, $first: Int, $after: String) {
    auditEntries(filter: $filter, first: $first, after: $after) {
      edges {
        node {
          ...AuditEntryFields
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`,
  AuditEntryFields,
)

/** For an address that names an entry further down than has been loaded. */
export const OneAuditEntry = graphql(
  `
  query OneAuditEntry($id: ID!) {
    node(id: $id) {
      __typename
      id
      ...AuditEntryFields
    }
  }
`,
  AuditEntryFields,
)

/** Who may be filtered by. */
export const AuditActors = graphql(
  `
  query AuditActors {
    workspace {
      id
      members(first: 100) {
        edges {
          node {
            ...ActorFields
          }
        }
      }
    }
    agents(first: 100) {
      edges {
        node {
          ...ActorFields
        }
      }
    }
    apiKeys(first: 100) {
      edges {
        node {
          ...ActorFields
          agentId
        }
      }
    }
  }
`,
  ActorFields,
)
