import { errors } from 'undici'
import type { HttpResult } from '../delivery.ts'
import { HEADERS_TOO_LARGE, InvalidResponse } from './response-head.ts'
import { RefusedTarget, ResponseTooLong } from './ssrf-guard.ts'

export const TOO_LONG = 'The response is longer than 64 kB'

const NOT_FOR_SERVERS = 'TLS: the certificate is not valid for servers: its extended key usage must include serverAuth'
const UNRESOLVED = 'The host name could not be resolved: check its DNS servers'
const RESET = 'The receiver reset the connection'
const NO_CONNECTION = 'No connection within 5 seconds: check the host, the port and the firewall'
const NO_TLS = 'TLS: the port does not serve TLS: register an http:// URL or the https port'
const ISSUER =
  'TLS: an intermediate certificate is missing, or the certificate authority is not public: serve the full chain'
const SELF_SIGNED = 'TLS: the certificate is self-signed: use a certificate from a public authority'
const NO_VERSION = 'TLS: the receiver supports neither TLS 1.2 nor TLS 1.3: enable one of them'
const NO_CLIENT_CERTIFICATE = 'TLS: the receiver requires a client certificate, which GudDesk does not send'

/** The cause for each error code, and what the receiver's author can do. Shown in the delivery log. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'The connection was refused: check that the receiver is running and that the port is right',
  ECONNRESET: RESET,
  EPIPE: RESET,
  ECONNABORTED: RESET,
  ENOTFOUND: 'The host name does not resolve: check the URL and the DNS records',
  ENODATA: 'The host name does not resolve: check the URL and the DNS records',
  ETIMEOUT: UNRESOLVED,
  ESERVFAIL: UNRESOLVED,
  EREFUSED: UNRESOLVED,
  EBADNAME: UNRESOLVED,
  EBADRESP: UNRESOLVED,
  ETIMEDOUT: NO_CONNECTION,
  EHOSTUNREACH: 'The host is unreachable',
  ENETUNREACH: 'The network is unreachable',
  UND_ERR_SOCKET: 'The receiver closed the connection before the response was complete',
  UND_ERR_HEADERS_OVERFLOW: HEADERS_TOO_LARGE,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'The response body and its Content-Length header have different lengths',
  UND_ERR_CONNECT_TIMEOUT: NO_CONNECTION,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_VERSION,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'TLS: the receiver accepts no cipher that GudDesk supports, or requires a client certificate',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'TLS: the receiver has no certificate for this host name',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
  ERR_SSL_DH_KEY_TOO_SMALL: 'TLS: the Diffie-Hellman key is too weak: use ECDHE, or 2,048 bits or more',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate does not cover this host name',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired: renew it',
  CERT_NOT_YET_VALID: 'TLS: the certificate is not valid yet: check its dates',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ISSUER,
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  INVALID_PURPOSE: NOT_FOR_SERVERS,
  CERT_REVOKED: 'TLS: the certificate has been revoked: replace it',
}

/** Messages of OpenSSL for which Node has no error code. */
const OPENSSL: [RegExp, string][] = [
  [/key too (weak|small)/i, 'TLS: the key of a certificate is too weak: use P-256, or RSA with 2,048 bits or more'],
  [/(digest|md) (algorithm )?too weak/i, 'TLS: a certificate is signed with SHA-1 or MD5: reissue it with SHA-256'],
  [/purpose/i, NOT_FOR_SERVERS],
  [/critical extension/i, 'TLS: the certificate has an unsupported critical extension'],
]

/** The result of a request that ended with an error. Errors can be wrapped or aggregated (one for each address tried). */
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
    if (cause instanceof errors.HTTPParserError) return { kind: 'failed', error: 'The response is not valid HTTP' }
  }
  return { kind: 'failed', error: `The request failed (${nameOf(error)})` }
}

/** The code or class of an error. Its message could reveal an address of our own network. */
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
