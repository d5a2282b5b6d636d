import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { repeat } from '../../infra/repeat.ts'
import type { Deps } from '../shared/deps.ts'

/** A process that serves or dispatches, on a shared database. */
export interface Node {
  /** Its machine and process, for people. */
  readonly name: string
  /** The id of the key that it encrypts with. */
  readonly sealingKey: string
}

/** The interval of a node's heartbeats, in milliseconds. */
const HEARTBEAT_MS = 5000
/** A node without a heartbeat for this long counts as stopped, by the clock of the database. */
const GONE_AFTER = `interval '30 seconds'`

/** Writes only the node's own row, so that nodes which reconnect after an outage do not wait for one another. */
const HEARTBEAT = `INSERT INTO nodes (id, name, sealing_key, seen_at) VALUES ($1, $2, $3, now())
  ON CONFLICT (id) DO UPDATE SET seen_at = now()`

/**
 * Publishes the encryption key of this process, from before it encrypts anything until it stops. Not on the embedded
 * database, which only one process can open.
 * @returns removes the entry; call it when nothing is encrypted any more
 */
export async function publishNode({
  db,
  vault,
  log,
}: Pick<Deps, 'db' | 'vault' | 'log'>): Promise<() => Promise<void>> {
  if (db.isEmbedded) return async () => undefined
  const id = randomUUID()
  const sendHeartbeat = () => db.sql(HEARTBEAT, [id, `${hostname()}, process ${process.pid}`, vault.keyId])
  await db.sql(`DELETE FROM nodes WHERE seen_at < now() - ${GONE_AFTER}`)
  await sendHeartbeat()
  const stopHeartbeats = repeat(log, HEARTBEAT_MS, 'node heartbeat not written', sendHeartbeat)
  return async () => {
    await stopHeartbeats()
    await db
      .sql('DELETE FROM nodes WHERE id = $1', [id])
      .catch((error: unknown) => log.warn({ err: error }, 'node not signed off; it counts as running for 30 seconds'))
  }
}

/** The running nodes that encrypt with another key. */
export async function nodesWithOtherKeys({ db, vault }: Pick<Deps, 'db' | 'vault'>): Promise<Node[]> {
  if (db.isEmbedded) return []
  return db.sql<Node>(
    `SELECT name, sealing_key AS "sealingKey" FROM nodes
      WHERE sealing_key <> $1 AND seen_at >= now() - ${GONE_AFTER} ORDER BY name, id`,
    [vault.keyId],
  )
}
