import type { Tx } from '../../infra/database/transaction.ts'
import { personOf, recordAudit } from '../audit/audit.ts'
import { revokeOwnKeys } from '../credentials/api-keys.ts'
import type { Caller } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { CREDENTIAL } from './users.ts'

/**
 * Marks an address as verified, after the use of a link that was sent to it. The first time, all earlier access ends,
 * because another person may have created it: the password, all sessions and all API keys. Agents stay: they belong to
 * their workspaces.
 * @returns whether it was the first time
 */
export async function verifyEmail(
  tx: Tx,
  { user, origin }: Pick<Caller, 'user' | 'origin'>,
  at: Date,
): Promise<boolean> {
  await lockUser(tx, user.id)
  const unverified = { id: user.id, emailVerifiedAt: null }
  const { count } = await tx.db.user.updateMany({ where: unverified, data: { emailVerifiedAt: at } })
  if (count === 0) return false
  const { count: endedPasswords } = await tx.db.account.deleteMany({
    where: { userId: user.id, providerId: CREDENTIAL },
  })
  const { count: endedSessions } = await tx.db.session.deleteMany({ where: { userId: user.id } })
  await tx.db.signInAddress.deleteMany({ where: { userId: user.id } })
  const actor = personOf({ user, origin })
  const revokedApiKeys = await revokeOwnKeys(tx, actor, user.id, at)
  const data = { endedPassword: endedPasswords > 0, endedSessions, revokedApiKeys }
  const target = { type: 'user', id: user.id, name: user.name } as const
  await recordAudit(tx, actor, { action: 'email.verified', target, data, at })
  return true
}

/**
 * Locks a person's row until the transaction ends. Sessions and keys refer to it, so their creation waits, and then
 * sees the result of this transaction.
 */
export async function lockUser(tx: Tx, userId: string): Promise<void> {
  await tx.db.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
}

/** A person with an unverified address, and their access; for the operator. */
export interface UnverifiedUser {
  readonly email: string
  readonly name: string
  /** `slug (ROLE)` of each workspace of the person. */
  readonly memberships: readonly string[]
  /** The number of valid all-workspaces keys. */
  readonly allWorkspacesKeys: number
}

/** All people with an unverified address, oldest first. */
export async function listUnverified({ db }: Pick<Deps, 'db'>): Promise<UnverifiedUser[]> {
  const users = await db.prisma.user.findMany({
    where: { emailVerifiedAt: null },
    orderBy: { id: 'asc' },
    select: {
      email: true,
      name: true,
      members: { select: { role: true, workspace: { select: { slug: true } } }, orderBy: { id: 'asc' } },
      _count: { select: { apiKeys: { where: { workspaceId: null, revokedAt: null } } } },
    },
  })
  return users.map(({ email, name, members, _count }) => ({
    email,
    name,
    memberships: members.map(({ role, workspace }) => `${workspace.slug} (${role})`),
    allWorkspacesKeys: _count.apiKeys,
  }))
}

/**
 * Verified addresses with a password that is older than the verification: addresses that a migration marked as verified
 * because a sign-in link had been used, when links did not yet end passwords.
 */
export async function listOlderPasswords({ db }: Pick<Deps, 'db'>): Promise<string[]> {
  const rows = await db.sql<{ email: string }>(
    `SELECT users.email FROM users JOIN accounts ON accounts.user_id = users.id AND accounts.provider_id = $1
      WHERE accounts.password IS NOT NULL AND accounts.updated_at < users.email_verified_at ORDER BY users.id`,
    [CREDENTIAL],
  )
  return rows.map(({ email }) => email)
}
