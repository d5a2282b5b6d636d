import type { Origin } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { RateLimitedError } from '../domain/shared/errors.ts'
import type { Tx } from '../infra/database/transaction.ts'
import { throttleAttempt } from '../infra/login-throttle.ts'
import { addressBlock } from '../infra/net/client-address.ts'
import { isHashingBusy } from '../infra/passwords.ts'
import { sha256 } from '../infra/secrets.ts'

export const ATTEMPT_WINDOW_MS = 15 * 60_000
/**
 * The limits within that window: one account from one address, one account from all addresses, all accounts from one
 * address.
 */
export const MAX_ATTEMPTS = { accountAndAddress: 10, account: 100, address: 50 } as const
/** The number of remembered addresses per person. */
export const MAX_ADDRESSES = 20
const BUSY_MS = 5000

/**
 * Counts an attempt to sign in with a password, before the password is checked. Attempts by others, from any address,
 * do not lock a person out who has signed in from this address before: their password is checked anyway.
 * @returns null, or the error to throw if the password is wrong, as if it had not been checked
 * @throws RateLimitedError
 */
export async function throttleSignIn(deps: Deps, email: string, { address }: Origin): Promise<RateLimitedError | null> {
  const block = addressBlock(address)
  const name = sha256(email)
  const here = { key: `sign-in ${name} ${block}`, max: MAX_ATTEMPTS.accountAndAddress }
  const fromAddress = { key: `sign-in from ${block}`, max: MAX_ATTEMPTS.address }
  const account = { key: `sign-in ${name}`, max: MAX_ATTEMPTS.account }
  if (isHashingBusy() && !(await hasSignedInFrom(deps, email, block))) {
    throw new RateLimitedError('Too many people are signing in', BUSY_MS)
  }
  const refused = await throttleAttempt(deps, ATTEMPT_WINDOW_MS, [fromAddress, here, account])
  if (refused === null) return null
  if (refused.key === here.key || !(await hasSignedInFrom(deps, email, block))) throw tooManyAttempts(refused.waitMs)
  const refusedHere = await throttleAttempt(deps, ATTEMPT_WINDOW_MS, [here])
  if (refusedHere !== null) throw tooManyAttempts(refusedHere.waitMs)
  return tooManyAttempts(refused.waitMs)
}

function tooManyAttempts(waitMs: number): RateLimitedError {
  return new RateLimitedError('Too many sign-in attempts', waitMs)
}

async function hasSignedInFrom({ db }: Deps, email: string, block: string): Promise<boolean> {
  const rows = await db.sql(
    `SELECT 1 FROM sign_in_addresses known JOIN users ON users.id = known.user_id
      WHERE users.email = $1 AND known.address = $2`,
    [email, block],
  )
  return rows.length > 0
}

/** Remembers the latest addresses from which a person has signed in. */
export async function rememberAddress(tx: Tx, userId: string, origin: Origin | null, at: Date): Promise<void> {
  if (origin === null || origin.address === null) return
  const address = addressBlock(origin.address)
  await tx.db.$executeRaw`
    INSERT INTO sign_in_addresses (user_id, address, last_used_at) VALUES (${userId}, ${address}, ${at})
    ON CONFLICT (user_id, address) DO UPDATE SET last_used_at = excluded.last_used_at`
  await tx.db.$executeRaw`
    DELETE FROM sign_in_addresses WHERE user_id = ${userId} AND address IN (
      SELECT address FROM sign_in_addresses WHERE user_id = ${userId}
       ORDER BY last_used_at DESC, address OFFSET ${MAX_ADDRESSES}::int)`
}
