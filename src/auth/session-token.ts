import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Config } from '../infra/config.ts'
import { deriveKey, encryptionKey } from '../infra/secrets.ts'
import type { Headers } from './api-key.ts'

export const SESSION_DAYS = 30
const DAY_SECONDS = 86_400

/** How a deployment's session tokens look. */
export interface SessionTokens {
  /** The signing key. */
  readonly secret: string
  /** The one before, which verifies too, and never signs: while one encryption key takes the place of another. */
  readonly previousSecret: string | null
  /** Whether the cookie is for https only. */
  readonly isSecure: boolean
}

/** Sessions have a key of their own, which comes from the encryption key; https deployments get https cookies. */
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
 * The credential of a session: its token and an HMAC-SHA256 of it. What stands in the
 * database alone is worth nothing.
 */
export function signToken({ secret }: SessionTokens, token: string): string {
  return `${token}.${signatureOf(secret, token)}`
}

function signatureOf(secret: string, token: string): string {
  return createHmac('sha256', secret).update(token).digest('base64')
}

/** The session's token in a credential; null when the signature is not ours. `isCurrent`: it is by the present key. */
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

/** `__Host-`: browsers take such a cookie from this very host only, so that a neighbour's page cannot plant one. */
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

/** As cookies and clients may have it: with or without percent signs. */
export function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The Set-Cookie value that keeps a session for another 30 days, or ends it in the browser with null. */
export function setCookie(tokens: SessionTokens, credential: string | null): string {
  const [value, age] = credential === null ? ['', 0] : [encodeURIComponent(credential), SESSION_DAYS * DAY_SECONDS]
  const secure = tokens.isSecure ? '; Secure' : ''
  return `${cookieName(tokens)}=${value}; Max-Age=${age}; Path=/; HttpOnly${secure}; SameSite=Lax`
}
