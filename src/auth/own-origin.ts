import { ForbiddenError } from '../domain/shared/errors.ts'
import type { Headers } from './api-key.ts'

/** The origins whose pages can use the cookie of a signed-in person. */
export interface OwnOrigins {
  readonly origins: ReadonlySet<string>
  /** Development: also allow the origin of the request's own host, under any name of this machine. */
  readonly allowHost: boolean
}

/** Browsers send the cookie with requests from any site, so the origin of the page must be checked. */
export interface BrowserRequest {
  readonly method: string | undefined
  readonly headers: Headers
}

/**
 * Refuses requests from pages of other sites. Browsers send the origin with every request that can change something,
 * and with WebSocket handshakes. Other programs use a bearer token.
 * @throws ForbiddenError
 */
export function requireOwnOrigin(own: OwnOrigins, request: BrowserRequest): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) {
    if (isOwn(own, String(origin), String(host ?? ''))) return
  } else if (site !== undefined) {
    if (site === 'same-origin' || (site === 'none' && isReading(request))) return
  } else if (isReading(request)) return
  throw new ForbiddenError(
    'A cookie is accepted only from pages of this deployment. Programs send "Authorization: Bearer …" instead; other ' +
      'origins are allowed by TRUSTED_ORIGINS',
  )
}

function isOwn({ origins, allowHost }: OwnOrigins, origin: string, host: string): boolean {
  if (origins.has(origin)) return true
  return allowHost && URL.canParse(origin) && new URL(origin).host === host
}

function isReading({ method, headers }: BrowserRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['upgrade'] === undefined
}
