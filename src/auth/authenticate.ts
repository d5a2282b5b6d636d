import type { Caller, Origin } from '../domain/actor.ts'
import type { Deps } from '../domain/deps.ts'
import { clientAddress } from '../infra/client-address.ts'
import { authenticateKey, type Headers, keyFromHeaders } from './api-key.ts'

/** What a transport knows of a request: its headers, or what stands in for them, and the address of its socket. */
export interface AuthRequest {
  readonly headers: Headers
  readonly address: string | undefined
}

/**
 * Who is calling.
 * @throws UnauthorizedError without a valid credential; ForbiddenError for the key of a disabled agent
 */
export type Authenticate = (request: AuthRequest) => Promise<Caller>

const MAX_USER_AGENT = 500

/** @param trustProxy how many proxies stand in front */
export function createAuthenticate(deps: Deps, { trustProxy }: { readonly trustProxy: number }): Authenticate {
  return (request) => authenticateKey(deps, keyFromHeaders(request.headers), originOf(request, trustProxy))
}

function originOf({ headers, address }: AuthRequest, trustProxy: number): Origin {
  const { 'user-agent': userAgent, 'x-forwarded-for': forwardedFor } = headers
  return {
    address: clientAddress(address, forwardedFor, trustProxy),
    userAgent: typeof userAgent === 'string' ? userAgent.slice(0, MAX_USER_AGENT) : null,
  }
}
