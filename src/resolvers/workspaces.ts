import { createWorkspace, listWorkspaces, updateWorkspace, WorkspacePatch } from '../domain/identity/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import { CreateWorkspaceInput, UpdateWorkspaceInput, Workspace, WorkspaceConnection } from '../schema/workspace.ts'
import { inputOf, omitNull } from './input.ts'

builder.queryField('workspaces', (t) =>
  t.field({
    type: WorkspaceConnection,
    description: 'The workspaces that you belong to, newest first; for a key of one workspace, that one.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, caller, budget }) =>
      toConnection(await listWorkspaces(deps, caller(), pageRequest(page, budget))),
  }),
)

const CreateWorkspacePayload = builder.simpleObject('CreateWorkspacePayload', {
  interfaces: [MutationPayload],
  description: 'What was made.',
  fields: (t) => ({ workspace: t.field({ nullable: true, type: Workspace, description: 'The new workspace.' }) }),
})

const UpdateWorkspacePayload = builder.simpleObject('UpdateWorkspacePayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({
    workspace: t.field({ nullable: true, type: Workspace, description: 'The workspace as it is now.' }),
  }),
})

builder.mutationFields((t) => ({
  createWorkspace: t.field({
    type: CreateWorkspacePayload,
    nullable: true,
    description: 'Makes a workspace, whose owner you are. For people, and for FULL_ACCESS keys of all workspaces.',
    args: { input: t.arg({ type: CreateWorkspaceInput, required: true, description: 'What it is called.' }) },
    resolve: async (_root, { input }, { deps, caller }) => ({
      workspace: await createWorkspace(deps, caller(), input),
    }),
  }),
  updateWorkspace: t.field({
    type: UpdateWorkspacePayload,
    nullable: true,
    description: 'Changes the workspace that this request is about. For owners and admins.',
    args: { input: t.arg({ type: UpdateWorkspaceInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      workspace: await updateWorkspace(deps, actor(), inputOf(WorkspacePatch, omitNull(input))),
    }),
  }),
}))
