import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selectionOf } from '../../../src/domain/conversations/conversation-filter.ts'
import { BY_ACTIVITY } from '../../../src/domain/conversations/conversation-order.ts'
import { removeOld } from '../../../src/domain/maintenance/retention.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const CONVERSATIONS = 20_000
const PAGE = 51
const ID = (kind: string, n: number) => `${kind}_${String(n).padStart(26, '0')}`

let guddesk: TestGudDesk
let actor: Actor

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const { workspaceId } = guddesk.tenant
  actor = {
    ...{ type: 'api_key', id: 'key_1', name: 'Key', workspaceId, permission: 'FULL_ACCESS' },
    ...{ user: null, role: 'OWNER', origin: null },
  }
  const { db } = guddesk.deps
  await db.sql(
    `INSERT INTO visitors (id, workspace_id, updated_at)
     SELECT 'vis_' || lpad(i::text, 26, '0'), $1, now() FROM generate_series(1, 100) i`,
    [workspaceId],
  )
  await db.sql(
    `INSERT INTO users (id, email, name, updated_at) VALUES ('${ID('usr', 1)}', 'ana@example.com', 'Ana', now())`,
  )
  await db.sql(
    `INSERT INTO members (id, workspace_id, user_id, role) VALUES ('${ID('mem', 1)}', $1, '${ID('usr', 1)}', 'AGENT')`,
    [workspaceId],
  )
  // The open ones are old, and few; the member has every twentieth.
  await db.sql(
    `INSERT INTO conversations (id, workspace_id, visitor_id, assignee_id, status, closed_at, last_activity_at, created_at, updated_at)
     SELECT 'conv_' || lpad(i::text, 26, '0'), $1, 'vis_' || lpad((1 + i % 100)::text, 26, '0'),
            CASE WHEN i % 20 = 0 THEN '${ID('mem', 1)}' END,
            (CASE WHEN i < 400 THEN 'OPEN' ELSE 'CLOSED' END)::"ConversationStatus", CASE WHEN i >= 400 THEN now() END,
            times.at, times.at, now()
       FROM generate_series(1, ${CONVERSATIONS}) i
      CROSS JOIN LATERAL (SELECT now() - (${CONVERSATIONS} - i) * interval '7 seconds' AS at) times`,
    [workspaceId],
  )
  await db.sql('ANALYZE conversations')
})

afterAll(async () => {
  await guddesk?.stop()
})

describe('a page of conversations by activity walks an index, and reads little more than it shows', () => {
  const HOUR = 3_600_000
  test.each([
    ['all', {}, 'workspace_id_activity_minute'],
    ['of one status', { statuses: ['OPEN'] }, 'workspace_id_status_activity_minute'],
    ['of a member', { assignee: { memberId: ID('mem', 1) } }, 'workspace_id_assignee_id_activity_minute'],
    ['of a visitor', { visitorId: ID('vis', 7) }, 'workspace_id_visitor_id_activity_minute'],
    ['active before an hour', { lastActivityAt: { to: -19 * HOUR } }, 'workspace_id_activity_minute'],
  ] as const)('%s', async (_name, filter, index) => {
    const now = guddesk.clock.now().getTime()
    const { lastActivityAt: range, ...rest } = { lastActivityAt: undefined, ...filter }
    const times = range && { lastActivityAt: { to: new Date(now + range.to) } }
    const selection = selectionOf(actor, { ...structuredClone(rest), ...times } as Parameters<typeof selectionOf>[1])
    for (const reverse of [false, true]) {
      const { text, values } = BY_ACTIVITY.positions(selection, { after: null, before: null, take: PAGE, reverse })
      const rows = await guddesk.deps.db.sql<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) ${text}`,
        values,
      )
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toContain(`conversations_${index}_idx`)
      expect(plan).not.toMatch(/Seq Scan|Bitmap/)
      const read = [...plan.matchAll(/rows=(\d+)|Rows Removed by Filter: (\d+)/g)].map(([, n, m]) => Number(n ?? m))
      expect(Math.max(...read)).toBeLessThan(2 * PAGE)
    }
  })
})

test('conversations of one minute are in the order of their seconds', async () => {
  const { data } = await guddesk.call('GET', '/api/v1/conversations?limit=100')
  const expected = Array.from({ length: 100 }, (_, i) => ID('conv', CONVERSATIONS - i))
  expect(data.map(({ id }: { id: string }) => id)).toEqual(expected)
})

test('a walk misses nothing that became active since, also when the log is no longer kept', async () => {
  const last = ID('conv', CONVERSATIONS - 60)
  const first = await guddesk.call('GET', '/api/v1/conversations?limit=50')
  await guddesk.call('POST', `/api/v1/conversations/${last}/messages`, { type: 'AGENT', body: 'Hello' })
  const next = `/api/v1/conversations?limit=50&cursor=${first.body.meta.nextCursor}`
  const before = await guddesk.call('GET', next)
  expect(before.data.map(({ id }: { id: string }) => id)).toContain(last)
  guddesk.advance(40 * 86_400_000)
  const removed = await removeOld(guddesk.deps, { deliveriesDays: 30, eventsDays: 30 })
  expect(removed.events).toBeGreaterThan(0)
  const after = await guddesk.call('GET', next)
  expect(after.data.map(({ id }: { id: string }) => id)).toEqual(before.data.map(({ id }: { id: string }) => id))
})
