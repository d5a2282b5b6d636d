import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodesWithOtherKeys, publishNode } from '../../../src/domain/maintenance/nodes.ts'
import { createVault } from '../../../src/infra/secrets.ts'
import { backend } from '../../support/database.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const OTHER = createVault(randomBytes(32))
let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const rows = () => guddesk.deps.db.prisma.serverNode.findMany({ orderBy: { seenAt: 'asc' } })

test.runIf(backend === 'embedded')('the embedded database, which one process uses, lists none', async () => {
  const stop = await publishNode({ ...guddesk.deps, vault: OTHER })
  expect(await rows()).toEqual([])
  expect(await nodesWithOtherKeys(guddesk.deps)).toEqual([])
  await stop()
})

test.runIf(backend === 'postgres')('a node is there until it stops, with the id of its key', async () => {
  const { deps } = guddesk
  expect(await rows()).toMatchObject([{ sealingKey: deps.vault.keyId }])
  expect(await nodesWithOtherKeys(deps)).toEqual([])
  const stop = await publishNode({ ...deps, vault: OTHER })
  const name = expect.stringContaining(`process ${process.pid}`)
  expect(await nodesWithOtherKeys(deps)).toEqual([{ name, sealingKey: OTHER.keyId }])
  expect(OTHER.seal('secret', 'row')).toMatch(new RegExp(`^v1\\.${OTHER.keyId}\\.`))
  await stop()
  expect(await nodesWithOtherKeys(deps)).toEqual([])
  expect(await rows()).toHaveLength(1)
})

test.runIf(backend === 'postgres')('a node that was not seen for half a minute is gone', async () => {
  const { deps } = guddesk
  const { serverNode } = deps.db.prisma
  const seenBefore = (seconds: number) => ({ seenAt: new Date(Date.now() - seconds * 1000) })
  const killed = { id: 'killed', name: 'web-1, process 1', sealingKey: OTHER.keyId }
  await serverNode.create({ data: { ...killed, ...seenBefore(25) } })
  expect(await nodesWithOtherKeys(deps)).toHaveLength(1)
  await serverNode.update({ where: { id: 'killed' }, data: seenBefore(31) })
  expect(await nodesWithOtherKeys(deps)).toEqual([])
  // The next one that starts takes its row away.
  const stop = await publishNode(deps)
  expect(await serverNode.findUnique({ where: { id: 'killed' } })).toBeNull()
  await stop()
})
