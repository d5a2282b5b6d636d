import { graphql } from '../api/graphql.ts'
import { EndpointFields } from '../endpoints/documents.ts'

export const DeliveryRow = graphql(`
  fragment DeliveryRow on Delivery {
    id
    eventType
    status
    isTest
    createdAt
    finishedAt
    nextAttemptAt
    attemptCount
    attempts {
      number
      statusCode
      durationMs
      error
    }
  }
`)

export const DeliveryPage = graphql(
  `
  query DeliveryPage($filter: DeliveryFilter!, $first: Int!, $after: String) {
    deliveries(filter: $filter, first: $first, after: $after) {
      edges {
        node {
          ...DeliveryRow
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`,
  DeliveryRow,
)

export const DeliveryDetail = graphql(`
  query DeliveryDetail($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Delivery {
        eventId
        eventType
        conversationId
        status
        isTest
        body
        createdAt
        finishedAt
        nextAttemptAt
        attemptCount
        endpoint {
          id
          url
          isEnabled
          agentId
        }
        attempts {
          number
          startedAt
          durationMs
          statusCode
          response
          error
        }
      }
    }
  }
`)

/** Deliveries as they change; the cache gets each, and its endpoint's health with it. */
export const DeliveryFeed = graphql(
  `
  subscription DeliveryFeed($filter: DeliveryFilter) {
    deliveries(filter: $filter) {
      created
      delivered
      retrying
      failed
      skipped
      newest {
        ...DeliveryRow
        endpoint {
          ...EndpointFields
        }
      }
    }
  }
`,
  DeliveryRow,
  EndpointFields,
)

export const SendTestEvent = graphql(
  `
  mutation SendTestEvent($input: SendTestEventInput!) {
    sendTestEvent(input: $input) {
      delivery {
        ...DeliveryRow
      }
      error {
        code
        message
      }
    }
  }
`,
  DeliveryRow,
)

export const ReplayDelivery = graphql(
  `
  mutation ReplayDelivery($input: ReplayDeliveryInput!) {
    replayDelivery(input: $input) {
      delivery {
        ...DeliveryRow
      }
      error {
        code
        message
      }
    }
  }
`,
  DeliveryRow,
)

export const ReplayFailed = graphql(`
  mutation ReplayFailed($input: ReplayFailedDeliveriesInput!) {
    replayFailedDeliveries(input: $input) {
      replayedCount
      isComplete
      error {
        code
        message
      }
    }
  }
`)
