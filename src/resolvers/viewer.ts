import { getWorkspace } from '../domain/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { Viewer, Workspace } from '../schema/workspace.ts'

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    description: 'Who is asking, and where.',
    resolve: async (_root, _args, { deps, actor }) => ({
      actor: actor(),
      workspace: await getWorkspace(deps, actor()),
    }),
  }),
  workspace: t.field({
    type: Workspace,
    description: 'The workspace that this request is about.',
    resolve: (_root, _args, { deps, actor }) => getWorkspace(deps, actor()),
  }),
}))
