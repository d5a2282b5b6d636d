import { graphql } from '../api/graphql.ts'

export const OwnMembership = graphql(`
  query OwnMembership {
    viewer {
      role
      member {
        id
      }
    }
  }
`)
