import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Which addresses a deployment's webhooks may reach. */
export interface TargetPolicy {
  /** Production: https only. */
  readonly requireHttps: boolean
  /** Development: http and https to this machine's loopback. */
  readonly allowLoopback: boolean
}

/** Cloud metadata services on addresses that no special-purpose registry lists. */
const METADATA_ADDRESSES = new Set(['168.63.129.16'])

/**
 * Why webhooks must not be sent to an address, or null when they may.
 * Ranges: IANA special-purpose registries as ipaddr.js knows them; every IPv6 form that embeds an IPv4 address
 * (mapped, compatible, translated, NAT64, 6to4, Teredo) is refused with the rest of its range.
 * @param address a literal IPv4 or IPv6 address, without brackets
 */
export function refuseAddress(address: string, policy: TargetPolicy): string | null {
  const bare = address.split('%')[0] ?? address
  if (!ipaddr.isValid(bare)) return 'it is not a valid address'
  const parsed = ipaddr.process(bare)
  const range = parsed.range()
  if (range === 'loopback') return policy.allowLoopback ? null : 'it is a loopback address'
  if (METADATA_ADDRESSES.has(parsed.toString())) return 'it is a reserved address'
  if (range === 'unicast') return embedsIPv4(parsed) ? 'it is a reserved address' : null
  if (range === 'private' || range === 'uniqueLocal' || range === 'carrierGradeNat') return 'it is a private address'
  if (range === 'linkLocal') return 'it is a link-local address'
  return 'it is a reserved address'
}

/** `::a.b.c.d` (deprecated, RFC 4291 2.5.5.1) counts as plain unicast in ipaddr.js. */
function embedsIPv4(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0)
}

/** The literal address in a URL's host, or null when it is a name. `new URL` has already resolved odd spellings. */
export function literalAddress(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? null : host
}
