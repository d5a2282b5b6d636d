import { graphql } from '../api/graphql.ts'

export const OwnMembership = graphql(`
  query OwnMembership {
    viewer {
      role
      isDevelopment
      actor {
        id
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
