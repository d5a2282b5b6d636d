import type { Agent, ApiKey, User, Visitor } from '../../generated/prisma/client.ts'
import { visibleApiKeys } from '../credentials/api-keys.ts'
import type { Actor, Caller } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { type IdKind, kindOfId } from '../shared/ids.ts'
import type { MemberWithUser } from './workspaces.ts'

/** Somebody who acts: the row of whatever table they are in. */
export type ActorRow = Visitor | MemberWithUser | Agent | ApiKey | User

/**
 * Actors by id, of whatever kinds, in one statement, and one more for keys of all workspaces. Those that are no more, or that
 * the one who asks may not see, are left out: people are seen by members of the same workspace, and API keys where they
 * are listed; the key that asks sees itself.
 */
export async function actorsById(
  { db }: Pick<Deps, 'db'>,
  asking: Actor,
  reach: Pick<Caller, 'workspaceId'>,
  ids: readonly string[],
): Promise<Map<string, ActorRow>> {
  const of = (kind: IdKind) => ids.filter((id) => kindOfId(id) === kind)
  const [keyIds, personIds] = [of('apiKey'), [{ id: { in: of('member') } }, { userId: { in: of('user') } }]]
  const keys = { id: { in: keyIds }, OR: [...visibleApiKeys(asking, reach).OR, { id: asking.id }] }
  // Through the workspace: nothing of another one can be reached.
  const found = await db.prisma.workspace.findUnique({
    where: { id: asking.workspaceId },
    select: {
      visitors: { where: { id: { in: of('visitor') } } },
      members: { where: { OR: personIds }, include: { user: true } },
      agents: { where: { id: { in: of('agent') } } },
      apiKeys: { where: keys },
    },
  })
  if (found === null) return new Map()
  const { visitors, members, agents, apiKeys } = found
  const people = members.map(({ user }) => user)
  const rows: ActorRow[] = [...visitors, ...members, ...people, ...agents, ...apiKeys]
  // A key of all workspaces is in none.
  if (reach.workspaceId === null && apiKeys.length < keyIds.length)
    rows.push(...(await db.prisma.apiKey.findMany({ where: { ...keys, workspaceId: null } })))
  return new Map(rows.map((row) => [row.id, row]))
}

/** The member that a session or a person's key acts for; null for an agent's key, which acts for itself. */
export async function memberBehind({ db }: Pick<Deps, 'db'>, { type, user, workspaceId }: Actor) {
  if (type === 'agent' || user === null) return null
  const workspaceId_userId = { workspaceId, userId: user.id }
  return db.prisma.member.findUnique({ where: { workspaceId_userId }, include: { user: true } })
}
