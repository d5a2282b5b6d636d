import { beforeAll, describe, expect, test } from 'vitest'
import { claim, claimHeads } from '../../src/dispatch/claim.ts'
import { findWork } from '../../src/dispatch/endpoints.ts'
import { settle } from '../../src/dispatch/settle.ts'
import { guddesk, session, useApiNode } from './api-node.ts'

const ENDPOINT = 'whk_00000000000000000000000000'
const ROWS = 20_000

useApiNode()

const claimSome = () =>
  claim(session, [{ endpointId: ENDPOINT, firsts: 25, retries: 10, replays: 10, held: [] }], guddesk.clock.now())

/** A backlog of first attempts, retries and finished ones at one endpoint; PostgreSQL is told nothing about it. */
async function fill(): Promise<void> {
  const { db } = guddesk.deps
  const { workspaceId } = guddesk.tenant
  await db.sql(
    `INSERT INTO webhook_endpoints (id, workspace_id, url, sealed_secret, updated_at)
     VALUES ($1, $2, 'http://127.0.0.1:9/', '', now())`,
    [ENDPOINT, workspaceId],
  )
  await db.sql(
    `INSERT INTO events (id, workspace_id, type, conversation_id, body)
     SELECT 'evt_' || i, $1, 'ping', 'conv_' || i % 50, '{}' FROM generate_series(1, ${ROWS}) i`,
    [workspaceId],
  )
  await db.sql(
    `INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, attempts, status, due, created_at)
     SELECT 'dlv_' || id, workspace_id, id, $1, conversation_id, seq, (seq % 3 = 0)::int,
            (CASE WHEN seq % 3 = 1 THEN 'DELIVERED' ELSE 'PENDING' END)::"DeliveryStatus",
            CASE WHEN seq % 3 <> 1 THEN now() END, now()
       FROM events WHERE type = 'ping'`,
    [ENDPOINT],
  )
}

describe('plans that were made on empty tables', () => {
  beforeAll(async () => {
    const now = guddesk.clock.now()
    await guddesk.deps.db.sql('DELETE FROM deliveries')
    for (let i = 0; i < 3; i++) {
      await claimSome()
      await claimHeads(session, ENDPOINT, '', 10)
      await findWork(session, now)
      await settle(session, 'nobody', [], now)
    }
    await guddesk.deps.db.sql(`ALTER TABLE deliveries SET (autovacuum_enabled = false)`)
    await fill()
  })

  async function planOf(name: string, values: string): Promise<string> {
    const rows = await session.run<{ 'QUERY PLAN': string }>(
      { name: `explain_${name}`, text: `EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) EXECUTE ${name}(${values})` },
      [],
    )
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  }

  test.each([
    ['dispatcher_claim', `'{${ENDPOINT}}', '{25}', '{10}', '{10}', '{"{}"}', now()`],
    ['dispatcher_claim_heads', `'${ENDPOINT}', '', 10`],
    ['dispatcher_find_work', 'now()'],
  ])('%s walks the indexes that are meant for it, and touches no more rows than it yields', async (name, values) => {
    const plan = await planOf(name, values)
    expect(plan).not.toMatch(/Seq Scan on (deliveries|events)/)
    expect(plan).not.toMatch(/Bitmap|Hash Join|Merge Join/)
    const scans = [...plan.matchAll(/Scan using (\w+) on deliveries/g)].map(([, index]) => index)
    const meant = /^deliveries_(first_attempts_idx|retries_idx|due_tests_idx|conversations_idx|pkey)$/
    expect(scans.filter((index) => !meant.test(index ?? ''))).toEqual([])
    const removed = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, count]) => Number(count))
    expect(Math.max(0, ...removed)).toBeLessThan(100)
    const most = [...plan.matchAll(/actual rows=(\d+)/g)].map(([, count]) => Number(count))
    expect(Math.max(...most)).toBeLessThan(100)
  })

  test('a claim is quick beside a long backlog', async () => {
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      const began = performance.now()
      expect(await claimSome()).toHaveLength(35)
      times.push(performance.now() - began)
    }
    expect(Math.min(...times)).toBeLessThan(20)
  })
})
