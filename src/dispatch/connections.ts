import { Client } from 'undici'

/** A connection is not used for longer, so that a receiver that moved is found at its new address. */
const LIFE_MS = 60_000
/** What nobody needed for so long is closed. */
const IDLE_MS = 10_000
const SWEEP_MS = 1000

/** A connection to one origin, for one request at a time. It opens when it is used first. */
export interface Connection {
  readonly client: Client
  readonly origin: string
  readonly madeAt: number
  usedAt: number
  /** A request on it has had its answer: the receiver may be closing it. */
  isUsed: boolean
}

/**
 * Keep-alive connections, by origin. The one that was given back last is taken first: few do the work, the others close.
 * (undici's own pool looks through all of an origin's connections at every request.)
 */
export class Connections {
  readonly #options: Client.Options
  /** Those without a request, the longest unused first. */
  readonly #idle = new Map<string, Connection[]>()
  readonly #open = new Set<Connection>()
  readonly #sweeping: NodeJS.Timeout

  constructor(options: Client.Options) {
    this.#options = { ...options, pipelining: 1 }
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#sweeping.unref()
  }

  /** One that is free; whoever takes it gives it back, or drops it. @throws Error for an origin that is none */
  take(origin: string): Connection {
    const connection = this.#idle.get(origin)?.pop() ?? this.#make(origin)
    if (performance.now() - connection.madeAt < LIFE_MS) return connection
    this.drop(connection)
    return this.#make(origin)
  }

  /** One that has served nothing yet. */
  fresh(origin: string): Connection {
    return this.#make(origin)
  }

  /** Its request has ended, and its answer is complete. */
  giveBack(connection: Connection): void {
    if (!this.#open.has(connection)) return
    connection.usedAt = performance.now()
    connection.isUsed = true
    const line = this.#idle.get(connection.origin)
    if (line === undefined) this.#idle.set(connection.origin, [connection])
    else line.push(connection)
  }

  /** Nobody uses it any more: something may still be under way on it, which ends now. */
  drop(connection: Connection): void {
    if (!this.#open.delete(connection)) return
    connection.client.destroy(new Error('dropped')).catch(() => undefined) // it is gone either way
  }

  close(): void {
    clearInterval(this.#sweeping)
    this.#idle.clear()
    for (const connection of this.#open) this.drop(connection)
  }

  #make(origin: string): Connection {
    const now = performance.now()
    const client = new Client(origin, this.#options)
    const connection = { client, origin, madeAt: now, usedAt: now, isUsed: false }
    // The client opens another socket by itself when the last one was closed: that one has served nothing.
    client.on('connect', () => {
      connection.isUsed = false
    })
    this.#open.add(connection)
    return connection
  }

  #sweep(): void {
    const usedBefore = performance.now() - IDLE_MS
    for (const [origin, line] of this.#idle) {
      const isUsed = line.findIndex(({ usedAt }) => usedAt > usedBefore)
      for (const connection of line.splice(0, isUsed === -1 ? line.length : isUsed)) this.drop(connection)
      if (line.length === 0) this.#idle.delete(origin)
    }
  }
}
