import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { sqlStatements } from '../../../src/infra/database/sql-statements.ts'
import { ok } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

// Triggers count how many conversations have each tag.

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const counted = () =>
  guddesk.deps.db.sql('SELECT workspace_id, name, conversation_count::int AS n FROM tags ORDER BY 1, 2')
const there = () =>
  guddesk.deps.db.sql(`SELECT workspace_id, name, count(*)::int AS n
    FROM conversations CROSS JOIN unnest(tags) AS name GROUP BY 1, 2 ORDER BY 1, 2`)

async function expectRight(): Promise<void> {
  expect(await counted()).toEqual(await there())
}

async function tagged(tags: string[], tenant: Tenant = guddesk.tenant): Promise<string> {
  const id = await guddesk.newConversation(tenant)
  await patch(id, { tags }, tenant)
  return id
}

const patch = async (id: string, body: object, { key } = guddesk.tenant) =>
  expect((await guddesk.call('PATCH', `/api/v1/conversations/${id}`, body, { key })).status).toBe(200)

test('they follow every change of tags', async () => {
  const id = await tagged(['a', 'b'])
  await tagged(['b', 'c'])
  await expectRight()
  await patch(id, { addTags: ['c', 'd'] })
  await patch(id, { removeTags: ['b'] })
  await patch(id, { status: 'CLOSED' })
  await patch(id, { tags: ['e'] })
  await expectRight()
  await patch(id, { tags: [] })
  await expectRight()
  expect(await counted()).toMatchObject([
    { name: 'b', n: 1 },
    { name: 'c', n: 1 },
  ])
})

test('they follow what goes with a conversation, a visitor or a row that had tags from the start', async () => {
  const { prisma } = guddesk.deps.db
  const [one, two] = [await tagged(['x', 'y']), await tagged(['y', 'z'])]
  const { visitorId } = await prisma.conversation.findUniqueOrThrow({ where: { id: two } })
  const row = await prisma.conversation.findUniqueOrThrow({ where: { id: one } })
  await prisma.conversation.create({ data: { ...row, metadata: {}, id: newId('conversation') } })
  await expectRight()
  await prisma.conversation.delete({ where: { id: one } })
  await expectRight()
  await prisma.visitor.delete({ where: { id: visitorId } })
  await expectRight()
})

test('they are right after many changes at once, in whatever order', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => tagged(['old', 'older'])))
  const names = ['p', 'q', 'r', 's']
  await Promise.all(
    ids.flatMap((id, i) => [
      patch(id, { addTags: names }),
      patch(id, { removeTags: ['old', names[i % 4]] }),
      patch(id, { tags: names.toReversed() }),
      patch(id, { addTags: ['t'], removeTags: ['older'] }),
    ]),
  )
  await expectRight()
})

test('the migration counts what was there before, adds nothing to it, and does no harm again', async () => {
  const path = '../../../prisma/migrations/20261128021500_tags_are_counted/migration.sql'
  const migration = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
  const backfill = sqlStatements(migration).at(-1) ?? ''
  expect(backfill).toContain('FULL JOIN tags')
  await tagged(['before'])
  await guddesk.deps.db.sql('DELETE FROM tags')
  // The triggers are there first: what they see meanwhile is less than there is, or even less than none.
  await tagged(['before', 'after'])
  const { id } = await guddesk.deps.db.prisma.conversation.findFirstOrThrow({ where: { tags: { has: 'q' } } })
  await patch(id, { removeTags: ['q'] })
  expect(await counted()).not.toEqual(await there())
  for (let i = 0; i < 2; i++) {
    await guddesk.deps.db.sql(backfill)
    await expectRight()
  }
})

test('a removed workspace has none, and draining it makes none', async () => {
  const tenant = await guddesk.newTenant()
  const { workspaceId, key } = tenant
  for (let i = 0; i < 3; i++) await tagged(['gone', `gone ${i}`], tenant)
  const left = () => guddesk.deps.db.sql('SELECT name FROM tags WHERE workspace_id = $1', [workspaceId])
  expect(await left()).toHaveLength(4)
  await ok(guddesk.call('DELETE', `/api/v1/workspaces/${workspaceId}`, undefined, { key }))
  expect(await left()).toEqual([])
  await drainRemovals(guddesk.deps)
  expect(await guddesk.deps.db.prisma.conversation.count({ where: { workspaceId } })).toBe(0)
  await expectRight()
})
