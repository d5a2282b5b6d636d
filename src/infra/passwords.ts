import { availableParallelism } from 'node:os'
import { hashPassword as hash, verifyPassword as verify } from 'better-auth/crypto'
import pLimit from 'p-limit'

/** NIST SP 800-63B: a minimum length, and no rules about characters. */
export const PASSWORD_LENGTH = { min: 10, max: 128 } as const

/** A hash takes a core about 60 ms: half of the cores are left to other work. */
export const HASHES_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2))
/** Above this number of waiting hashes, new sign-ins are refused. */
export const MAX_WAITING_HASHES = 100

const turns = pLimit(HASHES_AT_ONCE)

/** Whether a new password would wait for seconds. */
export function isHashingBusy(): boolean {
  return turns.pendingCount >= MAX_WAITING_HASHES
}

/** scrypt with a salt, outside of the event loop; signing in checks against it. Do not call it in a transaction. */
export function hashPassword(password: string): Promise<string> {
  return turns(() => hash(password))
}

export function isPassword(stored: string, password: string): Promise<boolean> {
  return turns(() => verify({ hash: stored, password }))
}
