import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addUpConversationCounts } from '../../../src/domain/conversations/inbox-counts.ts'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { sqlStatements } from '../../../src/infra/database/sql-statements.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { refuseRows } from '../../support/rows/refuse.ts'
import { statementsOf } from '../../support/statements.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  // Without the dispatcher's role, nothing is added up but here.
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(async () => {
  await guddesk?.stop()
})

/** Where the sum of the changes is not what there is, as one snapshot has both. */
function differences(): Promise<object[]> {
  return guddesk.deps.db.sql(`
    SELECT workspace_id, status, assignee_id, sum(total)::int AS difference
      FROM (SELECT workspace_id, status, assignee_id, count(*) AS total FROM conversations GROUP BY 1, 2, 3
            UNION ALL
            SELECT workspace_id, status, assignee_id, -change FROM conversation_counts) each
     GROUP BY 1, 2, 3 HAVING sum(total) <> 0`)
}

async function rows(): Promise<number> {
  const [row] = await guddesk.deps.db.sql<{ n: number }>('SELECT count(*)::int AS n FROM conversation_counts')
  return row?.n ?? 0
}

test('counts are those of one snapshot, whatever is written and added up at the same time', async () => {
  const { db } = guddesk.deps
  const visitorId = await guddesk.newVisitor(guddesk.tenant, 'Vera')
  const [member] = await db.sql<{ id: string }>('SELECT id FROM members WHERE workspace_id = $1', [
    guddesk.tenant.workspaceId,
  ])
  let isWriting = true
  let checks = 0
  const reading = (async () => {
    while (isWriting) {
      expect(await differences()).toEqual([])
      checks++
      // The embedded database answers without leaving the event loop its turn.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const adding = (async () => {
    while (isWriting) {
      await addUpConversationCounts(guddesk.deps)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const write = async (n: number) => {
    for (let i = 0; i < 4; i++) {
      const { data } = await guddesk.call('POST', '/api/v1/conversations', { visitorId, message: 'Hello' })
      const patch = (body: object) => guddesk.call('PATCH', `/api/v1/conversations/${data.id}`, body)
      await patch({ assigneeId: member?.id, status: n % 2 === 0 ? 'CLOSED' : 'SNOOZED' })
      if (n % 3 === 0) await patch({ assigneeId: null })
      // Reopens it.
      if (n % 3 === 1)
        await guddesk.call('POST', `/api/v1/conversations/${data.id}/messages`, { type: 'VISITOR', body: '!' })
      if (i % 4 === 3) await db.sql('DELETE FROM conversations WHERE id = $1', [data.id])
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, n) => write(n)))
  isWriting = false
  await Promise.all([reading, adding])
  expect(checks).toBeGreaterThan(1)
  expect(await differences()).toEqual([])
  await addUpConversationCounts(guddesk.deps)
  expect(await rows()).toBeLessThanOrEqual(6)
}, 90_000)

test('totals and the inbox are what lists have, by status and assignee', async () => {
  const query = `query ($filter: ConversationFilter) {
    conversations(filter: $filter, first: 100) { totalCount edges { node { id } } } }`
  for (const filter of [
    {},
    { statuses: ['OPEN'] },
    { statuses: ['CLOSED', 'SNOOZED'] },
    { assignee: { none: true } },
    { assignee: { me: true }, statuses: ['SNOOZED'] },
  ]) {
    const { body } = await guddesk.graphql(query as never, { filter })
    const { totalCount, edges } = body.data.conversations
    expect([filter, totalCount]).toEqual([filter, edges.length])
  }
})

test.each([
  ['', true],
  ['?status=OPEN,SNOOZED', true],
  ['?assigneeId=none&status=OPEN', true],
  ['?channel=API', false],
  ['?activeAfter=2020-01-01T00:00:00Z', false],
])('the total of REST’s list%s reads the counts: %s', async (query, isCounted) => {
  const list = () => guddesk.call('GET', `/api/v1/conversations${query}`)
  const { data, body } = await list()
  expect(body.meta.total).toBe(data.length)
  const statements = await statementsOf(guddesk, list)
  expect(statements.some((sql) => sql.includes('conversation_counts'))).toBe(isCounted)
  expect(statements.some((sql) => sql.includes('count(*)'))).toBe(!isCounted)
})

test('the migration counts what was there before, and does no harm again', async () => {
  const path = '../../../prisma/migrations/20261128070100_conversations_are_counted/migration.sql'
  const [backfill = ''] = sqlStatements(readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8'))
  expect(backfill).toContain('INSERT INTO "conversation_counts"')
  const { db } = guddesk.deps
  await db.sql('DELETE FROM conversation_counts')
  // Between the triggers and the migration.
  await guddesk.newConversation()
  for (let i = 0; i < 2; i++) {
    await db.sql(backfill)
    expect(await differences()).toEqual([])
  }
})

test('an addition that fails in its middle changes nothing', async () => {
  await guddesk.newConversation()
  const before = await rows()
  const restore = await refuseRows(guddesk.deps.db, 'INSERT', 'conversation_counts', 'NEW.is_sum')
  await expect(addUpConversationCounts(guddesk.deps)).rejects.toThrow('this row is refused')
  await restore()
  expect(await rows()).toBe(before)
  expect(await differences()).toEqual([])
})

test('nothing is left of a removed workspace', async () => {
  const tenant = await guddesk.newTenant()
  await guddesk.newConversation(tenant)
  await guddesk.call('DELETE', `/api/v1/workspaces/${tenant.workspaceId}`, undefined, { key: tenant.key })
  await until(async () => (await drainRemovals(guddesk.deps)) === 0)
  await addUpConversationCounts(guddesk.deps)
  const left = await guddesk.deps.db.sql('SELECT 1 FROM conversation_counts WHERE workspace_id = $1', [
    tenant.workspaceId,
  ])
  expect(left).toEqual([])
})
