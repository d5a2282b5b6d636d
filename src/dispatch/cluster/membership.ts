import { randomUUID } from 'node:crypto'
import type { DbConnection, Statement } from '../store/connection.ts'
import { ownerOf } from './rendezvous-hash.ts'

/** How often a process sends a heartbeat. */
export const HEARTBEAT_MS = 1000
/** Heartbeats that a process may miss before the others remove it. */
const MISSED_HEARTBEAT_LIMIT = 12
/** The same when its backend has ended, and existed while this process was connected. */
const DISCONNECTED_HEARTBEAT_LIMIT = 2
/**
 * The same when its backend may have ended before: after a server has ended all connections, processes need time to
 * reconnect.
 */
const UNSEEN_HEARTBEAT_LIMIT = 3
/** No request starts later than this after the last heartbeat, so that it ends before others remove this process. */
const ACTIVE_MS = 5000
/** The same after a heartbeat with a backend, which can end unnoticed: less than two heartbeats. */
const ACTIVE_WITH_BACKEND_MS = 1900
/** After a slower heartbeat, the next one names no backend, because a slow database would use up the shorter time. */
const QUICK_MS = 500

interface Peer {
  readonly id: string
  /** A counter. */
  readonly heartbeat: string
  readonly isDraining: boolean
  /** Whether its backend exists; null: it named none, or the server has restarted since. */
  readonly isConnected: boolean | null
}

/** The observations of another process during the last heartbeats of this one. */
interface Observation {
  readonly heartbeat: string
  /** The number of this process's heartbeats without a heartbeat of the other. */
  readonly missed: number
  /** Whether it was connected at the same time as this process. */
  readonly wasConnected: boolean
}

/**
 * The dispatchers, and the owner of each endpoint.
 *
 * An endpoint belongs to one process at a time, which its row names. Therefore, order, the limit on requests in flight
 * and the circuit breaker need no agreement between processes, and deliveries are read without a lease. Each process
 * sends a heartbeat once a second, to its row of `dispatchers`. After twelve missed heartbeats, the others delete the
 * row. This releases its endpoints (a foreign key), and all later writes of that process are refused, because every
 * write of attempts locks the row. Processes count their own heartbeats instead of time, so that neither differing
 * clocks nor an outage of the database removes a living process.
 *
 * A killed process loses its connections at once, and PostgreSQL ends their backends. Therefore, each heartbeat names
 * its backend, and after the backend has ended, two missed heartbeats are enough. A living process can lose its
 * connection, too: it then starts no request until a heartbeat succeeds on a new one. The next owner of its endpoints
 * sends its requests in flight again, before later ones, so that requests start in order. The count starts again when a
 * process loses its own connection, which may have ended together with all others. Twelve heartbeats are needed
 * whenever there is no backend to observe: behind a pooler, while heartbeats are slow, after a restart of the server,
 * when a process is stopped, and when a machine or a network fails silently.
 *
 * Endpoints are distributed by rendezvous hashing (`ownerOf`).
 */
export class Membership {
  readonly #connection: DbConnection
  #id = randomUUID()
  #peers: readonly Peer[] = []
  /** The ids of the processes that can own endpoints: those that drain only if there are no others. */
  #owners: readonly string[] = []
  #observations = new Map<string, Observation>()
  #activeUntil = 0
  #isQuick = true

