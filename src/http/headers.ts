/** Response headers by name. */
export type HeaderSet = Readonly<Record<string, string>>

const policy = (...rules: string[]) => rules.join('; ')

/**
 * For every answer. One that is no page must never act as one: nothing may run in it, frame it or guess its type.
 * @param isHttps browsers that came by https keep to it for a year
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

/** For the dashboard's pages: everything from this server, nothing inline. */
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

/** For pictures that others have made: shown on our own pages, and never run. */
export function pictureHeaders(): HeaderSet {
  return {
    'Cache-Control': 'private, max-age=86400, immutable',
    'Content-Security-Policy': policy("default-src 'none'", 'sandbox'),
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  }
}

/**
 * For a page of one form without scripts, whose address has a secret in it. Its origin alone is sent along: without that, the
 * form's POST could not be told from another site's.
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

/** For GraphiQL, which is one page with its scripts and styles in it. It exists where GRAPHQL_INTROSPECTION is on. */
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
