import { randomUUID } from 'node:crypto'
import type { Session, Statement } from './session.ts'

/** How often a process shows that it lives. */
export const BEAT_MS = 1000
/** Looks at a beat that stands still, until its process counts as gone. */
const STALE_LOOKS = 12
/** No request begins later than this after the last beat: it ends before others count this process as gone. */
const TRUSTED_MS = 5000

interface Peer {
  readonly id: string
  readonly beat: string
  readonly isShedding: boolean
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
 * Endpoints are shared out by rendezvous hashing: every process computes the same owner from the list of processes, and
 * one that comes or goes moves only its own share.
 */
export class Roster {
  readonly #session: Session
  #id = randomUUID()
  #peers: readonly Peer[] = []
  #looks = new Map<string, { beat: string; count: number }>()
  #trustedUntil = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** This process's name; another one after it was counted as gone. */
  get id(): string {
    return this.#id
  }

  /** Whether requests may begin: others cannot believe this process gone before they would end. */
  get isTrusted(): boolean {
    return performance.now() < this.#trustedUntil
  }

  /** @param isAlone no other process can be living: whatever stands in the list is a killed predecessor */
  async join(isAlone: boolean): Promise<void> {
    this.#id = randomUUID()
    if (isAlone) await this.#session.run(CLEAR, [])
    await this.#session.run(JOIN, [this.#id])
    await this.beat(false)
  }

  /**
   * Shows that this process lives, and looks at the others.
   * @returns whether the others are not the same as before; 'lost' when they have counted this process as gone
   */
  async beat(isShedding: boolean): Promise<'same' | 'changed' | 'lost'> {
    const began = performance.now()
    const rows = await this.#session.run<Peer>(BEAT, [this.#id, isShedding])
    if (!rows.some(({ id }) => id === this.#id)) return 'lost'
    this.#trustedUntil = began + TRUSTED_MS
    const before = describe(this.#peers)
    this.#peers = rows
    const gone = this.#lookAt(rows)
    for (const { id, beat } of gone) await this.#session.run(REMOVE, [id, beat])
    if (gone.length > 0) this.#peers = rows.filter((peer) => !gone.includes(peer))
    return describe(this.#peers) === before ? 'same' : 'changed'
  }

  #lookAt(rows: readonly Peer[]): Peer[] {
    const looks = new Map<string, { beat: string; count: number }>()
    for (const { id, beat } of rows) {
      const before = this.#looks.get(id)
      looks.set(id, { beat, count: before?.beat === beat ? before.count + 1 : 0 })
    }
    this.#looks = looks
    return rows.filter(({ id }) => id !== this.#id && (looks.get(id)?.count ?? 0) >= STALE_LOOKS)
  }

  /** Whether an endpoint falls to this process. Those that shed are passed over while there are others. */
  isMine(endpointId: string): boolean {
    const able = this.#peers.filter(({ isShedding }) => !isShedding)
    let [owner, highest] = ['', -1]
    for (const { id } of able.length > 0 ? able : this.#peers) {
      const score = hash(id + endpointId)
      if (score > highest) [owner, highest] = [id, score]
    }
    return owner === this.#id
  }

  /** Gives every endpoint back. */
  async leave(): Promise<void> {
    this.#trustedUntil = 0
    await this.#session.run(LEAVE, [this.#id])
  }
}

function describe(peers: readonly Peer[]): string {
  return peers.map(({ id, isShedding }) => `${id}${isShedding}`).join()
}

/** FNV-1a, with its bits mixed once more: neighbouring names must not have neighbouring scores. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const JOIN: Statement = { name: 'dispatcher_join', text: 'INSERT INTO dispatchers (id) VALUES ($1)' }
const CLEAR: Statement = { name: 'dispatcher_clear', text: 'DELETE FROM dispatchers' }
const LEAVE: Statement = { name: 'dispatcher_leave', text: 'DELETE FROM dispatchers WHERE id = $1' }

/** The update shows in no part of the same statement: this process's own row has its beat from before. */
const BEAT: Statement = {
  name: 'dispatcher_beat',
  text: `WITH mine AS (
  UPDATE dispatchers SET beat = beat + 1, is_shedding = $2 WHERE id = $1 RETURNING id
)
SELECT d.id, d.beat::text AS beat, CASE WHEN d.id = $1 THEN $2 ELSE d.is_shedding END AS "isShedding"
  FROM dispatchers d WHERE d.id <> $1 OR EXISTS (SELECT FROM mine) ORDER BY d.id`,
}

/** Only while its beat is still the one that stood still. */
const REMOVE: Statement = { name: 'dispatcher_remove', text: 'DELETE FROM dispatchers WHERE id = $1 AND beat = $2' }
