import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type OnReadOpts, Socket } from 'node:net'
import { buildConnector } from 'undici'
import { resolveName } from '../../infra/net/resolve.ts'
import { howToOpen, isOpenHost, refuseAddress, refuseUrl, type TargetPolicy } from '../../infra/net/target-policy.ts'
import { ResponseHeads } from './response-head.ts'

/**
 * The target is not allowed. The message is for the tenant: it names the rule, but never an internal address; in
 * development, also the setting that allows the target.
 */
export class RefusedTarget extends Error {
  override name = 'RefusedTarget'
}

/** The response exceeds the limit. */
export class ResponseTooLong extends Error {
  override name = 'ResponseTooLong'
}

const READ_BYTES = 16_384
/** The maximum number of addresses of a name that are tried, one after the other. */
const MAX_ADDRESSES = 4
/** The time for one of several addresses; Node's 250 ms are too short for receivers on other continents. */
const ADDRESS_MS = 1000

/**
 * Checks the URL without a lookup, at every attempt: a kept connection is reused without the connector, and Node does
 * not look up literal addresses.
 * @throws RefusedTarget
 */
export function assertUrlAllowed(url: URL, policy: TargetPolicy): void {
  const reason = refuseUrl(url, policy)
  if (reason !== null) throw new RefusedTarget(`The URL ${reason}`)
}

/**
 * The lookup of every connection, which connects to the checked addresses. One refused address refuses the name,
 * regardless of its other addresses.
 */
export function guardedLookup(policy: TargetPolicy): LookupFunction {
  const { resolve = resolveName } = policy
  return (hostname, options, callback) => {
    const isOpen = isOpenHost(hostname, policy)
    resolve(hostname).then(
      (found) => {
        const refused = found.find((address) => refuseAddress(address, policy, isOpen) !== null)
        if (refused !== undefined) {
          const how = howToOpen(hostname, refused, policy)
          return callback(
            new RefusedTarget(`The host name resolves to a private, loopback or reserved address${how}`),
            [],
          )
        }
        const addresses = found
          .slice(0, MAX_ADDRESSES)
          .map((address): LookupAddress => ({ address, family: isIP(address) }))
        const [first] = addresses
        if (first === undefined) return callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), [])
        return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), []),
    )
  }
}

export interface ConnectorOptions {
  readonly timeoutMs: number
  /** The maximum size of one exchange in bytes, in addition to the limits of headers and body. */
  readonly maxResponseBytes: number
}

/**
 * Opens connections for undici. Only checked addresses are tried, and the connected address is checked again before the
 * request is written. Certificates are always verified, regardless of NODE_TLS_REJECT_UNAUTHORIZED.
 */
export function guardedConnector(policy: TargetPolicy, options: ConnectorOptions): buildConnector.connector {
  const secure = {
    lookup: guardedLookup(policy),
    timeout: options.timeoutMs,
    rejectUnauthorized: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
  }
  const connectors = { secure: buildConnector(secure), plain: buildConnector({ ...secure, onread: smallReads() }) }
  return (target, callback) => {
    const connect = target.protocol === 'https:' ? connectors.secure : connectors.plain
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null)
      const reached = socket.remoteAddress
      const isOpen = isOpenHost(target.hostname, policy)
      if (reached === undefined || refuseAddress(reached, policy, isOpen) !== null) {
        socket.destroy()
        const how = reached === undefined ? '' : howToOpen(target.hostname, reached, policy)
        return callback(new RefusedTarget(`The host name led to a private, loopback or reserved address${how}`), null)
      }
      limitResponses(socket, options.maxResponseBytes)
      return callback(null, socket)
    })
  }
}

/**
 * Plain sockets read 16 kB at a time instead of 64 kB, so that little is read beyond a limit. TLS decrypts such pieces
 * anyway.
 */
function smallReads(): OnReadOpts {
  return {
    // One for all sockets: its content is copied before the next read.
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(this: unknown, length, buffer) {
      return this instanceof Socket && this.push(Buffer.from(buffer.subarray(0, length)))
    },
  }
}

/**
 * Closes a connection that brings more than `max` bytes for one request: interim responses, chunk extensions and
 * trailers do not count for the parser's limits. Each write starts a new exchange, because there is one request at a
 * time. Normalizes the heads of responses before the parser reads them.
 */
function limitResponses(socket: Socket, max: number): void {
  let written = 0
  let begun = 0
  let seen = 0
  const heads = new ResponseHeads(max)
  socket.on('readable', () => {
    if (socket.bytesWritten !== written) {
      written = socket.bytesWritten
      begun = seen
      heads.begin()
    }
    seen = socket.bytesRead
    // The parser, which also listens, may end the request with a better reason.
    if (seen - begun > max) process.nextTick(() => socket.destroy(new ResponseTooLong('The response is too long')))
  })
  const read = socket.read.bind(socket)
  // The parser reads only with read(). Null also means that there is nothing yet.
  socket.read = () => {
    for (;;) {
      const chunk: Buffer | null = read()
      if (chunk === null) return null
      try {
        const passed = heads.read(chunk)
        if (passed !== null) return passed
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)))
        return null
      }
    }
  }
}
