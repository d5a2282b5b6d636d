import { z } from 'zod'
import { hashPassword, isPassword, PASSWORD_LENGTH } from '../infra/passwords.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import { countTry } from '../infra/try-limit.ts'
import type { Caller } from './actor.ts'
import { personOf, recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ConflictError, RateLimitedError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { parse } from './input.ts'
import { CREDENTIAL, requirePerson } from './users.ts'

const { min, max } = PASSWORD_LENGTH
const Typed = z.string().max(max, `must have at most ${max} characters`)
export const NewPassword = Typed.min(min, `must have at least ${min} characters`)
export const PasswordChange = z.object({ currentPassword: Typed.nullish(), newPassword: NewPassword })

const TRY_WINDOW_MS = 15 * 60_000
const MAX_TRIES = 10

/**
 * Gives a person a new password and ends all their other sessions.
 * @throws ForbiddenError for API keys; ValidationError, also when the current password is missing or wrong;
 *   ConflictError when it was changed at the same moment; RateLimitedError after too many wrong ones
 */
export async function changePassword(deps: Deps, caller: Caller, input: z.input<typeof PasswordChange>): Promise<void> {
  requirePerson(caller)
  const { currentPassword, newPassword } = parse(PasswordChange, input)
  const where = { providerId: CREDENTIAL, accountId: caller.user.id }
  const account = await deps.db.prisma.account.findFirst({ where })
  const stored = account?.password ?? null
  if (stored !== null) await requireCurrent(deps, caller.user.id, stored, currentPassword ?? null)
  const password = await hashPassword(newPassword)
  await inTransaction(deps, async (tx) => {
    if (account === null) await createCredential(tx, caller.user.id, password)
    else {
      const { count } = await tx.db.account.updateMany({ where: { ...where, password: stored }, data: { password } })
      if (count === 0) throw new ConflictError('Your password was changed at the same moment: sign in anew')
    }
    const others = { userId: caller.user.id, id: { not: caller.credentialId } }
    const { count: endedSessions } = await tx.db.session.deleteMany({ where: others })
    const target = { type: 'user', id: caller.user.id, name: caller.user.name } as const
    const entry = { action: 'password.changed', target, data: { endedSessions }, at: deps.clock.now() } as const
    await recordAudit(tx, personOf(caller), entry)
  })
}

/** A first password, by its hash. @throws ConflictError when there is one */
export async function createCredential(tx: Tx, userId: string, password: string): Promise<void> {
  const id = newId('account')
  const data = [{ id, userId, providerId: CREDENTIAL, accountId: userId, password }]
  const { count } = await tx.db.account.createMany({ data, skipDuplicates: true })
  if (count === 0) throw new ConflictError('There is a password already')
}

async function requireCurrent(deps: Deps, userId: string, stored: string, given: string | null): Promise<void> {
  if (given === null)
    throw new ValidationError([{ path: 'currentPassword', message: 'is required to set another one' }])
  // Whoever found an open browser must not find out the password there.
  const wait = await countTry(deps, TRY_WINDOW_MS, [{ key: `password ${userId}`, max: MAX_TRIES }])
  if (wait !== null) throw new RateLimitedError('Too many tries', wait)
  if (!(await isPassword(stored, given))) {
    throw new ValidationError([{ path: 'currentPassword', message: 'is wrong' }])
  }
}
