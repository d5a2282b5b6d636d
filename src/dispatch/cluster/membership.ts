import { randomUUID } from 'node:crypto'
import type { DbConnection, Statement } from '../store/connection.ts'
import { ownerOf } from './rendezvous-hash.ts'

/** How often a process shows that it lives. */
export const HEARTBEAT_MS = 1000
/** Looks at a beat that stands still, until its process counts as gone. */
const MISSED_HEARTBEAT_LIMIT = 12
/** The same when the backend that it named is gone, and was there while this process was connected. */
const DISCONNECTED_HEARTBEAT_LIMIT = 2
/** The same when it may have been gone before: a server that ended everybody's connections gives time to come back. */
const UNSEEN_HEARTBEAT_LIMIT = 3
/** No request begins later than this after the last beat: it ends before others count this process as gone. */
const ACTIVE_MS = 5000
/** The same after a beat that named a backend, which may be gone without this process knowing: less than those two looks. */
const ACTIVE_WITH_BACKEND_MS = 1900
/** After a beat that took longer, the next names no backend: a slow database would use up the shorter time. */
const QUICK_MS = 500

interface Peer {
  readonly id: string
  readonly heartbeat: string
  readonly isDraining: boolean
  /** Whether the backend that it named is there; null: it named none, or one of a server that was started anew since. */
  readonly isConnected: boolean | null
}

interface Observation {
  readonly heartbeat: string
  /** How often the beat was this one before. */
  readonly missed: number
  /** Whether it had its connection at a time at which this process had its own. */
  readonly wasConnected: boolean
}

/**
 * Which processes send, and who of them sends to which endpoint.
 *
 * An endpoint belongs to one process at a time: its row names it. So order, the limit on requests in flight and the
 * breaker need no agreement between processes, and a delivery is read instead of leased. Each process beats once a
 * second in its row of `dispatchers`. When a beat has stood still during twelve looks, the others delete the row, which
 * takes the endpoints away with it (a foreign key), and refuses whatever that process records later: the row is locked
 * by every settlement. Looks are counted, not time: neither clocks that differ or step, nor a database that was away,
 * make a living process look dead.
 *
 * A process that is killed loses its connections at once, and PostgreSQL ends the backends at their other end. So each
 * beat names its backend, and once that is gone two looks are enough. A process that lives may lose its connection, too:
 * then it begins no request until a beat gets through on another one. What it has in flight is sent again by whoever gets
 * its endpoints, before what follows: starts stay in order. Looks begin anew when a process loses its own connection,
 * which may have ended with everybody's. Twelve looks it takes wherever no backend tells: behind a pooler, while beats are
 * slow, after a restart of the server, when a process is stopped, when a machine or a network goes without a word.
 *
 * Endpoints are shared out by rendezvous hashing: every process computes the same owner from the list of processes, and
 * one that comes or goes moves only its own share.
 */
export class Membership {
  readonly #connection: DbConnection
  #id = randomUUID()
  #peers: readonly Peer[] = []
  #observations = new Map<string, Observation>()
  #activeUntil = 0
  #isQuick = true

  constructor(connection: DbConnection) {
    this.#connection = connection
    connection.onLost(() => this.#connectionLost())
  }

  /** This process's name; another one after it was counted as gone. */
  get id(): string {
    return this.#id
  }

  /** Whether requests may begin: nobody else can have this process's endpoints yet. */
  get isActive(): boolean {
    return performance.now() < this.#activeUntil
  }

  /** @param isAlone no other process can be living: whatever stands in the list is a killed predecessor */
  async join(isAlone: boolean): Promise<void> {
    this.#id = randomUUID()
    if (isAlone) await this.#connection.run(CLEAR, [])
    await this.#connection.run(JOIN, [this.#id])
    await this.heartbeat(false)
  }

  /**
   * Shows that this process lives, and looks at the others.
   * @returns whether the members have changed; 'removed': others have removed this process
   */
  async heartbeat(isDraining: boolean): Promise<'same' | 'changed' | 'removed'> {
    const backend = this.#isQuick ? await this.#connection.backendPid() : null
    const began = performance.now()
    const until = began + (backend === null ? ACTIVE_MS : ACTIVE_WITH_BACKEND_MS)
    // Others may see this beat before its answer comes, or never comes.
    this.#activeUntil = Math.min(this.#activeUntil, until)
    const rows = await this.#connection.run<Peer>(HEARTBEAT, [this.#id, isDraining, backend])
    this.#isQuick = performance.now() - began < QUICK_MS
    const isRemoved = !rows.some(({ id }) => id === this.#id)
    this.#activeUntil = isRemoved ? 0 : until
    if (isRemoved) return 'removed'
    const before = describe(this.#peers)
    this.#peers = rows
    const gone = this.#observe(rows)
    for (const { id, heartbeat } of gone) await this.#connection.run(REMOVE, [id, heartbeat])
    if (gone.length > 0) this.#peers = rows.filter((peer) => !gone.includes(peer))
    return describe(this.#peers) === before ? 'same' : 'changed'
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

  /** The next beat may come early, and what ended this connection may have ended the others': it looks anew. */
  #connectionLost(): void {
    this.#activeUntil = 0
    this.#observations.clear()
  }

  /** Whether an endpoint falls to this process. Those that shed are passed over while there are others. */
  owns(endpointId: string): boolean {
    const accepting = this.#peers.filter(({ isDraining }) => !isDraining)
    const ids = (accepting.length > 0 ? accepting : this.#peers).map(({ id }) => id)
    return ownerOf(endpointId, ids) === this.#id
  }

  /** Gives every endpoint back. */
  async leave(): Promise<void> {
    this.#activeUntil = 0
    await this.#connection.run(LEAVE, [this.#id])
  }
}

function isGone({ isConnected }: Peer, look: Observation | undefined): boolean {
  if (look === undefined) return false
  if (isConnected !== false) return look.missed >= MISSED_HEARTBEAT_LIMIT
  return look.missed >= (look.wasConnected ? DISCONNECTED_HEARTBEAT_LIMIT : UNSEEN_HEARTBEAT_LIMIT)
}

function describe(peers: readonly Peer[]): string {
  return peers.map(({ id, isDraining }) => `${id}${isDraining}`).join()
}

const JOIN: Statement = { name: 'dispatcher_join', text: 'INSERT INTO dispatchers (id) VALUES ($1)' }
const CLEAR: Statement = { name: 'dispatcher_clear', text: 'DELETE FROM dispatchers' }
const LEAVE: Statement = { name: 'dispatcher_leave', text: 'DELETE FROM dispatchers WHERE id = $1' }

/**
 * The update shows in no part of the same statement: this process's own row has its beat from before. A backend counts
 * only if the handshake named the same one: a pooler's stays when its client is gone, and may go while that lives.
 */
const HEARTBEAT: Statement = {
  name: 'dispatcher_beat',
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

/** Only while its beat is still the one that stood still. */
const REMOVE: Statement = { name: 'dispatcher_remove', text: 'DELETE FROM dispatchers WHERE id = $1 AND beat = $2' }
