import { graphql } from '../../api/graphql.ts'

export const WorkspaceFacts = graphql(`
  query WorkspaceFacts {
    workspace {
      id
      name
      slug
      plan
      createdAt
    }
  }
`)

export const UpdateWorkspace = graphql(`
  mutation UpdateWorkspace($input: UpdateWorkspaceInput!) {
    updateWorkspace(input: $input) {
      workspace {
        id
        name
        slug
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

export const CreateWorkspace = graphql(`
  mutation CreateWorkspace($input: CreateWorkspaceInput!) {
    createWorkspace(input: $input) {
      workspace {
        id
        name
        slug
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
