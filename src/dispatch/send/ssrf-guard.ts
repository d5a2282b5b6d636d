import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type OnReadOpts, Socket } from 'node:net'
import { buildConnector } from 'undici'
import { resolveName } from '../../infra/net/resolve.ts'
import { howToOpen, isOpenHost, refuseAddress, refuseUrl, type TargetPolicy } from '../../infra/net/target-policy.ts'
import { ResponseHeads } from './response-head.ts'

/**
 * The target is not allowed. The message is for the tenant: it names the rule, never an internal address; in development,
 * also what the operator can set.
 */
export class RefusedTarget extends Error {
  override name = 'RefusedTarget'
}

/** The response exceeds the limit. */
export class ResponseTooLong extends Error {
  override name = 'ResponseTooLong'
}

const READ_BYTES = 16_384
/** Addresses of one name that are tried, one after the other. */
const MAX_ADDRESSES = 4
/** For one of several addresses; Node's 250 ms gives up receivers on the other side of the world. */
const ADDRESS_MS = 1000

/**
 * Checks what can be checked without a lookup, for every attempt: a kept connection is used again without the connector,
 * and Node does not look up literal addresses.
 * @throws RefusedTarget
 */
export function assertUrlAllowed(url: URL, policy: TargetPolicy): void {
  const reason = refuseUrl(url, policy)
  if (reason !== null) throw new RefusedTarget(`The URL ${reason}`)
}

/**
 * The lookup of every connection: it connects to the addresses that were checked. One refused address refuses the name,
 * whatever else it resolves to.
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
  /** Bytes that one exchange may bring, of whatever kind: a backstop behind the bounds on headers and body. */
  readonly maxResponseBytes: number
}

/**
 * Opens connections for undici. Only checked addresses are tried, and the one that was reached is checked again before a
 * byte of the request is written. Certificates are verified whatever NODE_TLS_REJECT_UNAUTHORIZED says.
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
 * One read of a plain socket brings 16 kB, not 64 kB, so that what is read beyond a bound is little. What TLS decrypts comes
 * in such pieces anyway.
 */
function smallReads(): OnReadOpts {
  return {
    // One for all sockets: what it holds is copied before the next read.
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(this: unknown, length, buffer) {
      return this instanceof Socket && this.push(Buffer.from(buffer.subarray(0, length)))
    },
  }
}

/**
 * Ends a connection that brings more than `max` bytes for one request: interim answers, chunk extensions and trailers
 * count for none of the parser's bounds. With one request at a time, whatever is written begins the next exchange. Mends the
 * heads of responses on their way to the parser.
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
    // The parser, which listens too, may end it for a better reason.
    if (seen - begun > max) process.nextTick(() => socket.destroy(new ResponseTooLong('The response is too long')))
  })
  const read = socket.read.bind(socket)
  // The parser takes what came by read() alone. Null also means that there is nothing yet.
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
