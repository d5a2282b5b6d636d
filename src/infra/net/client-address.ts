import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The client's address. Each trusted proxy adds the address that it saw to X-Forwarded-For; the client can write
 * anything to the left of these.
 * @param socketAddress the address of the connection itself
 * @param trustProxy the number of trusted proxies
 * @returns an IP address in canonical form; null if unknown
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | string[] | undefined,
  trustProxy: number,
): string | null {
  const seen = [...String(forwardedFor ?? '').split(','), socketAddress ?? '']
  return canonical((seen[Math.max(0, seen.length - 1 - trustProxy)] ?? '').trim()) ?? canonical(socketAddress ?? '')
}

/** Converts an IPv4-mapped IPv6 address to IPv4. */
function canonical(address: string): string | null {
  // A fast path: ipaddr.js is slow, especially for texts that are no address.
  if (address === '' || isIPv4(address)) return address || null
  const [bare = ''] = address.split('%')
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null
}

/** The address block of one subscriber: the IPv4 address itself, or the first 64 bits of an IPv6 address. */
export function addressBlock(address: string | null): string {
  if (address === null) return 'unknown'
  const parsed = ipaddr.parse(address)
  return parsed instanceof ipaddr.IPv6
    ? `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
    : address
}
