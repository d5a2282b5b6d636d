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
      user {
        id
        name
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

export const ChangePassword = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      user {
        id
        hasPassword
        mayResetPassword
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

export const EndSession = graphql(`
  mutation EndSession($input: EndSessionInput!) {
    endSession(input: $input) {
      deletedId
      error {
        code
        message
      }
    }
  }
`)
