import { z } from 'zod'
import type { Member, User } from '../../generated/prisma/client.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { personOf, recordAudit } from '../audit/audit.ts'
import type { Actor, Caller } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { ForbiddenError, UnauthorizedError } from '../shared/errors.ts'
import { parse, text } from '../shared/input.ts'

/** A person, and whether they have a password. */
export type UserWithAccess = User & { hasPassword: boolean }

export const Name = text(200)
export const ProfilePatch = z.object({ name: Name })

/** The name of the password provider in better-auth. */
export const CREDENTIAL = 'credential'

/** Personal matters require a session. @throws ForbiddenError for API keys */
export function requirePerson(caller: Caller): void {
  if (caller.kind !== 'session') throw new ForbiddenError('This requires a user session; API keys cannot be used')
}

/** The members of the workspace that people are, by the people's ids; those who are none are left out. */
export async function membersOfUsers(
  { db }: Pick<Deps, 'db'>,
  { workspaceId }: Actor,
  userIds: readonly string[],
): Promise<Map<string, Member & { user: User }>> {
  const members = await db.prisma.member.findMany({
    where: { workspaceId, userId: { in: [...userIds] } },
    include: { user: true },
  })
  return new Map(members.map((member) => [member.userId, member]))
}

/** The person behind a credential. @throws UnauthorizedError when they are gone */
export async function getUser(db: Deps['db']['prisma'] | Tx['db'], userId: string): Promise<UserWithAccess> {
  const credential = { providerId: CREDENTIAL, password: { not: null } }
  const user = await db.user.findUnique({
    where: { id: userId },
    include: { accounts: { where: credential, select: { id: true } } },
  })
  if (user === null) throw new UnauthorizedError()
  const { accounts, ...rest } = user
  return { ...rest, hasPassword: accounts.length > 0 }
}

/** The person who is signed in. @throws ForbiddenError for API keys */
export async function getMe(deps: Deps, caller: Caller): Promise<UserWithAccess> {
  requirePerson(caller)
  return getUser(deps.db.prisma, caller.user.id)
}

/** Changes the name of a person in all workspaces. @throws ForbiddenError for API keys; ValidationError */
export async function updateProfile(
  deps: Deps,
  caller: Caller,
  input: z.input<typeof ProfilePatch>,
): Promise<UserWithAccess> {
  requirePerson(caller)
  const { name } = parse(ProfilePatch, input)
  const { id } = caller.user
  return inTransaction(deps, async (tx) => {
    await tx.db.user.update({ where: { id }, data: { name } })
    const target = { type: 'user', id, name } as const
    await recordAudit(tx, personOf(caller), { action: 'profile.updated', target, at: deps.clock.now() })
    return getUser(tx.db, id)
  })
}
