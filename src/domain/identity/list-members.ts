import type { Member, User } from '../../generated/prisma/client.ts'
import type { Deps } from '../shared/deps.ts'
import type { PrismaRange } from '../shared/pagination.ts'

const PERSON = { id: true, name: true, email: true, emailVerifiedAt: true } as const

/** A member with what others see of the person. */
export type MemberWithPerson = Member & { user: Pick<User, keyof typeof PERSON> }

/** The same range of the members of many workspaces in one statement. The caller has judged who may see them. */
export async function membersOf(
  { db }: Pick<Deps, 'db'>,
  workspaceIds: readonly string[],
  range: PrismaRange<'createdAt'>,
): Promise<Map<string, MemberWithPerson[]>> {
  const rows = await db.prisma.workspace.findMany({
    where: { id: { in: [...workspaceIds] } },
    select: { id: true, members: { ...range, include: { user: { select: PERSON } } } },
  })
  return new Map(rows.map(({ id, members }) => [id, members]))
}

/** How many members each workspace has; those without one are left out. */
export async function countMembers(
  { db }: Pick<Deps, 'db'>,
  workspaceIds: readonly string[],
): Promise<Map<string, number>> {
  const where = { workspaceId: { in: [...workspaceIds] } }
  const counts = await db.prisma.member.groupBy({ by: ['workspaceId'], where, _count: true })
  return new Map(counts.map(({ workspaceId, _count }) => [workspaceId, _count]))
}
