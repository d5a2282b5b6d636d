import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Config } from '../infra/config.ts'
import { deriveKey, encryptionKey } from '../infra/secrets.ts'
import type { Headers } from './api-key.ts'

export const SESSION_DAYS = 30
const DAY_SECONDS = 86_400

/** The format of a deployment's session tokens. */
export interface SessionTokens {
  /** The signing key. */
  readonly secret: string
  /** The previous key, which only verifies, during the rotation of the encryption key. */
  readonly previousSecret: string | null
  /** Whether cookies are limited to https. */
  readonly isSecure: boolean
}

/** The keys are derived from the encryption key. Deployments with https get cookies for https. */
export function sessionTokens(
  config: Pick<Config, 'encryptionKey' | 'previousEncryptionKey' | 'dataDir' | 'publicUrl'>,
): SessionTokens {
  const { previousEncryptionKey: previous, publicUrl } = config
  return {
    secret: deriveKey(encryptionKey(config), 'sessions'),
    previousSecret: previous === undefined ? null : deriveKey(previous, 'sessions'),
    isSecure: publicUrl.startsWith('https:'),
  }
}

/**
 * The credential of a session: its token and an HMAC-SHA256 of it. The token in the database alone is not enough to
 * sign in.
 */
export function signToken({ secret }: SessionTokens, token: string): string {
  return `${token}.${signatureOf(secret, token)}`
}

function signatureOf(secret: string, token: string): string {
  return createHmac('sha256', secret).update(token).digest('base64')
}

/** The token in a credential; null for a wrong signature. `isCurrent`: it was signed with the current key. */
export function verifyToken(
  { secret, previousSecret }: SessionTokens,
  credential: string,
): { token: string; isCurrent: boolean } | null {
  const at = credential.indexOf('.')
  if (at < 1) return null
  const token = credential.slice(0, at)
  const given = Buffer.from(credential.slice(at + 1))
  if (isSignature(given, secret, token)) return { token, isCurrent: true }
  const isPrevious = previousSecret !== null && isSignature(given, previousSecret, token)
  return isPrevious ? { token, isCurrent: false } : null
}

function isSignature(given: Buffer, secret: string, token: string): boolean {
  const expected = Buffer.from(signatureOf(secret, token))
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** `__Host-`: browsers accept such a cookie only from this exact host, so that a neighbouring host cannot set one. */
export function cookieName({ isSecure }: SessionTokens): string {
  return `${isSecure ? '__Host-' : ''}guddesk.session_token`
}

/** The credential in the request's cookie; null without one. */
export function cookieCredential(tokens: SessionTokens, { cookie }: Headers): string | null {
  const name = `${cookieName(tokens)}=`
  const found = String(cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(name))
  return found === undefined ? null : decoded(found.slice(name.length))
}

/** The form in cookies and in clients: with or without percent-encoding. */
export function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The Set-Cookie value that keeps a session for another 30 days; null removes the cookie. */
export function setCookie(tokens: SessionTokens, credential: string | null): string {
  const [value, age] = credential === null ? ['', 0] : [encodeURIComponent(credential), SESSION_DAYS * DAY_SECONDS]
  const secure = tokens.isSecure ? '; Secure' : ''
  return `${cookieName(tokens)}=${value}; Max-Age=${age}; Path=/; HttpOnly${secure}; SameSite=Lax`
}
