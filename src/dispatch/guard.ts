import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { literalAddress, refuseAddress, type TargetPolicy } from '../infra/net.ts'

/** The target is not allowed. The message is for the tenant: it names the rule, never an internal address. */
export class RefusedTarget extends Error {
  override name = 'RefusedTarget'
}

/**
 * Judges what can be judged without a lookup; Node does not ask the lookup function about literal addresses.
 * @throws RefusedTarget
 */
export function guardUrl(url: URL, policy: TargetPolicy): void {
  if (policy.requireHttps && url.protocol !== 'https:') throw new RefusedTarget('The URL must start with https://')
  const literal = literalAddress(url)
  const reason = literal === null ? null : refuseAddress(literal, policy)
  if (reason !== null) throw new RefusedTarget(`The URL's address is refused: ${reason}`)
}

/**
 * The lookup of every connection: the addresses that were judged are the ones that are connected to. One refused
 * address refuses the name, whatever else it resolves to.
 */
export function guardedLookup(policy: TargetPolicy): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, [])
      if (addresses.some(({ address }) => refuseAddress(address, policy) !== null)) {
        return callback(new RefusedTarget('The name resolves to a private, loopback or reserved address'), [])
      }
      const [first] = addresses
      if (options.all === true || first === undefined) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
}
