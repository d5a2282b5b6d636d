import { z } from 'zod'
import {
  CreateWorkspace,
  createWorkspace,
  deleteWorkspace,
  getWorkspaceWithMembers,
  listWorkspaces,
  updateWorkspace,
  WorkspacePatch,
} from '../domain/identity/workspaces.ts'
import type { Actor, Caller } from '../domain/shared/actor.ts'
import { ForbiddenError, NotFoundError } from '../domain/shared/errors.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

const showWorkspace = shapes.shown(shapes.Workspace)

export const workspaceRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/workspaces',
    summary: 'List the workspaces of the API key, newest first.',
    needs: 'READ_ONLY',
    response: z.array(shapes.Workspace),
    async handle({ deps, caller, page }) {
      return listResponse(await listWorkspaces(deps, caller, page), page, showWorkspace)
    },
  }),
  route({
    method: 'GET',
    path: '/v1/workspaces/:id',
    summary: 'Retrieve a workspace with its members.',
    needs: 'READ_ONLY',
    response: shapes.WorkspaceWithMembers,
    async handle({ deps, caller, id }) {
      const { members, ...workspace } = await getWorkspaceWithMembers(deps, await actorAt(caller, id))
      const people = members.map(({ id, role, user }) => ({ id, name: user.name, role }))
      return { data: { ...showWorkspace(workspace), members: people } }
    },
  }),
  route({
    method: 'POST',
    path: '/v1/workspaces',
    summary: 'Create a workspace owned by the user of the API key. Requires an all-workspaces key.',
    needs: 'FULL_ACCESS',
    isGlobal: true,
    body: CreateWorkspace,
    response: shapes.Workspace,
    statuses: [201],
    async handle({ deps, caller, body }) {
      return { status: 201, data: showWorkspace(await createWorkspace(deps, caller, body)) }
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/workspaces/:id',
    summary: 'Update a workspace. Requires the role OWNER or ADMIN.',
    needs: 'READ_WRITE',
    body: WorkspacePatch,
    response: shapes.Workspace,
    async handle({ deps, caller, id, body }) {
      return { data: showWorkspace(await updateWorkspace(deps, await actorAt(caller, id), body)) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/workspaces/:id',
    summary: 'Delete a workspace and all of its data. Requires the role OWNER.',
    needs: 'FULL_ACCESS',
    response: shapes.Deleted,
    async handle({ deps, caller, id }) {
      await deleteWorkspace(deps, await actorAt(caller, id), id)
      return { data: { deleted: true } }
    },
  }),
]

/** The actor in the workspace of the path. @throws NotFoundError if the caller is no member: its existence is not revealed */
async function actorAt(caller: Caller, id: string): Promise<Actor> {
  const actor = await caller.actorIn(id).catch((error: unknown) => {
    throw error instanceof ForbiddenError ? new NotFoundError('Workspace') : error
  })
  if (actor.workspaceId !== id) throw new NotFoundError('Workspace')
  return actor
}
