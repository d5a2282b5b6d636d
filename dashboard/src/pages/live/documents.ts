import { graphql } from '../../api/graphql.ts'

export const EventFeed = graphql(`
  subscription EventFeed($filter: EventFilter!, $after: String) {
    events(filter: $filter, after: $after) {
      cursor
      event {
        id
        type
        createdAt
        isTest
        payload
      }
    }
  }
`)

/** Counts only: the deliveries themselves are under Webhooks. */
export const ProgressFeed = graphql(`
  subscription ProgressFeed {
    deliveries {
      delivered
      retrying
      failed
      durationP50Ms
      durationP95Ms
    }
  }
`)

export const Backlog = graphql(`
  query Backlog {
    dispatchState {
      pending
      scheduled
      held
      due
      oldestDueSeconds
    }
  }
`)

export const DeliveryStats = graphql(`
  query DeliveryStats($from: DateTime!, $to: DateTime!, $bucket: StatsBucket!) {
    deliveryStats(from: $from, to: $to, bucket: $bucket) {
      start
      delivered
      failed
      pending
      durationP50Ms
      durationP95Ms
    }
  }
`)

export const SlowestEndpoints = graphql(`
  query SlowestEndpoints($from: DateTime!, $to: DateTime!) {
    slowestEndpoints(from: $from, to: $to, first: 5) {
      endpoint {
        id
        url
      }
      failed
      durationP50Ms
      durationP95Ms
    }
  }
`)
