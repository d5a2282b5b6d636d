import { ForbiddenError } from '../domain/shared/errors.ts'
import type { Headers } from './api-key.ts'

/** Whose pages may use a signed-in person's cookie. */
export interface OwnOrigins {
  readonly origins: ReadonlySet<string>
  /** Development: also the origin that the request itself was sent to, whatever name this machine goes by. */
  readonly allowHost: boolean
}

/** A browser sends the cookie along whoever made it send the request, so the page that did must be one of ours. */
export interface BrowserRequest {
  readonly method: string | undefined
  readonly headers: Headers
}

/**
 * Refuses what another site's page may have made a browser send. Browsers name the page's origin in whatever can change
 * something and in WebSocket handshakes; programs that have no browser use a bearer token.
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
