import { graphql } from '../../api/graphql.ts'

export const Invitation = graphql(`
  query Invitation($token: String!) {
    invitationOffer(token: $token) {
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
      email
      workspaceId
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
`)
