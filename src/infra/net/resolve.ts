import { Resolver } from 'node:dns/promises'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'

/**
 * All addresses of a name, IPv4 first.
 * @throws Error with a `code`: ENOTFOUND (the name does not exist), ETIMEOUT and others (the lookup failed)
 */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface ResolverOptions {
  /** Name servers, `host:port`; the system's by default. */
  readonly servers?: readonly string[]
  readonly hostsFile?: string
  /** Milliseconds for one name, including all attempts and both families. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 2000
/** The timeout of one attempt; the second has twice as long. */
const TRY_MS = 650
/**
 * The lifetime of a resolver, which reads the system's settings once: they change when a laptop changes its network.
 */
const RENEW_MS = 30_000
const HOSTS_CHECK_MS = 1000

/**
 * Resolves names like the system, but without getaddrinfo, which blocks one of four threads that files and cryptography
 * need, too, for up to half a minute per dead name server. /etc/hosts counts first, `localhost` is this machine (RFC
 * 6761), and then the name servers are asked for A and AAAA at the same time. Search domains are not applied.
 */
export function createResolver({
  servers,
  hostsFile = '/etc/hosts',
  timeoutMs = TIMEOUT_MS,
}: ResolverOptions = {}): Resolve {
  const hosts = hostsTable(hostsFile)
  /** Concurrent lookups of one name share a query; the result is not cached. */
  const asked = new Map<string, Promise<string[]>>()
  let resolver: Resolver | undefined
  let renewAt = 0

  function current(): Resolver {
    if (resolver === undefined || performance.now() > renewAt) {
      resolver = new Resolver({ timeout: TRY_MS, tries: 2 })
      if (servers !== undefined) resolver.setServers(servers)
      renewAt = performance.now() + RENEW_MS
    }
    return resolver
  }

  return async (hostname) => {
    const name = hostname.toLowerCase().replace(/\.$/, '')
    const listed = (await hosts()).get(name)
    if (listed !== undefined) return listed
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1']
    const running = asked.get(name) ?? ask(current(), name, timeoutMs).finally(() => asked.delete(name))
    asked.set(name, running)
    return running
  }
}

/** The resolver of the process. */
export const resolveName: Resolve = createResolver()

/** Waits for both families, so that each address is checked; a family that fails does not affect the other. */
async function ask(resolver: Resolver, name: string, timeoutMs: number): Promise<string[]> {
  const [v4, v6] = await Promise.all([
    bounded(resolver.resolve4(name), timeoutMs),
    bounded(resolver.resolve6(name), timeoutMs),
  ])
  const found = [...(Array.isArray(v4) ? v4 : []), ...(Array.isArray(v6) ? v6 : [])]
  if (found.length > 0) return found
  const failures = [v4, v6].flatMap((answer) => (Array.isArray(answer) ? [] : [answer]))
  // A name does not exist only if both families say so.
  throw failures.find(({ code }) => code !== 'ENOTFOUND' && code !== 'ENODATA') ?? notFound(name)
}

type Failure = Error & { code?: string }

/** The addresses, or the error. */
async function bounded(answer: Promise<string[]>, timeoutMs: number): Promise<string[] | Failure> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Failure>((done) => {
    timer = setTimeout(
      done,
      timeoutMs,
      Object.assign(new Error('the name servers did not answer'), { code: 'ETIMEOUT' }),
    )
  })
  const failed = (error: unknown): Failure => (error instanceof Error ? error : new Error(String(error)))
  return Promise.race([answer.catch(failed), late]).finally(() => clearTimeout(timer))
}

function notFound(name: string): Failure {
  return Object.assign(new Error(`${name} does not resolve`), { code: 'ENOTFOUND' })
}

type Hosts = ReadonlyMap<string, readonly string[]>

/** The hosts file by name, read again when it has changed; a missing file is empty. */
function hostsTable(path: string): () => Promise<Hosts> {
  let version = ''
  let table: Promise<Hosts> = Promise.resolve(new Map())
  let checkAt = 0

  async function refresh(last: Promise<Hosts>): Promise<Hosts> {
    const found = await stat(path).then(
      ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
      () => 'missing',
    )
    if (found === version) return last
    version = found
    return parseHosts(await readFile(path, 'utf8').catch(() => ''))
  }

  // Concurrent calls share one read.
  return () => {
    if (performance.now() >= checkAt) {
      checkAt = performance.now() + HOSTS_CHECK_MS
      table = refresh(table)
    }
    return table
  }
}

/** Parses lines of `address name…  # comment`; IPv4 first, like the resolver. */
export function parseHosts(text: string): Hosts {
  const table = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().toLowerCase().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) table.set(name, [...(table.get(name) ?? []), address])
  }
  for (const addresses of table.values()) addresses.sort((a, b) => isIP(a) - isIP(b))
  return table
}