  constructor(connection: DbConnection) {
    this.#connection = connection
    connection.onLost(() => this.#connectionLost())
  }

  /** The id of this process; a new one after it was removed. */
  get id(): string {
    return this.#id
  }

  /** Whether requests can start: no other process can own this one's endpoints yet. */
  get isActive(): boolean {
    return performance.now() < this.#activeUntil
  }

  /** @param isAlone no other process can be running: all rows are of killed processes */
  async join(isAlone: boolean): Promise<void> {
    this.#id = randomUUID()
    if (isAlone) await this.#connection.run(CLEAR, [])
    await this.#connection.run(JOIN, [this.#id])
    await this.heartbeat(false)
  }

  /**
   * Sends a heartbeat, and removes processes that have missed too many.
   * @returns whether the members have changed; 'removed': others have removed this process
   */
  async heartbeat(isDraining: boolean): Promise<'same' | 'changed' | 'removed'> {
    const backend = this.#isQuick ? await this.#connection.backendPid() : null
    const began = performance.now()
    const until = began + (backend === null ? ACTIVE_MS : ACTIVE_WITH_BACKEND_MS)
    // Others can see this heartbeat even if its response is late or lost.
    this.#activeUntil = Math.min(this.#activeUntil, until)
    const rows = await this.#connection.run<Peer>(HEARTBEAT, [this.#id, isDraining, backend])
    this.#isQuick = performance.now() - began < QUICK_MS
    const isRemoved = !rows.some(({ id }) => id === this.#id)
    this.#activeUntil = isRemoved ? 0 : until
    if (isRemoved) return 'removed'
    const before = describe(this.#peers)
    this.#setPeers(rows)
    const gone = this.#observe(rows)
    for (const { id, heartbeat } of gone) await this.#connection.run(REMOVE, [id, heartbeat])
    if (gone.length > 0) this.#setPeers(rows.filter((peer) => !gone.includes(peer)))
    return describe(this.#peers) === before ? 'same' : 'changed'
  }

  #setPeers(peers: readonly Peer[]): void {
    const accepting = peers.filter(({ isDraining }) => !isDraining)
    this.#peers = peers
    this.#owners = (accepting.length > 0 ? accepting : peers).map(({ id }) => id)
  }

  #observe(rows: readonly Peer[]): Peer[] {
    const isFirst = this.#observations.size === 0
    const observations = new Map<string, Observation>()
    for (const { id, heartbeat, isConnected } of rows) {
      const before = this.#observations.get(id)
      const hasHeartbeat = before?.heartbeat !== heartbeat
      const wasConnected = isConnected === true || (hasHeartbeat ? !isFirst : before.wasConnected)
      observations.set(id, { heartbeat, missed: hasHeartbeat ? 0 : before.missed + 1, wasConnected })
    }
    this.#observations = observations
    return rows.filter((peer) => peer.id !== this.#id && isGone(peer, observations.get(peer.id)))
  }

  /**
   * The cause may have ended the connections of others, too, and the next heartbeat can come early: the count starts
   * again.
   */
  #connectionLost(): void {
    this.#activeUntil = 0
    this.#observations.clear()
  }

  /** Whether an endpoint should belong to this process. A draining process owns nothing while there are others. */
  owns(endpointId: string): boolean {
    return ownerOf(endpointId, this.#owners) === this.#id
  }

  /** Releases every endpoint. */
  async leave(): Promise<void> {
    this.#activeUntil = 0
    await this.#connection.run(LEAVE, [this.#id])
  }
}

function isGone({ isConnected }: Peer, observation: Observation | undefined): boolean {
  if (observation === undefined) return false
  if (isConnected !== false) return observation.missed >= MISSED_HEARTBEAT_LIMIT
  return observation.missed >= (observation.wasConnected ? DISCONNECTED_HEARTBEAT_LIMIT : UNSEEN_HEARTBEAT_LIMIT)
}

function describe(peers: readonly Peer[]): string {
  return peers.map(({ id, isDraining }) => `${id}${isDraining}`).join()
}

const JOIN: Statement = { name: 'dispatcher_join', text: 'INSERT INTO dispatchers (id) VALUES ($1)' }
const CLEAR: Statement = { name: 'dispatcher_clear', text: 'DELETE FROM dispatchers' }
const LEAVE: Statement = { name: 'dispatcher_leave', text: 'DELETE FROM dispatchers WHERE id = $1' }

/**
 * A statement does not see its own update: it returns the row of this process with its previous heartbeat. A backend
 * counts only if the handshake named the same one: a pooler's stays after its client has gone, and can end while the
 * client lives.
 */
const HEARTBEAT: Statement = {
  name: 'dispatcher_heartbeat',
  text: `WITH mine AS (
  UPDATE dispatchers SET beat = beat + 1, is_shedding = $2, backend = CASE WHEN pg_backend_pid() = $3::int THEN $3 END,
         server_started_at = pg_postmaster_start_time()
   WHERE id = $1 RETURNING id
)
SELECT d.id, d.beat::text AS heartbeat, CASE WHEN d.id = $1 THEN $2 ELSE d.is_shedding END AS "isDraining",
       CASE WHEN d.backend IS NOT NULL AND d.server_started_at = pg_postmaster_start_time()
            THEN EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = d.backend) END AS "isConnected"
  FROM dispatchers d WHERE d.id <> $1 OR EXISTS (SELECT FROM mine) ORDER BY d.id`,
}

/** Only if its heartbeat is still the observed one. */
const REMOVE: Statement = { name: 'dispatcher_remove', text: 'DELETE FROM dispatchers WHERE id = $1 AND beat = $2' }
