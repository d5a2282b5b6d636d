import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '../../demo/process.ts'
import { newApiKey } from '../../src/infra/secrets.ts'
import { type Seeded, seed } from './seed.ts'

export interface Prepared {
  readonly guddesk: Backend & { readonly key: string }
  /** Another folder with the same database, when it is embedded: no two processes can have one. */
  readonly peer: Backend
  readonly seeded: Seeded
}

/** Fills a database and hands it to both servers. */
export async function prepare(backend: Backend, cleanup: AsyncDisposableStack): Promise<Prepared> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-bench-'))
  cleanup.defer(() => rm(folder, { recursive: true, force: true }))
  const key = newApiKey()
  const dataDir = join(folder, 'guddesk')
  const { databaseUrl = '', redisUrl = '' } = backend
  const seeded = await seed({
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    DATA_DIR: dataDir,
    GUDDESK_API_KEY: key,
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
  })
  const peerDir = join(folder, 'peer')
  if (databaseUrl === '') await cp(dataDir, peerDir, { recursive: true })
  return { guddesk: { ...backend, dataDir, key }, peer: { ...backend, dataDir: peerDir }, seeded }
}
