import { memberBehind } from '../domain/identity/actors.ts'
import { getUser } from '../domain/identity/users.ts'
import { getWorkspace } from '../domain/identity/workspaces.ts'
import { builder } from '../schema/builder.ts'
import { Viewer, Workspace } from '../schema/workspace.ts'

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    description: 'The caller and the workspace of the request.',
    resolve: (_root, _args, { deps, actor }) => {
      const who = actor()
      return {
        actor: who,
        member: () => memberBehind(deps, who),
        workspace: () => getWorkspace(deps, who),
        // An agent acts for itself, not for the person who installed it.
        user: async () => (who.type === 'agent' || who.user === null ? null : getUser(deps.db.prisma, who.user.id)),
      }
    },
  }),
  workspace: t.field({
    type: Workspace,
    description: 'The workspace of the request.',
    resolve: (_root, _args, { deps, actor }) => getWorkspace(deps, actor()),
  }),
}))
