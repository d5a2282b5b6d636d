import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The kinds of addresses that webhooks must not reach, as in messages. */
export type AddressKind = 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'reserved'

type Address = ipaddr.IPv4 | ipaddr.IPv6
export type Range = [Address, number]

/**
 * The IANA IPv4 Special-Purpose Address Registry, multicast, and the metadata services outside of it. Entries that the
 * registry calls globally reachable (AS112, AMT, protocol anycast) are included: no webhook lives there. The first
 * match counts.
 */
const IPV4: readonly [cidr: string, kind: AddressKind][] = [
  ['168.63.129.16/32', 'metadata'], // Azure, on an ordinary public address
  ['100.100.100.200/32', 'metadata'], // Alibaba Cloud
  ['169.254.169.254/32', 'metadata'], // nearly all others
  ['0.0.0.0/8', 'reserved'], // "this network"; connecting to 0.0.0.0 reaches this machine
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'], // carrier-grade NAT
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'], // IETF protocol assignments
  ['192.0.2.0/24', 'reserved'], // documentation
  ['192.31.196.0/24', 'reserved'], // AS112
  ['192.52.193.0/24', 'reserved'], // AMT
  ['192.88.99.0/24', 'reserved'], // 6to4 relays
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'reserved'], // AS112
  ['198.18.0.0/15', 'reserved'], // benchmarks
  ['198.51.100.0/24', 'reserved'], // documentation
  ['203.0.113.0/24', 'reserved'], // documentation
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'], // and the broadcast address
]

/**
 * In IPv6, only 2000::/3 is assigned at all, so everything else is refused without a name (NAT64, discard, segment
 * routing, the IPv4-compatible and -translated forms). The first match counts.
 */
const IPV6: readonly [cidr: string, kind: AddressKind][] = [
  ['::1/128', 'loopback'],
  ['fd00:ec2::254/128', 'metadata'], // AWS
  ['fd20:ce::254/128', 'metadata'], // Google Cloud
  ['fc00::/7', 'private'],
  ['fec0::/10', 'private'], // site-local, deprecated
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'reserved'], // IETF protocol assignments: Teredo, benchmarks, ORCHID, …
  ['2001:db8::/32', 'reserved'], // documentation
  ['2002::/16', 'reserved'], // 6to4: an IPv4 address inside
  ['2620:4f:8000::/48', 'reserved'], // AS112
  ['3ffe::/16', 'reserved'], // 6bone, given back
  ['3fff::/20', 'reserved'], // documentation
]

const parseTable = (table: readonly [string, AddressKind][]) =>
  table.map(([cidr, kind]): { range: Range; kind: AddressKind } => ({ range: parseRange(cidr), kind }))
const V4 = parseTable(IPV4)
const V6 = parseTable(IPV6)
const GIVEN_OUT = parseRange('2000::/3')
const NAT64 = parseRange('64:ff9b::/96')

/** @throws Error when it is not an address and a prefix length */
export function parseRange(cidr: string): Range {
  return ipaddr.parseCIDR(cidr)
}

/** The literal address in the host of a `URL`, without brackets; null for a name. */
export function literalAddress(hostname: string): string | null {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? null : host
}

/**
 * The kind of a non-public address; null for a public one.
 * @param text a literal address, without brackets; other texts count as reserved
 * @param opened ranges that count as public. A range that covers a NAT64 address allows the form, and the IPv4 address
 *   inside is checked separately: a host behind NAT64 can reach only public targets.
 */
export function kindOfAddress(text: string, opened: readonly Range[] = []): AddressKind | null {
  const bare = text.split('%')[0] ?? text
  if (isIP(bare) === 0) return 'reserved'
  const address = ipaddr.process(bare) // an IPv4-mapped address is the IPv4 address: that is what is connected to
  if (opened.some((range) => isWithin(address, range))) {
    return isWithin(address, NAT64) ? kindOfAddress(embeddedIPv4(address), opened) : null
  }
  const found = (address.kind() === 'ipv4' ? V4 : V6).find(({ range }) => isWithin(address, range))
  if (found !== undefined) return found.kind
  if (address.kind() === 'ipv4') return null
  return isWithin(address, GIVEN_OUT) && !isIsatap(address) ? null : 'reserved'
}

/**
 * Whether a non-public address counts as public because of an opened range. Within NAT64, the IPv4 address inside
 * counts.
 */
export function isOpened(text: string, opened: readonly Range[] = []): boolean {
  if (isIP(text) === 0) return false
  const address = ipaddr.process(text)
  if (!opened.some((range) => isWithin(address, range))) return false
  return isWithin(address, NAT64) ? isOpened(embeddedIPv4(address), opened) : kindOfAddress(text) !== null
}

/** The range of a single address, as an operator writes it. */
export function rangeOf(text: string): string {
  const address = ipaddr.process(text.split('%')[0] ?? text)
  return `${address.toString()}/${address.kind() === 'ipv4' ? 32 : 128}`
}

function isWithin(address: Address, [range, bits]: Range): boolean {
  return address.kind() === range.kind() && address.match(range, bits)
}

/** The last 32 bits, dotted. */
function embeddedIPv4(address: Address): string {
  return address.toByteArray().slice(-4).join('.')
}

/** RFC 5214: an interface identifier of 0000:5efe or 0200:5efe and an IPv4 address, behind any prefix. */
function isIsatap(address: Address): boolean {
  const bytes = address.toByteArray()
  return ((bytes[8] ?? 0) & 0xfc) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
}
