import { ForbiddenError, NotFoundError } from '../domain/errors.ts'
import { getWorkspace, listWorkspaces } from '../domain/workspaces.ts'
import type { Workspace } from '../generated/prisma/client.ts'
import { listAnswer, type Route, route } from './route.ts'

export const workspaceRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/workspaces',
    summary: "List the key's workspaces, newest first",
    needs: 'READ_ONLY',
    async handle({ deps, caller, page }) {
      return listAnswer(await listWorkspaces(deps, caller, page), page, showWorkspace)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/workspaces/:id',
    summary: 'Read a workspace with its members',
    needs: 'READ_ONLY',
    async handle({ deps, caller, id }) {
      // The path names the workspace; one that the caller is not in is not disclosed.
      const actor = await caller.actorIn(id).catch((error: unknown) => {
        throw error instanceof ForbiddenError ? new NotFoundError('Workspace') : error
      })
      if (actor.workspaceId !== id) throw new NotFoundError('Workspace')
      const { members, ...workspace } = await getWorkspace(deps, actor)
      const people = members.map(({ id, role, user }) => ({ id, name: user.name, role }))
      return { data: { ...showWorkspace(workspace), members: people } }
    },
  }),
]

function showWorkspace({ id, name, slug, plan, createdAt, updatedAt }: Workspace) {
  return { id, name, slug, plan, createdAt, updatedAt }
}
