/** Response headers by name. */
export type HeaderSet = Readonly<Record<string, string>>

const policy = (...rules: string[]) => rules.join('; ')

/**
 * Headers of every response. Responses that are not pages must never act as one: no scripts, no framing, no guessed
 * types.
 * @param isHttps browsers then use only https for a year
 */
export function answerHeaders(isHttps: boolean): HeaderSet {
  return {
    'Content-Security-Policy': policy("default-src 'none'", "frame-ancestors 'none'"),
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    ...(isHttps && { 'Strict-Transport-Security': 'max-age=31536000' }),
  }
}

const PAGE_HEADERS: HeaderSet = {
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

/** Headers of the dashboard: all resources come from this server, and nothing is inline. */
export function pageHeaders(): HeaderSet {
  return {
    ...PAGE_HEADERS,
    'Content-Security-Policy': policy(
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "font-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ),
  }
}

/** Headers of pictures from others: they can be shown, but never run. */
export function pictureHeaders(): HeaderSet {
  return {
    'Cache-Control': 'private, max-age=86400, immutable',
    'Content-Security-Policy': policy("default-src 'none'", 'sandbox'),
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  }
}

/**
 * Headers of a page with one form, no scripts, and a secret in its address. The form's POST sends only the origin,
 * which distinguishes it from requests of other sites.
 * @param styleHash SHA-256 of its one style element, in base64
 */
export function formPageHeaders(styleHash: string): HeaderSet {
  return {
    ...PAGE_HEADERS,
    'Referrer-Policy': 'strict-origin',
    'Content-Security-Policy': policy(
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      "img-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ),
  }
}

/** Headers of GraphiQL, a page with inline scripts and styles. It exists only with GRAPHQL_INTROSPECTION. */
export function graphiqlHeaders(): HeaderSet {
  return {
    ...PAGE_HEADERS,
    'Content-Security-Policy': policy(
      "default-src 'none'",
      "script-src 'self' 'unsafe-inline' blob:",
      "style-src 'self' 'unsafe-inline'",
      "font-src 'self' data:",
      "img-src 'self' data:",
      "connect-src 'self'",
      'worker-src blob:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ),
  }
}
