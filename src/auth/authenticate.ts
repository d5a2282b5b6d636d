import type { Caller, Origin } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { UnauthorizedError } from '../domain/shared/errors.ts'
import { clientAddress } from '../infra/net/client-address.ts'
import { authenticateKey, type Headers, keyFromHeaders } from './api-key.ts'
import type { AuthFailureThrottle } from './failure-throttle.ts'
import { type OwnOrigins, requireOwnOrigin } from './own-origin.ts'
import { authenticateSession } from './session.ts'
import { cookieCredential, decoded, type SessionTokens, verifyToken } from './session-token.ts'

/** What a transport knows of a request: its headers, or what stands in for them, and the address of its socket. */
export interface AuthRequest {
  readonly method: string | undefined
  readonly headers: Headers
  readonly address: string | undefined
}

export interface AuthSettings {
  /** How many proxies stand in front. */
  readonly trustProxy: number
  readonly tokens: SessionTokens
  readonly own: OwnOrigins
  readonly failures: AuthFailureThrottle
}

/** Tells who is calling. */
export interface Authenticator {
  /**
   * An API key, or a person who is signed in.
   * @throws UnauthorizedError without a valid credential; ForbiddenError for the key of a disabled agent, and for a
   *   cookie that another site's page has made a browser send; RateLimitedError after too many of them from one address
   */
  authenticate(request: AuthRequest): Promise<Caller>
  /** API keys alone. @throws UnauthorizedError, ForbiddenError, RateLimitedError */
  authenticateKey(request: Omit<AuthRequest, 'method'>): Promise<Caller>
  /** Where a request comes from, whoever sends it. */
  originOf(request: Omit<AuthRequest, 'method'>): Origin
}

const MAX_USER_AGENT = 500

export function createAuthenticator(deps: Deps, { trustProxy, tokens, own, failures }: AuthSettings): Authenticator {
  const originOf: Authenticator['originOf'] = ({ headers, address }) => {
    const { 'user-agent': userAgent, 'x-forwarded-for': forwardedFor } = headers
    return {
      address: clientAddress(address, forwardedFor, trustProxy),
      userAgent: typeof userAgent === 'string' ? userAgent.slice(0, MAX_USER_AGENT) : null,
    }
  }
  return {
    originOf,
    async authenticateKey(request) {
      const origin = originOf(request)
      const credential = keyFromHeaders(request.headers)
      return failures.guard({ ...origin, credential }, () => authenticateKey(deps, credential, origin))
    },
    async authenticate(request) {
      const origin = originOf(request)
      const key = keyFromHeaders(request.headers)
      if (key !== null && !isSessionCredential(key)) {
        return failures.guard({ ...origin, credential: key }, () => authenticateKey(deps, key, origin))
      }
      const credential = key === null ? cookieCredential(tokens, request.headers) : decoded(key)
      const isSigned = () => credential !== null && verifyToken(tokens, credential) !== null
      // Another site's page must not count as a failure of the session that its request brings along.
      if (key === null && credential !== null) requireOwnOrigin(own, request)
      return failures.guard({ ...origin, credential, isSigned }, async () => {
        if (credential === null) throw new UnauthorizedError(SIGN_IN)
        return authenticateSession(deps, tokens, credential, origin)
      })
    },
  }
}

const SIGN_IN = 'Sign in, or send a valid API key: "Authorization: Bearer gd_…" or "x-api-key: gd_…"'

/** A session's credential has a dot between token and signature, which no API key has. */
function isSessionCredential(key: string): boolean {
  return !key.startsWith('gd_') && key.includes('.')
}
