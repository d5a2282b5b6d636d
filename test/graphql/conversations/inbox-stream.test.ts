import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { StreamEndedError } from '../../../src/live/log-tailer.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { quiet, START } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { quietPeriod, until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'

const INBOX = graphql(`subscription ($after: String) { inbox(after: $after) {
  cursor removedIds
  conversations { id status priority messageCount lastMessagePreview lastActivityAt assignee { id } visitor { name } }
} }`)

interface Update {
  readonly cursor: string
  readonly removedIds: string[]
  readonly conversations: {
    readonly id: string
    readonly status: string
    readonly priority: number
    readonly messageCount: number
    readonly lastMessagePreview: string | null
    readonly assignee: { id: string } | null
  }[]
}

let guddesk: TestGudDesk
/** A workspace of its own for every test. */
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

beforeEach(async () => {
  tenant = await guddesk.newTenant()
})

const say = (id: string, body: string, key = tenant.key) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key })
const change = (id: string, patch: object) =>
  guddesk.call('PATCH', `/api/v1/conversations/${id}`, patch, { key: tenant.key })
const changedIn = (updates: readonly Update[]) => updates.flatMap(({ conversations }) => conversations)

const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overSse],
]

describe.each(TRANSPORTS)('the inbox over %s', (_name, transport) => {
  /** Live from the moment that it returns: its first update has come. */
  async function open(variables: object = {}, key = tenant.key): Promise<Live<Update>> {
    await quiet(guddesk)
    const live = transport<Update>(guddesk, variables, { query: INBOX, key })
    await until(() => live.events.length > 0 || live.isEnded())
    return live
  }

  test('begins empty with a cursor, then has each conversation that changes, as it is now', async () => {
    const old = await guddesk.newConversation(tenant)
    const live = await open()
    expect(live.events).toMatchObject([{ conversations: [], removedIds: [], cursor: expect.any(String) }])
    const id = await guddesk.newConversation(tenant, 'hello')
    await change(id, { assigneeId: tenant.memberId, priority: 3 })
    await change(old, { status: 'CLOSED' })
    const latest = () => new Map(changedIn(live.events).map((conversation) => [conversation.id, conversation]))
    await until(() => latest().get(id)?.priority === 3 && latest().get(old)?.status === 'CLOSED')
    await live.stop()
    expect(live.errors).toEqual([])
    expect(latest().get(id)).toMatchObject({
      status: 'OPEN',
      messageCount: 1,
      lastMessagePreview: 'hello',
      assignee: { id: tenant.memberId },
      visitor: { name: 'Vera Visitor' },
    })
    expect(latest().size).toBe(2)
  })

  test('has nothing of another workspace', async () => {
    const id = await guddesk.newConversation(tenant)
    const other = await guddesk.newTenant()
    const theirs = await guddesk.newConversation(other)
    const live = await open()
    await say(theirs, 'theirs', other.key)
    await say(id, 'ours')
    await until(() => changedIn(live.events).length > 0)
    await quietPeriod()
    await live.stop()
    expect(new Set(changedIn(live.events).map((conversation) => conversation.id))).toEqual(new Set([id]))
  })

  test('a conversation with many messages makes at most about four updates a second, and the last one is told', async () => {
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    const began = performance.now()
    const MESSAGES = 100
    for (let i = 0; i < MESSAGES; i++) await say(id, `message ${i}`)
    const took = performance.now() - began
    await until(() => changedIn(live.events).at(-1)?.messageCount === MESSAGES)
    await quietPeriod()
    await live.stop()
    // The first one at once, one more each 250 ms, and one after the end.
    expect(live.events.length - 1).toBeLessThanOrEqual(2 + Math.ceil(took / 250))
    expect(live.events.length - 1).toBeGreaterThanOrEqual(2)
    expect(changedIn(live.events).at(-1)?.lastMessagePreview).toBe(`message ${MESSAGES - 1}`)
  })

  test('resumed, has every conversation that changed since, once and as it is now, then goes on', async () => {
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push(await guddesk.newConversation(tenant))
    const before = await open()
    const after = before.events[0]?.cursor
    await before.stop()
    const [first = '', second = '', third = ''] = ids
    await say(first, 'one')
    await say(second, 'two')
    await change(first, { priority: 2 })
    await say(first, 'three')
    const live = await open({ after })
    expect(changedIn(live.events).map(({ id }) => id)).toEqual([second, first])
    expect(changedIn(live.events)[1]).toMatchObject({ messageCount: 2, priority: 2, lastMessagePreview: 'three' })
    await say(third, 'live')
    await until(() => changedIn(live.events).length >= 3)
    await quietPeriod()
    await live.stop()
    expect(changedIn(live.events).map(({ id }) => id)).toEqual([second, first, third])
    // From the very beginning: all of them.
    const all = await open({ after: START })
    await until(() => changedIn(all.events).length >= 5)
    await all.stop()
    expect(new Set(changedIn(all.events).map(({ id }) => id))).toEqual(new Set(ids))
  })

  test('resuming again and again while others write misses no change', async () => {
    const ids: string[] = []
    for (let i = 0; i < 4; i++) ids.push(await guddesk.newConversation(tenant))
    const MESSAGES = 30
    let isWriting = true
    const writing = Promise.all(
      ids.map(async (id) => {
        for (let i = 0; i < MESSAGES; i++) await say(id, `${i}`)
      }),
    ).finally(() => {
      isWriting = false
    })
    const seen = new Map<string, number>()
    let after = START
    const isComplete = () => ids.every((id) => seen.get(id) === MESSAGES)
    await until(async () => {
      const live = transport<Update>(guddesk, { after }, { query: INBOX, key: tenant.key })
      await until(() => live.events.length >= 2 || (!isWriting && live.events.length >= 1))
      await quietPeriod(20)
      await live.stop()
      expect(live.errors).toEqual([])
      for (const { id, messageCount } of changedIn(live.events)) {
        expect(messageCount).toBeGreaterThanOrEqual(seen.get(id) ?? 0)
        seen.set(id, messageCount)
      }
      after = live.events.at(-1)?.cursor ?? after
      return !isWriting && isComplete()
    }, 20_000)
    await writing
  })

  test('names a conversation that is no more', async () => {
    const id = await guddesk.newConversation(tenant, 'hello')
    await guddesk.deps.db.prisma.conversation.delete({ where: { id } })
    const live = await open({ after: START })
    await until(() => live.events.some(({ removedIds }) => removedIds.length > 0))
    await live.stop()
    expect(live.events[0]).toMatchObject({ conversations: [], removedIds: [id] })
  })

  test.each(['', 'x', '\u0000', 'e30'])('the malformed cursor %j is bad_request', async (after) => {
    const live = await open({ after })
    await live.stop()
    expect(live.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
  })

  test('is closed within a second when its key is revoked, and says why', async () => {
    const key = await guddesk.newKey(tenant, 'READ_ONLY')
    const live = await open({}, key)
    const where = { prefix: key.slice(0, 8) }
    await guddesk.deps.db.prisma.apiKey.updateMany({ where, data: { revokedAt: new Date() } })
    await until(() => live.isEnded(), 3000)
    await live.stop()
    expect(live.errors).toMatchObject([{ extensions: { code: 'unauthorized' } }])
  })
})

const COUNTED = graphql(`subscription ($after: String) { inbox(after: $after) {
  cursor conversations { id } counts { mine unassigned open snoozed closed total }
} }`)

interface Counted {
  readonly cursor: string
  readonly conversations: { id: string }[]
  readonly counts: Record<string, number | null> | null
}

describe('counts', () => {
  const follow = async (key = tenant.key, after?: string) => {
    await quiet(guddesk)
    const live = overWebSocket<Counted>(guddesk, { after }, { query: COUNTED, key })
    await until(() => live.events.length > 0)
    const counts = () => live.events.findLast((update) => update.counts !== null)?.counts
    return { live, counts }
  }

  test('come at once, and again when they have changed, for each asker their own', async () => {
    const id = await guddesk.newConversation(tenant)
    const { userId, memberId } = await guddesk.newMember(tenant, 'Mia')
    const mia = await guddesk.newKey({ ...tenant, userId, memberId }, 'READ_WRITE')
    const [mine, hers] = [await follow(), await follow(mia)]
    const start = { mine: 0, unassigned: 1, open: 1, snoozed: 0, closed: 0, total: 1 }
    expect([mine.counts(), hers.counts()]).toEqual([start, start])
    await change(id, { assigneeId: memberId })
    await until(() => hers.counts()?.['mine'] === 1 && mine.counts()?.['unassigned'] === 0)
    expect(hers.counts()).toEqual({ ...start, mine: 1, unassigned: 0 })
    expect(mine.counts()).toEqual({ ...start, unassigned: 0 })
    await change(id, { status: 'CLOSED' })
    await until(() => mine.counts()?.['closed'] === 1 && hers.counts()?.['closed'] === 1)
    expect(hers.counts()).toEqual({ ...start, open: 0, unassigned: 0, closed: 1 })
    const { data } = await guddesk.graphql(
      graphql(`{ inboxCounts { mine unassigned open snoozed closed total } }`),
      {},
      { key: mia },
    )
    expect(hers.counts()).toEqual(data.inboxCounts)
    for (const { live } of [mine, hers]) {
      await live.stop()
      expect(live.errors).toEqual([])
    }
  })

  test('are told at most once a second, and not when they are the same', async () => {
    const { live } = await follow()
    const began = performance.now()
    const ids: string[] = []
    while (performance.now() - began < 2500) ids.push(await guddesk.newConversation(tenant))
    await until(() => live.events.findLast(({ counts }) => counts !== null)?.counts?.['total'] === ids.length)
    const told = live.events.filter(({ counts }) => counts !== null).length
    const took = performance.now() - began
    expect(told).toBeGreaterThan(2)
    expect(told).toBeLessThanOrEqual(2 + Math.ceil(took / 1000))
    await say(ids[0] ?? '', 'changes no count')
    const before = live.events.length
    await until(() => live.events.length > before)
    await quietPeriod(1500)
    expect(live.events.filter(({ counts }) => counts !== null)).toHaveLength(told)
    await live.stop()
  })

  test('are not counted for those who do not ask', async () => {
    const { db } = guddesk.deps
    const sql = db.sql.bind(db)
    let counted = 0
    Object.assign(db, {
      sql: (text: string, params?: unknown[]) => {
        if (text.includes('GROUP BY status, assignee_id')) counted++
        return sql(text, params)
      },
    })
    try {
      await quiet(guddesk)
      const live = overWebSocket<Update>(guddesk, {}, { query: INBOX, key: tenant.key })
      await until(() => live.events.length > 0)
      await guddesk.newConversation(tenant)
      await until(() => live.events.length > 1)
      await quietPeriod(1300)
      expect(counted).toBe(0)
      await live.stop()
      // Ten who ask at once are one.
      const many = await Promise.all(Array.from({ length: 10 }, () => follow()))
      const before = counted
      expect(before).toBeGreaterThan(0)
      await guddesk.newConversation(tenant)
      await until(() => many.every(({ counts }) => counts()?.['total'] === 2))
      expect(counted - before).toBeLessThanOrEqual(2)
      for (const { live } of many) await live.stop()
    } finally {
      Object.assign(db, { sql })
    }
  })
})

const EVENTS = `INSERT INTO events (id, workspace_id, type, conversation_id, body)
  SELECT 'evt_' || n || $1, $1, 'conversation.updated', 'conv_' || n, '{"event":"x","data":{},"timestamp":""}'
    FROM generate_series(1, $2::int) n`

test('a slow reader holds a bounded number of conversations, and is told to resume; nothing is missed', async () => {
  const actor = await guddesk.actorOf(tenant.key)
  const streams = openStreams(guddesk.deps)
  const { signal } = new AbortController()
  const slow = streams.inbox.follow(actor, {}, signal)
  const first = await slow.next()
  const pending = slow.next()
  await guddesk.deps.db.sql(EVENTS, [tenant.workspaceId, 5000])
  const fast = new Set<string>()
  for await (const update of streams.inbox.follow(actor, { after: first.value?.cursor ?? null }, signal)) {
    for (const id of update.removedIds) fast.add(id)
    if (fast.size === 5000) break
  }
  await quietPeriod(500)
  const got = [(await pending).value]
  const rest = (async () => {
    for await (const update of slow) got.push(update)
  })()
  await expect(rest).rejects.toThrow(StreamEndedError)
  const ids = got.flatMap((update) => update?.removedIds ?? [])
  expect(ids.length).toBeLessThanOrEqual(2000)
  for await (const { removedIds } of streams.inbox.follow(actor, { after: got.at(-1)?.cursor ?? null }, signal)) {
    ids.push(...removedIds)
    if (ids.length >= 5000) break
  }
  streams.close()
  expect(new Set(ids).size).toBe(5000)
  expect(ids).toHaveLength(5000)
})

test('a long absence is caught up with in short looks, each conversation once', async () => {
  const actor = await guddesk.actorOf(tenant.key)
  // 9,000 events of 300 conversations, which come again and again, and 300 others at the very beginning.
  const insert = `INSERT INTO events (id, workspace_id, type, conversation_id, body)
    SELECT 'evt_' || n || $1, $1, 'conversation.updated', 'conv_' || CASE WHEN n <= 300 THEN -n ELSE n % 300 END, '{}'
      FROM generate_series(1, 9300) n`
  await guddesk.deps.db.sql(insert, [tenant.workspaceId])
  await quiet(guddesk)
  const streams = openStreams(guddesk.deps)
  const ids: string[] = []
  let updates = 0
  for await (const { removedIds } of streams.inbox.follow(actor, { after: START }, new AbortController().signal)) {
    updates++
    expect(removedIds.length).toBeLessThanOrEqual(100)
    ids.push(...removedIds)
    if (ids.length >= 600) break
  }
  streams.close()
  expect(ids).toHaveLength(600)
  expect(new Set(ids).size).toBe(600)
  // Looks that find nothing to tell say how far they have come.
  expect(updates).toBeGreaterThan(6)
})
