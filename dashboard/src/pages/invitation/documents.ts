import { graphql } from '../../api/graphql.ts'

export const Invitation = graphql(`
  query Invitation($token: String!) {
    invitation(token: $token) {
      workspaceName
      email
      role
      hasAccount
      mustVerifyEmail
      expiresAt
    }
  }
`)

export const AcceptInvitation = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      __typename
      ... on AcceptInvitationPayload {
        email
        workspaceId
      }
      ... on Error {
        code
        message
      }
      ... on ValidationError {
        fields {
          path
          message
        }
      }
    }
  }
`)
