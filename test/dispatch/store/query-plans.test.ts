import { beforeAll, describe, expect, test } from 'vitest'
import { TAKE_PICTURES } from '../../../src/dispatch/pictures/picture-fetcher.ts'
import { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { adopt, findWork, readEndpoints } from '../../../src/dispatch/store/endpoints.ts'
import {
  fetchConversationHeads,
  fetchConversations,
  listPendingConversations,
} from '../../../src/dispatch/store/fetch-conversations.ts'
import { fetchDue, MAX_SCANNED } from '../../../src/dispatch/store/fetch-due.ts'
import { fetchByIds, findProbeCandidates } from '../../../src/dispatch/store/probe-candidates.ts'
import { recordAttempts } from '../../../src/dispatch/store/record-attempts.ts'
import { makeReplaysDue } from '../../../src/dispatch/store/replays.ts'
import { connection, guddesk, joinAlone, ME, useApiNode } from '../api-node.ts'

const ENDPOINT = 'whk_00000000000000000000000000'
const ROWS = 20_000

useApiNode()

const plan = {
  endpointId: ENDPOINT,
  firstAttempts: 25,
  firstAttemptsAfter: '0',
  holdBack: 'due' as const,
  retries: 10,
  retriesFrom: new Date(0),
  replays: 10,
  prefetched: [],
}
const claimSome = () => fetchDue(connection, [plan], guddesk.clock.now())

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
  const rows = await connection.run<{ 'QUERY PLAN': string }>(
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
      await fetchConversationHeads(connection, ENDPOINT, { after: '', limit: 10, holdBack: 'due' }, now)
      await fetchConversations(connection, [{ endpointId: ENDPOINT, conversationId: 'conv_1', after: '0', limit: 10 }])
      await listPendingConversations(connection, ENDPOINT, '', 10)
      await findProbeCandidates(connection, ENDPOINT, null, true)
      await fetchByIds(connection, ENDPOINT, ['dlv_1'])
      await makeReplaysDue(connection, ENDPOINT, now)
      await findWork(connection, now)
      await recordAttempts(connection, 'nobody', [], now)
    }
    await guddesk.deps.db.sql(`ALTER TABLE deliveries SET (autovacuum_enabled = false)`)
    await fill()
  })

  test.each([
    ['dispatcher_fetch_due', `'{${ENDPOINT}}', '{25}', '{10}', '{10}', '{"{}"}', now(), '{0}', '{1970-01-01}', '{0}'`],
    ['dispatcher_fetch_conversation_heads', `'${ENDPOINT}', '', 10, now(), 0`],
    ['dispatcher_fetch_conversations', `'{${ENDPOINT},${ENDPOINT}}', '{conv_1,conv_2}', '{0,30}', '{20,20}'`],
    ['dispatcher_list_pending_conversations', `'${ENDPOINT}', '', 20`],
    ['dispatcher_find_probe_candidates', `'${ENDPOINT}', 'dlv_evt_3', true`],
    ['dispatcher_fetch_by_ids', `'${ENDPOINT}', '{dlv_evt_3,dlv_evt_6}'`],
    ['dispatcher_make_replays_due', `'${ENDPOINT}', now()`],
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
    // What waits behind a retry is looked at, some of it at a time.
    expect(Math.max(...most)).toBeLessThan(MAX_SCANNED + 50)
  })

  test('a fetch is quick beside a long backlog', async () => {
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      const began = performance.now()
      const found = await claimSome()
      expect(found.length).toBeGreaterThan(20)
      expect(found.length).toBeLessThan(MAX_SCANNED + 50)
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
    return (await connection.run<Taken>(TAKE_PICTURES, [at, minute(), latest])).sort((a, b) => a.step - b.step)
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
describe.each(['STRICT', 'RELAXED'] as const)('with %s ordering', (ordering) => {
  test.each([
    [50_000, 1],
    [5000, 5000],
  ])(
    '%i events behind the retries of %i conversations are passed once, and cost no fetch after that',
    { timeout: 120_000 },
    async (events, conversations) => {
      const name = `${ordering}_${conversations}`
      const { queue, add, read } = await backlog(name, ordering, { events, conversations })
      const first = await read()
      expect(queue.canSend()).toBe(false)
      expect(Math.max(...first.map(({ rows }) => rows))).toBeLessThan(MAX_SCANNED + 150)
      for (let i = 0; i < 3; i++) {
        queue.wake()
        const later = await read()
        expect(later.length).toBeLessThan(5)
        expect(Math.max(...later.map(({ rows }) => rows))).toBeLessThan(150)
        expect(Math.min(...later.map(({ ms }) => ms))).toBeLessThan(20)
      }
      await add('new')
      queue.wake()
      await read()
      expect(queue.take()?.conversationId).toBe(`${name}_new`)
    },
  )
})

test('after an outage, reading comes to an end while much is left, and what is new is read beside it', async () => {
  const { queue, add, read } = await backlog('recovering', 'RELAXED', { events: 300, conversations: 100 })
  await read()
  await add('new')
  queue.wake()
  await read()
  const sent = Array.from({ length: 2 }, () => queue.take()?.conversationId)
  expect(sent).toContain('recovering_new')
})

/** An endpoint whose every conversation has a retry that holds back what comes after it. */
async function backlog(
  name: string,
  ordering: 'STRICT' | 'RELAXED',
  { events, conversations }: { events: number; conversations: number },
) {
  const { db, clock } = guddesk.deps
  const endpointId = `whk_${name}`
  await db.sql(
    `INSERT INTO webhook_endpoints (id, workspace_id, url, sealed_secret, ordering, updated_at)
     VALUES ($1, $2, 'http://127.0.0.1:9/' || $1, '', $3::"EndpointOrdering", now())`,
    [endpointId, guddesk.tenant.workspaceId, ordering],
  )
  if (name === 'recovering')
    await db.sql('UPDATE webhook_endpoints SET is_recovering = true WHERE id = $1', [endpointId])
  // Where ordering is relaxed, what is asked for now holds everything back that waits.
  else if (ordering === 'RELAXED')
    await db.sql('UPDATE webhook_endpoints SET is_probe_asked = true, probe_asked_at = now() WHERE id = $1', [
      endpointId,
    ])
  const store = (conversation: string, count: number, isFailed: boolean) =>
    db.sql(
      `WITH event AS (
         INSERT INTO events (id, workspace_id, type, conversation_id, body)
         SELECT 'evt_' || gen_random_uuid(), $1, 'ping', ${conversation}, '{}' FROM generate_series(1, $2::int) i
         RETURNING *)
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, attempts, due, created_at)
       SELECT 'dlv_' || id, workspace_id, id, $3, conversation_id, seq, $4, now() + interval '1 day', now() FROM event`,
      [guddesk.tenant.workspaceId, count, endpointId, isFailed ? 1 : 0],
    )
  await store(`'${name}_' || i`, conversations, true)
  await store(`'${name}_' || 1 + i % ${conversations}`, events, false)
  await joinAlone()
  await adopt(connection, ME, [endpointId])
  const [row] = await readEndpoints(connection, ME, [endpointId])
  if (row === undefined) throw new Error('it belongs to this process')
  const queue = new EndpointQueue(row, { count: 0 })

  /** Reads as a reader does, until there is nothing to read. */
  async function read() {
    const statements: { rows: number; ms: number }[] = []
    async function timed<Row>(statement: Promise<Row[]>): Promise<Row[]> {
      const began = performance.now()
      const rows = await statement
      statements.push({ rows: rows.length, ms: performance.now() - began })
      return rows
    }
    for (;;) {
      const now = clock.now()
      const wanted = queue.fetch.nextFetch()
      if (wanted !== null) {
        queue.fetch.fetchStarted(wanted)
        queue.fetch.fetched(await timed(fetchDue(connection, [wanted], now)), wanted)
      }
      if (queue.fetch.mustMakeReplaysDue) queue.fetch.replaysMadeDue()
      for (let after = queue.fetch.recoverAfter; after !== null; after = queue.fetch.recoverAfter) {
        const { ids, end } = await listPendingConversations(connection, endpointId, after, 50)
        queue.fetch.recoverPage(ids, end)
      }
      const asked = queue.fetch.startConversations()
      if (asked.length > 0) {
        const found = await timed(fetchConversations(connection, asked))
        const of = (id: string) => found.filter(({ conversationId }) => conversationId === id)
        for (const one of asked) queue.fetch.conversationFetched(one, of(one.conversationId), now)
      }
      if (wanted === null && asked.length === 0) return statements
    }
  }
  return { queue, read, add: (conversation: string) => store(`'${name}_${conversation}'`, 1, false) }
}
