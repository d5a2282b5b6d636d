import { graphql } from '../../api/graphql.ts'

export const Members = graphql(`
  query Members($first: Int!, $after: String) {
    workspace {
      id
      members(first: $first, after: $after) {
        edges {
          node {
            id
            name
            email
            isEmailVerified
            role
            createdAt
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)

export const Invitations = graphql(`
  query Invitations($first: Int, $after: String) {
    invitations(first: $first, after: $after) {
      edges {
        node {
          id
          email
          role
          mailStatus
          createdAt
          expiresAt
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

/** What the frame around the pages goes by. */
export const OwnRole = graphql(`
  query OwnRole {
    viewer {
      role
      member {
        id
      }
    }
  }
`)

export const InviteMember = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      link
      invitation {
        id
        email
        role
        mailStatus
        createdAt
        expiresAt
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
`)

export const RevokeInvitation = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) {
      deletedId
      error {
        code
        message
      }
    }
  }
`)

export const ChangeMemberRole = graphql(`
  mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) {
      member {
        id
        role
      }
      error {
        code
        message
      }
    }
  }
`)

/** What a member made that would go on working. */
export const MemberRemoval = graphql(`
  query MemberRemoval($id: ID!) {
    memberRemoval(id: $id) {
      agentNames
      agentCount
      webhookUrls
      webhookEndpointCount
      apiKeyNames
      apiKeyCount
      invitedEmails
      invitationCount
    }
  }
`)

export const RemoveMember = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) {
      deletedId
      error {
        code
        message
      }
    }
  }
`)
