import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../../src/infra/database/db.ts'
import { migrate } from '../../../src/infra/database/migrations.ts'
import { createLog } from '../../../src/infra/log.ts'

/** What others may do with what is in the folder, by path. */
function open(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  const paths = [folder, ...entries.map(({ parentPath, name }) => join(parentPath, name))]
  return paths.filter((path) => (statSync(path).mode & 0o077) !== 0)
}

let root: string
const umask = process.umask()
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'guddesk-modes-'))
  process.umask(0)
})
afterAll(() => {
  process.umask(umask)
  rmSync(root, { recursive: true })
})

test('the embedded database’s files are its user’s alone, however open the folder was', async () => {
  const dataDir = join(root, 'open')
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o777)
  writeFileSync(join(dataDir, 'left-over'), 'x', { mode: 0o666 })
  const db = await openDatabase({ dataDir, databaseUrl: undefined, redisUrl: undefined }, createLog('silent'))
  await migrate(db.pool)
  await db.sql('CREATE TABLE written AS SELECT generate_series(1, 10000) AS n')
  await db.sql('CHECKPOINT')
  expect(readdirSync(dataDir)).toContain('pglite')
  expect(open(dataDir)).toEqual([])
  await db.close()
  expect(open(dataDir)).toEqual([])
  process.umask(0)
  const again = await openDatabase({ dataDir, databaseUrl: undefined, redisUrl: undefined }, createLog('silent'))
  await again.sql('CREATE TABLE more AS SELECT generate_series(1, 10000) AS n')
  expect(open(dataDir)).toEqual([])
  await again.close()
})
