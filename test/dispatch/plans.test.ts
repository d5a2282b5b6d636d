import { beforeAll, describe, expect, test } from 'vitest'
import { claim, claimHeads } from '../../src/dispatch/claim.ts'
import { findWork } from '../../src/dispatch/endpoints.ts'
import { TAKE_PICTURES } from '../../src/dispatch/pictures.ts'
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

async function planOf(name: string, values: string): Promise<string> {
  const rows = await session.run<{ 'QUERY PLAN': string }>(
    { name: `explain_${name}`, text: `EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) EXECUTE ${name}(${values})` },
    [],
  )
  return rows.map((row) => row['QUERY PLAN']).join('\n')
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

describe('pictures that wait', () => {
  const OTHERS = 11
  const WAITING = 100_000

  interface Taken {
    readonly workspaceId: string
    readonly url: string
    readonly step: number
  }

  const minute = () => new Date(guddesk.clock.now().getTime() + 60_000)

  async function take(latest: string, at = guddesk.clock.now()): Promise<Taken[]> {
    return (await session.run<Taken>(TAKE_PICTURES, [at, minute(), latest])).sort((a, b) => a.step - b.step)
  }

  /** Of one workspace very many, of the others two each; and of the first some that are to be tried again, or never. */
  beforeAll(async () => {
    for (let i = 0; i < 6; i++) await take('')
    const { db } = guddesk.deps
    await db.sql('ALTER TABLE pictures SET (autovacuum_enabled = false)')
    await db.sql(
      `INSERT INTO workspaces (id, name, slug, updated_at) SELECT 'ws_' || chr(96 + i), 'W', 'w' || i, now() FROM generate_series(1, ${OTHERS + 1}) i`,
    )
    await db.sql(
      `INSERT INTO pictures (workspace_id, url_hash, url, named_at, next_try_at, tries)
       SELECT workspace_id, md5(workspace_id || kind || i), kind || i, now(), CASE WHEN tries < 3 THEN now() - i * interval '1 ms' END, tries
         FROM (SELECT 'ws_a' AS workspace_id, 'first' AS kind, ${WAITING} AS count, 0 AS tries
               UNION ALL SELECT 'ws_a', 'again', ${WAITING / 10}, 1
               UNION ALL SELECT 'ws_a', 'never', ${WAITING / 10}, 3
               UNION ALL SELECT 'ws_' || chr(97 + i), 'first', 2, 0 FROM generate_series(1, ${OTHERS}) i) wanted,
              generate_series(1, count) i`,
    )
  })

  test('are taken by indexes alone, and as many rows are read as it takes', async () => {
    const plan = await planOf(TAKE_PICTURES.name, `now(), now() + interval '1 minute', ''`)
    expect(plan).not.toMatch(/Seq Scan on pictures|Bitmap|Hash Join|Merge Join/)
    const indexes = [...plan.matchAll(/Scan using (\w+) on pictures/g)].map(([, index]) => index)
    expect(new Set(indexes)).toEqual(
      new Set(['pictures_first_tries_idx', 'pictures_further_tries_idx', 'pictures_pkey']),
    )
    const most = [...plan.matchAll(/actual rows=(\d+)/g)].map(([, count]) => Number(count))
    expect(Math.max(...most)).toBeLessThan(100)
    const removed = [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, count]) => Number(count))
    expect(Math.max(0, ...removed)).toBeLessThan(100)
  })

  test('of the workspaces in turn, however many one has, and further tries are half at most', async () => {
    const turns: string[] = []
    let latest = ''
    // Two rounds of all workspaces.
    while (turns.length < 2 * (OTHERS + 1)) {
      const taken = await take(latest)
      expect(taken).toHaveLength(8)
      expect(taken.filter(({ step }) => step === 0)).toHaveLength(4)
      const firsts = taken.filter(({ step }) => step > 0).map(({ workspaceId }) => workspaceId)
      turns.push(...firsts)
      latest = firsts.at(-1) ?? ''
    }
    const all = Array.from({ length: OTHERS + 1 }, (_, i) => `ws_${String.fromCharCode(97 + i)}`)
    // The plan above took one of four of them.
    expect(turns).toEqual([...all, all[0], ...all.slice(4), all[0], all[0], all[0]])
  })
})
