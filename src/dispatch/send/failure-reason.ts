import { errors } from 'undici'
import type { HttpResult } from '../delivery.ts'
import { InvalidResponse } from './response-head.ts'
import { RefusedTarget, ResponseTooLong } from './ssrf-guard.ts'

export const TOO_LONG = 'The answer is too long'

const UNRESOLVED = 'The host name could not be resolved'
const RESET = 'Connection reset'
const LATE = 'No answer within 5 seconds'
const NO_TLS = 'TLS: this port does not speak TLS: register an http:// URL, or the port that serves https'
const ISSUER =
  'TLS: the chain lacks an intermediate certificate, or the authority is not a public one: serve the whole chain'
const SELF_SIGNED = 'TLS: the certificate is self-signed: use one of a public authority'
const NO_VERSION = 'TLS: the receiver offers neither TLS 1.2 nor TLS 1.3'
const NO_CLIENT_CERTIFICATE = 'TLS: the receiver asks for a client certificate, and GudDesk has none'

/** What the codes of errors mean, and what the receiver's author can do. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: RESET,
  EPIPE: RESET,
  ECONNABORTED: RESET,
  ENOTFOUND: 'The host name does not resolve',
  ENODATA: 'The host name does not resolve',
  ETIMEOUT: UNRESOLVED,
  ESERVFAIL: UNRESOLVED,
  EREFUSED: UNRESOLVED,
  EBADNAME: UNRESOLVED,
  EBADRESP: UNRESOLVED,
  ETIMEDOUT: LATE,
  EHOSTUNREACH: 'Host unreachable',
  ENETUNREACH: 'Network unreachable',
  UND_ERR_SOCKET: 'The connection was closed before the answer was complete',
  UND_ERR_HEADERS_OVERFLOW: 'The answer has too many headers',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'The answer is not as long as its Content-Length says',
  UND_ERR_CONNECT_TIMEOUT: LATE,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_VERSION,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'TLS: the receiver accepts none of the ciphers, or asks for a client certificate',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'TLS: the receiver has no certificate for this host name',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
  ERR_SSL_DH_KEY_TOO_SMALL: 'TLS: the Diffie-Hellman key of the receiver is too weak: use 2,048 bits or more, or ECDHE',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate is not for this host name',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired: renew it',
  CERT_NOT_YET_VALID: 'TLS: the certificate is not valid yet: look at its dates and at the clock',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ISSUER,
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  INVALID_PURPOSE: 'TLS: the certificate is not for servers (extended key usage)',
  CERT_REVOKED: 'TLS: the certificate has been revoked',
}

/** OpenSSL's own words, where Node has no code of its own. */
const OPENSSL: [RegExp, string][] = [
  [/key too (weak|small)/i, 'TLS: the key of a certificate is too weak: use RSA with 2,048 bits or more, or P-256'],
  [
    /(digest|md) (algorithm )?too weak/i,
    'TLS: a certificate is signed with SHA-1 or MD5: have it issued anew with SHA-256',
  ],
  [/purpose/i, 'TLS: the certificate is not for servers (extended key usage)'],
  [/critical extension/i, 'TLS: the certificate has a critical extension that is not understood'],
]

/** What an error of a request means. Errors may be wrapped, or several at once (one per address that was tried). */
export function failure(error: unknown): HttpResult {
  for (const cause of causes(error)) {
    if (cause instanceof RefusedTarget) return { kind: 'refused', error: cause.message }
    if (cause instanceof ResponseTooLong) return { kind: 'failed', error: TOO_LONG }
    if (cause instanceof InvalidResponse) return { kind: 'failed', error: cause.message }
    const code = 'code' in cause ? String(cause.code) : ''
    const reason = REASONS[code] ?? OPENSSL.find(([words]) => words.test(cause.message))?.[1]
    if (reason !== undefined) return { kind: 'failed', error: reason }
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|UNABLE_TO|SELF_SIGNED|INVALID_CA|PATH_LENGTH)/.test(code)) {
      return { kind: 'failed', error: `TLS: ${code.toLowerCase().replaceAll('_', ' ')}` }
    }
    if (cause instanceof errors.HTTPParserError) return { kind: 'failed', error: 'The answer is not valid HTTP' }
  }
  return { kind: 'failed', error: `The request failed (${nameOf(error)})` }
}

/** Its code or class: the message may name an address of our own network. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error ? String(error.code) : error.name
}

function* causes(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return
  yield error
  if (error instanceof AggregateError) for (const inner of error.errors) yield* causes(inner)
  yield* causes(error.cause)
}
