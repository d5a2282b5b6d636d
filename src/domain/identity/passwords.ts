import { z } from 'zod'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { throttleAttempt } from '../../infra/login-throttle.ts'
import { hashPassword, isPassword, PASSWORD_LENGTH } from '../../infra/passwords.ts'
import { personOf, recordAudit } from '../audit/audit.ts'
import { revokeOwnKeys } from '../credentials/api-keys.ts'
import type { Caller } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, RateLimitedError, UnauthorizedError, ValidationError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { parse } from '../shared/input.ts'
import { CREDENTIAL, requirePerson } from './users.ts'
import { lockUser } from './verify-email.ts'

const { min, max } = PASSWORD_LENGTH
const Typed = z.string().max(max, `must have at most ${max} characters`)
export const NewPassword = Typed.min(min, `must have at least ${min} characters`)
export const PasswordChange = z.object({
  currentPassword: Typed.nullish(),
  newPassword: NewPassword,
  /** Whether to revoke the person's API keys, too. */
  revokeApiKeys: z.boolean().nullish(),
})

const ATTEMPT_WINDOW_MS = 15 * 60_000
const MAX_ATTEMPTS = 10

/**
 * Sets a person's password and ends their other sessions, their sign-in links and, on request, their API keys.
 * @throws ForbiddenError for API keys; ValidationError, also when the current password is missing or wrong;
 *   ConflictError when the password was changed at the same time; RateLimitedError after too many wrong ones;
 *   UnauthorizedError when the session has ended meanwhile
 */
export async function changePassword(deps: Deps, caller: Caller, input: z.input<typeof PasswordChange>): Promise<void> {
  requirePerson(caller)
  const { currentPassword, newPassword, revokeApiKeys } = parse(PasswordChange, input)
  const { user } = caller
  const where = { providerId: CREDENTIAL, accountId: user.id }
  const account = await deps.db.prisma.account.findFirst({ where })
  const stored = account?.password ?? null
  if (stored !== null && !(await mayResetPassword(deps, caller))) {
    await requireCurrent(deps, user.id, stored, currentPassword ?? null)
  }
  const password = await hashPassword(newPassword)
  const at = deps.clock.now()
  await inTransaction(deps, async (tx) => {
    await lockUser(tx, user.id)
    const own = { id: caller.credentialId, userId: user.id }
    const { count: isThere } = await tx.db.session.updateMany({ where: own, data: { passwordResetUntil: null } })
    if (isThere === 0) throw new UnauthorizedError('Your session has ended: sign in again')
    if (account === null) await createCredential(tx, user.id, password)
    else {
      const { count } = await tx.db.account.updateMany({ where: { ...where, password: stored }, data: { password } })
      if (count === 0) throw new ConflictError('Your password was changed by another request: sign in again')
    }
    const others = { userId: user.id, id: { not: caller.credentialId } }
    const { count: endedSessions } = await tx.db.session.deleteMany({ where: others })
    await tx.db.verification.deleteMany({ where: { value: user.id } })
    const actor = personOf(caller)
    const revokedApiKeys = revokeApiKeys ? await revokeOwnKeys(tx, actor, user.id, at) : 0
    const target = { type: 'user', id: user.id, name: user.name } as const
    const data = { endedSessions, ...(revokeApiKeys && { revokedApiKeys }) }
    await recordAudit(tx, actor, { action: 'password.changed', target, data, at })
  })
}

/** Whether the session can set a password without the current one: it was recently started by a sign-in link. */
export async function mayResetPassword({ db, clock }: Deps, { credentialId }: Caller): Promise<boolean> {
  const open = { id: credentialId, passwordResetUntil: { gt: clock.now() } }
  return (await db.prisma.session.count({ where: open })) > 0
}

/** Stores a first password, by its hash. @throws ConflictError when there is one */
export async function createCredential(tx: Tx, userId: string, password: string): Promise<void> {
  const id = newId('account')
  const data = [{ id, userId, providerId: CREDENTIAL, accountId: userId, password }]
  const { count } = await tx.db.account.createMany({ data, skipDuplicates: true })
  if (count === 0) throw new ConflictError('This account already has a password')
}

async function requireCurrent(deps: Deps, userId: string, stored: string, given: string | null): Promise<void> {
  if (given === null)
    throw new ValidationError([{ path: 'currentPassword', message: 'is required to change the password' }])
  // Wrong passwords are limited, so that an open browser does not allow guessing.
  const refused = await throttleAttempt(deps, ATTEMPT_WINDOW_MS, [{ key: `password ${userId}`, max: MAX_ATTEMPTS }])
  if (refused !== null) throw new RateLimitedError('Too many password attempts', refused.waitMs)
  if (!(await isPassword(stored, given))) {
    throw new ValidationError([{ path: 'currentPassword', message: 'is incorrect' }])
  }
}
