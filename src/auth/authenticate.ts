import type { Caller, Origin } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { UnauthorizedError } from '../domain/shared/errors.ts'
import { clientAddress } from '../infra/net/client-address.ts'
import { authenticateKey, type Headers, keyFromHeaders } from './api-key.ts'
import type { AuthFailureThrottle } from './failure-throttle.ts'
import { type OwnOrigins, requireOwnOrigin } from './own-origin.ts'
import { authenticateSession } from './session.ts'
import { cookieCredential, decoded, type SessionTokens, verifyToken } from './session-token.ts'

/**
 * The parts of a request that authentication needs: its headers, or their equivalent, and the address of its socket.
 */
export interface AuthRequest {
  readonly method: string | undefined
  readonly headers: Headers
  readonly address: string | undefined
}

export interface AuthSettings {
  /** The number of trusted proxies in front of the server. */
  readonly trustProxy: number
  readonly tokens: SessionTokens
  readonly own: OwnOrigins
  readonly failures: AuthFailureThrottle
}

/** Identifies callers. */
export interface Authenticator {
  /**
   * Accepts an API key, or the session of a signed-in person.
   * @throws UnauthorizedError without a valid credential; ForbiddenError for the key of a disabled agent, and for a
   *   cookie that a page of another site sent; RateLimitedError after too many failures from one address
   */
  authenticate(request: AuthRequest): Promise<Caller>
  /** Accepts only API keys. @throws UnauthorizedError, ForbiddenError, RateLimitedError */
  authenticateKey(request: Omit<AuthRequest, 'method'>): Promise<Caller>
  /** The origin of a request, without authentication. */
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
      // A request from another site's page must not count as a failure of the session in its cookie.
      if (key === null && credential !== null) requireOwnOrigin(own, request)
      return failures.guard({ ...origin, credential, isSigned }, async () => {
        if (credential === null) throw new UnauthorizedError(SIGN_IN)
        return authenticateSession(deps, tokens, credential, origin)
      })
    },
  }
}

const SIGN_IN = 'Sign in, or send a valid API key: "Authorization: Bearer gd_…" or "x-api-key: gd_…"'

/** A session's credential has a dot between token and signature; API keys contain no dot. */
function isSessionCredential(key: string): boolean {
  return !key.startsWith('gd_') && key.includes('.')
}
