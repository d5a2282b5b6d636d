import { hashPassword as hash, verifyPassword as verify } from 'better-auth/crypto'

/** NIST SP 800-63B: length counts, rules about characters do not. */
export const PASSWORD_LENGTH = { min: 10, max: 128 } as const

/** scrypt with a salt, some 60 ms off the event loop; what signing in checks against. Not inside a transaction. */
export function hashPassword(password: string): Promise<string> {
  return hash(password)
}

export function isPassword(stored: string, password: string): Promise<boolean> {
  return verify({ hash: stored, password })
}
