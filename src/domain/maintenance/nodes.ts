import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { repeat } from '../../infra/repeat.ts'
import type { Deps } from '../shared/deps.ts'

/** A process that serves or dispatches, on a database that it shares with others. */
export interface Node {
  /** Its machine and process, for people. */
  readonly name: string
  /** The id of the key that it seals with. */
  readonly sealingKey: string
}

/** How often a node shows that it lives. */
const HEARTBEAT_MS = 5000
/** Without a beat for so long, a node counts as gone. By the database's clock, which all of them share. */
const GONE_AFTER = `interval '30 seconds'`

/** Of itself alone: nodes that come back together, after an outage, do not wait for one another. */
const HEARTBEAT = `INSERT INTO nodes (id, name, sealing_key, seen_at) VALUES ($1, $2, $3, now())
  ON CONFLICT (id) DO UPDATE SET seen_at = now()`

/**
 * Publishes which key this process seals with, from before it seals anything until it stops. On the embedded database
 * there is nobody to read it: whoever else opens that finds this process gone.
 * @returns takes it back; to be called when nothing is sealed any more
 */
export async function publishNode({
  db,
  vault,
  log,
}: Pick<Deps, 'db' | 'vault' | 'log'>): Promise<() => Promise<void>> {
  if (db.isEmbedded) return async () => undefined
  const id = randomUUID()
  const beat = () => db.sql(HEARTBEAT, [id, `${hostname()}, process ${process.pid}`, vault.keyId])
  await db.sql(`DELETE FROM nodes WHERE seen_at < now() - ${GONE_AFTER}`)
  await beat()
  const stopBeating = repeat(log, HEARTBEAT_MS, 'node heartbeat not written', beat)
  return async () => {
    await stopBeating()
    await db
      .sql('DELETE FROM nodes WHERE id = $1', [id])
      .catch((error: unknown) => log.warn({ err: error }, 'node not signed off; it counts as running for 30 seconds'))
  }
}

/** The living nodes that seal with another key than the vault's. */
export async function nodesWithOtherKeys({ db, vault }: Pick<Deps, 'db' | 'vault'>): Promise<Node[]> {
  if (db.isEmbedded) return []
  return db.sql<Node>(
    `SELECT name, sealing_key AS "sealingKey" FROM nodes
      WHERE sealing_key <> $1 AND seen_at >= now() - ${GONE_AFTER} ORDER BY name, id`,
    [vault.keyId],
  )
}
