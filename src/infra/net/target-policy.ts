import { type AddressKind, isOpened, kindOfAddress, literalAddress, type Range, rangeOf } from './addresses.ts'
import type { Resolve } from './resolve.ts'

/** The rules for the targets of webhooks. */
export interface TargetPolicy {
  /**
   * Production: https only, and no ports of well-known internal services, except where the operator has opened a
   * target.
   */
  readonly requireHttps: boolean
  /** Development: http and https to loopback addresses of this machine. */
  readonly allowLoopback: boolean
  /** The public host of this deployment, which must not be its own receiver. */
  readonly ownHost?: string
  /**
   * Names that the operator has opened (WEBHOOK_ALLOWED_HOSTS): `agent.internal`, or `*.agents.internal` for all
   * subdomains.
   */
  readonly openHosts?: readonly string[]
  /** Address ranges that the operator has opened (WEBHOOK_ALLOWED_CIDRS). */
  readonly openRanges?: readonly Range[]
  /** Resolves names; the system's name servers and hosts file by default. */
  readonly resolve?: Resolve
}

/** Names that exist only in local networks, with all subdomains. */
const LOCAL_NAMES = ['local', 'internal', 'localdomain', 'home.arpa', 'lan', 'home', 'corp', 'intranet', 'private']

/**
 * Ports on which internal services listen and no webhook receiver does: remote shells, mail, directories, databases,
 * caches, queues, container and cluster control.
 */
const INTERNAL_PORTS = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531,
  532, 540, 548, 554, 556, 563, 587, 601, 623, 631, 636, 873, 989, 990, 993, 995, 1433, 1434, 1521, 1719, 1720, 1723,
  1883, 2049, 2181, 2375, 2376, 2377, 2379, 2380, 3128, 3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5432, 5433,
  5434, 5671, 5672, 5900, 5901, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
  6697, 7199, 7473, 7474, 7687, 8086, 8300, 8301, 8302, 8500, 8501, 8600, 9042, 9092, 9093, 9094, 9160, 9200, 9300,
  10080, 10250, 10255, 10256, 11211, 15672, 16379, 26257, 26379, 27017, 27018, 27019, 28015, 29015, 61616,
])

const AS_ADDRESS: Record<AddressKind, string> = {
  loopback: 'it is a loopback address',
  private: 'it is a private address',
  'link-local': 'it is a link-local address',
  metadata: 'it is the reserved address of a cloud metadata service',
  multicast: 'it is a reserved (multicast) address',
  reserved: 'it is a reserved address',
}

/**
 * The reason why webhooks must not be sent to an address; null when they can.
 * @param address a literal IPv4 or IPv6 address, without brackets
 * @param isOpenHost whether the operator has opened the name, with private and loopback addresses behind it. Metadata
 *   services and other link-local addresses stay refused: only a range opens them.
 */
export function refuseAddress(address: string, policy: TargetPolicy, isOpenHost = false): string | null {
  const kind = kindOfAddress(address, policy.openRanges)
  if (kind === null) return null
  if (kind === 'loopback' && policy.allowLoopback) return null
  if (isOpenHost && (kind === 'loopback' || kind === 'private')) return null
  return AS_ADDRESS[kind]
}

/**
 * The reason why webhooks must not be sent to a URL, by its text alone; null when they can: scheme, credentials, port,
 * name or literal address. `new URL` has normalized all spellings of an IPv4 address. refuseAddress checks the
 * addresses of a name, once they are known.
 * @returns the part of the message after the name of the field: "must start with https://"
 */
export function refuseUrl(url: URL, policy: TargetPolicy): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must start with https:// or http://'
  const literal = literalAddress(url.hostname)
  const isOpen = literal === null ? isOpenHost(url.hostname, policy) : isOpened(literal, policy.openRanges)
  if (policy.requireHttps && url.protocol !== 'https:' && !isOpen) return 'must start with https://'
  if (url.username !== '' || url.password !== '') return 'must not contain credentials; verify signatures instead'
  if (url.port === '0') return 'must not use port 0'
  const reason = literal === null ? refuseName(url.hostname, policy) : refuseLiteral(literal, policy)
  if (reason !== null) return `is refused: ${reason}`
  if (policy.requireHttps && isInternalPort(url) && !isOpen) {
    return `is refused: port ${url.port} belongs to an internal service; use 443 or another free one`
  }
  return null
}

function isInternalPort({ port }: URL): boolean {
  return port !== '' && INTERNAL_PORTS.has(Number(port))
}

function refuseLiteral(address: string, policy: TargetPolicy): string | null {
  const reason = refuseAddress(address, policy)
  return reason === null ? null : `${reason}${howToOpen(address, address, policy)}`
}

/**
 * The end of a refusal's message. In development, it tells the operator how to allow the target. In production, tenants
 * read the message, who cannot.
 * @param host the host of the URL, a name or an address
 * @param address the refused address of the host; null: the name itself is refused
 */
export function howToOpen(host: string, address: string | null, policy: TargetPolicy): string {
  if (policy.requireHttps) return ''
  const kind = address === null ? 'private' : kindOfAddress(address)
  const isLocal = kind === 'private' || kind === 'loopback'
  if (isLocal && literalAddress(host) === null) return `; to allow it, set WEBHOOK_ALLOWED_HOSTS=${bareName(host)}`
  if (address === null || !(isLocal || kind === 'link-local')) return ''
  return `; to allow it, set WEBHOOK_ALLOWED_CIDRS=${rangeOf(address)}`
}

/** A name without its final dot, which has no other meaning. */
function bareName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '')
}

/** Whether the operator has opened a name. */
export function isOpenHost(hostname: string, { openHosts = [] }: TargetPolicy): boolean {
  const name = bareName(hostname)
  return openHosts.some((open) => (open.startsWith('*.') ? name.endsWith(open.slice(1)) : name === open))
}

function refuseName(hostname: string, policy: TargetPolicy): string | null {
  const name = bareName(hostname)
  const labels = name.split('.')
  if (name.length > 253 || labels.some((label) => label === '' || label.length > 63)) {
    return 'its host is not a valid name'
  }
  if (isOpenHost(name, policy)) return null
  if (isBelow(name, 'localhost')) return policy.allowLoopback ? null : 'its host means this machine (loopback)'
  if (policy.ownHost !== undefined && name === bareName(policy.ownHost)) return 'its host is this deployment itself'
  const how = howToOpen(name, null, policy)
  if (labels.length === 1) return `its host is a private name: use one that the public DNS knows${how}`
  const local = LOCAL_NAMES.find((suffix) => isBelow(name, suffix))
  return local === undefined ? null : `its host is a private name: .${local} exists in local networks only${how}`
}

function isBelow(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`)
}
