import {
  createWorkspace,
  deleteWorkspace,
  listWorkspaces,
  updateWorkspace,
  WorkspacePatch,
} from '../domain/identity/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import {
  CreateWorkspaceInput,
  DeleteWorkspaceInput,
  UpdateWorkspaceInput,
  Workspace,
  WorkspaceConnection,
} from '../schema/workspace.ts'
import { inputOf, omitNull } from './input.ts'

builder.queryField('workspaces', (t) =>
  t.field({
    type: WorkspaceConnection,
    description: 'The workspaces of the caller, newest first. For an API key of one workspace, only that workspace.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, caller, budget }) =>
      toConnection(await listWorkspaces(deps, caller(), pageRequest(page, budget))),
  }),
)

const CreateWorkspacePayload = builder.simpleObject('CreateWorkspacePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `createWorkspace`.',
  fields: (t) => ({
    workspace: t.field({
      type: Workspace,
      description: 'The new workspace.',
    }),
  }),
})

const UpdateWorkspacePayload = builder.simpleObject('UpdateWorkspacePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateWorkspace`.',
  fields: (t) => ({
    workspace: t.field({
      type: Workspace,
      description: 'The workspace in its current state.',
    }),
  }),
})

builder.mutationFields((t) => ({
  createWorkspace: t.field({
    type: CreateWorkspacePayload,
    description:
      'Creates a workspace that the caller owns. Requires a session, or an API key for all workspaces with FULL_ACCESS.',
    args: {
      input: t.arg({ type: CreateWorkspaceInput, required: true, description: 'The name and slug of the workspace.' }),
    },
    resolve: async (_root, { input }, { deps, caller }) => ({
      workspace: await createWorkspace(deps, caller(), input),
    }),
  }),
  updateWorkspace: t.field({
    type: UpdateWorkspacePayload,
    description: 'Changes the workspace of the request. Requires the role OWNER or ADMIN.',
    args: {
      input: t.arg({ type: UpdateWorkspaceInput, required: true, description: 'The changes of the workspace.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      workspace: await updateWorkspace(deps, actor(), inputOf(WorkspacePatch, omitNull(input))),
    }),
  }),
}))

const DeleteWorkspacePayload = builder.simpleObject('DeleteWorkspacePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `deleteWorkspace`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the deleted workspace.',
    }),
  }),
})

builder.mutationField('deleteWorkspace', (t) =>
  t.field({
    type: DeleteWorkspacePayload,
    description:
      'Deletes the workspace of the request with all of its data. This cannot be undone. Requires FULL_ACCESS and the role OWNER.',
    args: { input: t.arg({ type: DeleteWorkspaceInput, required: true, description: 'The workspace to delete.' }) },
    resolve: async (_root, { input: { workspaceId } }, { deps, actor }) => {
      await deleteWorkspace(deps, actor(), workspaceId)
      return { deletedId: workspaceId }
    },
  }),
)
