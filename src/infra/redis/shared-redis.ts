import { randomUUID } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Database } from '../database/db.ts'
import { deriveKey, encryptionKey } from '../secrets.ts'
import { createSigner, type Signer } from './signed-messages.ts'

/** A deployment's part of a Redis that others can read and write. */
export interface SharedRedis {
  readonly url: string
  /** The prefix of the deployment's channels and keys. */
  readonly prefix: string
  readonly signer: Signer
}

/** The configured Redis; undefined without one. All nodes on one database use the same prefix. */
export async function sharedRedis(
  config: Pick<Config, 'redisUrl' | 'encryptionKey' | 'previousEncryptionKey' | 'dataDir'>,
  db: Database,
): Promise<SharedRedis | undefined> {
  const { redisUrl: url, previousEncryptionKey: previous } = config
  if (url === undefined) return undefined
  const previousKey = previous === undefined ? null : deriveKey(previous, 'bus')
  const signer = createSigner(deriveKey(encryptionKey(config), 'bus'), previousKey)
  return { url, prefix: `guddesk:${await deploymentId(db)}:`, signer }
}

/** When several nodes start on a new database, one of them creates the id of the deployment. */
async function deploymentId(db: Database): Promise<string> {
  await db.sql('INSERT INTO deployments (id) VALUES ($1) ON CONFLICT DO NOTHING', [randomUUID()])
  const [row] = await db.sql<{ id: string }>('SELECT id FROM deployments')
  if (row === undefined) throw new Error('The deployment has no id')
  return row.id
}
