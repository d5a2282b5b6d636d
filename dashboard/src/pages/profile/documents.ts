import { graphql } from '../../api/graphql.ts'

export const Sessions = graphql(`
  query Sessions {
    me {
      id
      name
      email
      hasPassword
      mayResetPassword
      isEmailVerified
    }
    sessions {
      id
      address
      userAgent
      isCurrent
      createdAt
      expiresAt
    }
  }
`)

export const UpdateProfile = graphql(`
  mutation UpdateProfile($input: UpdateProfileInput!) {
    updateProfile(input: $input) {
      __typename
      ... on UpdateProfilePayload {
        user {
          id
          name
        }
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

export const ChangePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      __typename
      ... on ChangePasswordPayload {
        user {
          id
          hasPassword
          mayResetPassword
        }
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

export const EndSession = graphql(`
  mutation EndSession($input: EndSessionInput!) {
    endSession(input: $input) {
      __typename
      ... on EndSessionPayload {
        endedId
      }
      ... on Error {
        code
        message
      }
    }
  }
`)
