import { Client } from 'undici'

/** A connection is not used for longer, so that a receiver that moved is found at its new address. */
const LIFE_MS = 60_000
/** What nobody needed for so long is closed. */
const IDLE_MS = 10_000
/** The same where the receiver may serve one connection at a time: whoever else wants to be served waits for that. */
const ALONE_IDLE_MS = 1000
const SWEEP_MS = 500

/** A connection to one origin, for one request at a time. It opens when it is used first. */
export interface HttpConnection {
  readonly client: Client
  readonly origin: string
  readonly madeAt: number
  usedAt: number
  /** A request on it has had its answer: the receiver may be closing it. */
  isUsed: boolean
  isConnected: boolean
}

/** What is known of one origin, as long as there is a connection to it. */
interface HostSlot {
  readonly open: Set<HttpConnection>
  /** Those without a request, the longest unused first. */
  readonly idle: HttpConnection[]
  /** Requests that wait on a new connection, as if the receiver were busy with another one. */
  starving: number
  /**
   * A connection had an answer while another one that had had one was open. A receiver of one thread that keeps connections
   * open cannot do that: it takes the next one when the last one is closed.
   */
  servesSeveral: boolean
}

/**
 * Keep-alive connections, by origin. The one that was given back last is taken first: few do the work, the others close.
 * (undici's own pool looks through all of an origin's connections at every request.)
 */
export class ConnectionPool {
  readonly #options: Client.Options
  readonly #origins = new Map<string, HostSlot>()
  readonly #sweeping: NodeJS.Timeout

  constructor(options: Client.Options) {
    this.#options = { ...options, pipelining: 1 }
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeping.unref()
  }

  /** One that is free; whoever takes it gives it back, or drops it. @throws Error for an origin that is none */
  acquire(origin: string): HttpConnection {
    const connection = this.#origins.get(origin)?.idle.pop() ?? this.#make(origin)
    if (performance.now() - connection.madeAt < LIFE_MS) return connection
    this.drop(connection)
    return this.#make(origin)
  }

  /** One that has served nothing yet. */
  fresh(origin: string): HttpConnection {
    return this.#make(origin)
  }

  /** Its request has ended, and its answer is complete. */
  release(connection: HttpConnection): void {
    const place = this.#origins.get(connection.origin)
    if (place?.open.has(connection) !== true) return
    connection.usedAt = performance.now()
    connection.isUsed = true
    place.servesSeveral ||= hasServedAnother(place, connection)
    if (place.starving > 0 && !place.servesSeveral) this.drop(connection)
    else place.idle.push(connection)
  }

  /** Nobody uses it any more: something may still be under way on it, which ends now. */
  drop(connection: HttpConnection): void {
    const place = this.#origins.get(connection.origin)
    if (place?.open.delete(connection) !== true) return
    if (place.open.size === 0 && place.starving === 0) this.#origins.delete(connection.origin)
    connection.client.destroy(new Error('dropped')).catch(() => undefined) // it is gone either way
  }

  /**
   * A request waits on a new connection. Should the receiver serve one at a time, it can do so when those without a request
   * are closed.
   * @returns ends it
   */
  starve(origin: string): () => void {
    const place = this.#originOf(origin)
    place.starving++
    if (!place.servesSeveral) for (const connection of place.idle.splice(0)) this.drop(connection)
    return () => {
      place.starving--
      if (place.open.size === 0 && place.starving === 0 && this.#origins.get(origin) === place)
        this.#origins.delete(origin)
    }
  }

  close(): void {
    clearInterval(this.#sweeping)
    for (const { open } of this.#origins.values()) for (const connection of open) this.drop(connection)
  }

  #originOf(origin: string): HostSlot {
    const known = this.#origins.get(origin)
    if (known !== undefined) return known
    const made: HostSlot = { open: new Set(), idle: [], starving: 0, servesSeveral: false }
    this.#origins.set(origin, made)
    return made
  }

  #make(origin: string): HttpConnection {
    const now = performance.now()
    const client = new Client(origin, this.#options)
    const connection: HttpConnection = { client, origin, madeAt: now, usedAt: now, isUsed: false, isConnected: false }
    // The client opens another socket by itself when the last one was closed: that one has served nothing.
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

function hasServedAnother({ open }: HostSlot, one: HttpConnection): boolean {
  for (const each of open) if (each !== one && each.isUsed && each.isConnected) return true
  return false
}
