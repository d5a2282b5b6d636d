import { availableParallelism } from 'node:os'
import { hashPassword as hash, verifyPassword as verify } from 'better-auth/crypto'
import pLimit from 'p-limit'

/** NIST SP 800-63B: length counts, rules about characters do not. */
export const PASSWORD_LENGTH = { min: 10, max: 128 } as const

/** A hash keeps a core busy for some 60 ms: half of the cores are left to everything else. */
export const HASHES_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2))
/** While more than this wait for their turn, nobody should begin who can be asked to come again. */
export const MAX_WAITING_HASHES = 100

const turns = pLimit(HASHES_AT_ONCE)

/** Whether so many passwords wait to be hashed that it takes seconds. */
export function isHashingBusy(): boolean {
  return turns.pendingCount >= MAX_WAITING_HASHES
}

/** scrypt with a salt, off the event loop; what signing in checks against. Not inside a transaction. */
export function hashPassword(password: string): Promise<string> {
  return turns(() => hash(password))
}

export function isPassword(stored: string, password: string): Promise<boolean> {
  return turns(() => verify({ hash: stored, password }))
}
