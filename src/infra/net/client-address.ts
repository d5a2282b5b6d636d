import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Where a request came from. Each trusted proxy has added the address that it saw to X-Forwarded-For; what stands
 * further left was sent by the client, who may write anything there.
 * @param socketAddress of the connection itself
 * @param trustProxy how many proxies stand in front
 * @returns an IP address in its usual spelling; null when none can be told
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | string[] | undefined,
  trustProxy: number,
): string | null {
  const seen = [...String(forwardedFor ?? '').split(','), socketAddress ?? '']
  return canonical((seen[Math.max(0, seen.length - 1 - trustProxy)] ?? '').trim()) ?? canonical(socketAddress ?? '')
}

/** IPv4 in IPv6 clothes is IPv4. */
function canonical(address: string): string | null {
  // Most of them, and ipaddr.js takes its time, most of all for what is no address.
  if (address === '' || isIPv4(address)) return address || null
  const [bare = ''] = address.split('%')
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : null
}

/** What one subscriber usually has: the address itself, or an IPv6 address's first 64 bits. */
export function addressBlock(address: string | null): string {
  if (address === null) return 'unknown'
  const parsed = ipaddr.parse(address)
  return parsed instanceof ipaddr.IPv6
    ? `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
    : address
}
