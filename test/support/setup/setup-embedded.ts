import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { TestProject } from 'vitest/node'
import { pglitePool } from '../../../src/infra/database/embedded/pglite-socket.ts'
import { migrate } from '../../../src/infra/database/migrations.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A dumped, migrated data directory that every test file starts from. */
    embeddedTemplate: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-template-'))
  const pglite = await PGlite.create()
  const pool = pglitePool(() => pglite)
  await migrate(pool)
  await pool.end()
  const dump = await pglite.dumpDataDir('none')
  await pglite.close()
  const template = join(folder, 'template.tar')
  await writeFile(template, Buffer.from(await dump.arrayBuffer()))
  project.provide('embeddedTemplate', template)
  return () => rm(folder, { recursive: true, force: true })
}
