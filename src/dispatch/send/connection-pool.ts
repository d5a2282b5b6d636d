import { Client } from 'undici'

/** The maximum age of a connection, so that the new address of a receiver is found. */
const LIFE_MS = 60_000
/** A connection that is idle for this long is closed. */
const IDLE_MS = 10_000
/** The same for a receiver that may serve one connection at a time: its other clients wait. */
const ALONE_IDLE_MS = 1000
const SWEEP_MS = 500

/** A connection to one origin, for one request at a time. It opens on first use. */
export interface HttpConnection {
  readonly client: Client
  readonly origin: string
  readonly madeAt: number
  usedAt: number
  /** Whether a request on it has had a response: the receiver may close it. */
  isUsed: boolean
  isConnected: boolean
}

/** The state of one origin, as long as it has a connection. */
interface OriginPool {
  readonly open: Set<HttpConnection>
  /** Idle connections, the longest unused first. */
  readonly idle: HttpConnection[]
  /** The number of requests that wait on a new connection, as if the receiver were busy with another one. */
  starving: number
  /**
   * Whether a connection had a response while another one with a response was open. A single-threaded receiver that
   * keeps connections open cannot do that: it serves the next one when the last one is closed.
   */
  servesSeveral: boolean
}

/**
 * Keep-alive connections, by origin. The last returned connection is used first, so that few are used and the others
 * close. (undici's own pool scans all connections of an origin at every request.)
 */
export class ConnectionPool {
  readonly #options: Client.Options
  readonly #origins = new Map<string, OriginPool>()
  readonly #sweeping: NodeJS.Timeout

  constructor(options: Client.Options) {
    this.#options = { ...options, pipelining: 1 }
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeping.unref()
  }

  /** An idle connection, to be released or dropped. @throws Error for an invalid origin */
  acquire(origin: string): HttpConnection {
    const connection = this.#origins.get(origin)?.idle.pop() ?? this.#make(origin)
    if (performance.now() - connection.madeAt < LIFE_MS) return connection
    this.drop(connection)
    return this.#make(origin)
  }

  /** A new connection. */
  create(origin: string): HttpConnection {
    return this.#make(origin)
  }

  /** Returns a connection after a complete response. */
  release(connection: HttpConnection): void {
    const pool = this.#origins.get(connection.origin)
    if (pool?.open.has(connection) !== true) return
    connection.usedAt = performance.now()
    connection.isUsed = true
    pool.servesSeveral ||= hasServedAnother(pool, connection)
    if (pool.starving > 0 && !pool.servesSeveral) this.drop(connection)
    else pool.idle.push(connection)
  }

  /** Closes a connection, and ends its request in flight. */
  drop(connection: HttpConnection): void {
    const pool = this.#origins.get(connection.origin)
    if (pool?.open.delete(connection) !== true) return
    if (pool.open.size === 0 && pool.starving === 0) this.#origins.delete(connection.origin)
    connection.client.destroy(new Error('dropped')).catch(() => undefined) // it is gone either way
  }

  /**
   * A request waits on a new connection. Closing the idle ones lets a single-threaded receiver serve it.
   * @returns ends the waiting
   */
  startStarving(origin: string): () => void {
    const pool = this.#originOf(origin)
    pool.starving++
    if (!pool.servesSeveral) for (const connection of pool.idle.splice(0)) this.drop(connection)
    return () => {
      pool.starving--
      if (pool.open.size === 0 && pool.starving === 0 && this.#origins.get(origin) === pool)
        this.#origins.delete(origin)
    }
  }

  close(): void {
    clearInterval(this.#sweeping)
    for (const { open } of this.#origins.values()) for (const connection of open) this.drop(connection)
  }

  #originOf(origin: string): OriginPool {
    const known = this.#origins.get(origin)
    if (known !== undefined) return known
    const made: OriginPool = { open: new Set(), idle: [], starving: 0, servesSeveral: false }
    this.#origins.set(origin, made)
    return made
  }

  #make(origin: string): HttpConnection {
    const now = performance.now()
    const client = new Client(origin, this.#options)
    const connection: HttpConnection = { client, origin, madeAt: now, usedAt: now, isUsed: false, isConnected: false }
    // The client opens another socket automatically after the last one was closed: the new one has served nothing.
    client.on('connect', () => {
      connection.isConnected = true
      connection.isUsed = false
    })
    client.on('disconnect', () => {
      connection.isConnected = false
    })
    this.#originOf(origin).open.add(connection)
    return connection
  }

  #sweep(): void {
    const now = performance.now()
    for (const { idle, servesSeveral } of this.#origins.values()) {
      const usedBefore = now - (servesSeveral ? IDLE_MS : ALONE_IDLE_MS)
      const isUsed = idle.findIndex(({ usedAt }) => usedAt > usedBefore)
      for (const connection of idle.splice(0, isUsed === -1 ? idle.length : isUsed)) this.drop(connection)
    }
  }
}

function hasServedAnother({ open }: OriginPool, one: HttpConnection): boolean {
  for (const each of open) if (each !== one && each.isUsed && each.isConnected) return true
  return false
}
