import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import type { InboxUpdate } from '../../../src/live/inbox-stream.ts'
import { openStreams, type Streams } from '../../../src/live/streams.ts'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'
import { quietPeriod, until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'
import { type Filter, KeptList } from './kept-list.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let actor: Actor
let streams: Streams

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  actor = await guddesk.actorOf(tenant.key)
  streams = openStreams(guddesk.deps)
})
afterEach(() => streams.close())

const say = (id: string, body: string, { key } = tenant) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key })

const LIST = graphql(
  `query ($filter: ConversationFilter) { conversations(filter: $filter, first: 1) { edges { node { id } } } }`,
)
const FEED = graphql(`subscription ($filter: ConversationFilter) { inbox(filter: $filter) {
  cursor removedIds conversations { id } counts { open }
} }`)

interface Update {
  readonly cursor: string
  readonly removedIds: readonly string[]
  readonly conversations: readonly { readonly id: string }[]
}

const seen = (updates: readonly Pick<Update, 'removedIds' | 'conversations'>[]) =>
  updates.flatMap(({ removedIds, conversations }) => [...removedIds, ...conversations.map(({ id }) => id)])

async function agentKey(): Promise<string> {
  const input = { name: 'Echo', webhookUrl: 'https://agent.example.com/hook' }
  const { body } = await guddesk.call('POST', '/api/v1/agents', input, { key: tenant.key })
  return body.data.credentials.apiKey
}

describe('who may follow which list', () => {
  test.each<[string, Filter | Record<string, unknown>]>([
    ['no status', { statuses: [] }],
    ['two assignees at once', { assignee: { me: false } }],
    ['an empty text', { text: '' }],
    ['201 characters', { text: 'x'.repeat(201) }],
    ['a priority that there is not', { priorities: [4] }],
    ['no tag', { tags: { any: [] } }],
    ['a visitor’s id of 5,000 characters', { visitorId: 'v'.repeat(5000) }],
  ])('%s: refused as the query refuses it', async (_name, filter) => {
    const query = await guddesk.graphql(LIST, { filter }, { key: tenant.key })
    const live = overWebSocket<Update>(guddesk, { filter }, { query: FEED, key: tenant.key })
    await until(() => live.isEnded() || live.events.length > 0)
    await live.stop()
    const [refusal] = query.body.errors
    expect(refusal.extensions).toMatchObject({ code: 'bad_request' })
    const { requestId: _, ...extensions } = refusal.extensions
    expect(live.errors).toMatchObject([{ message: refusal.message, extensions }])
    expect(live.events).toEqual([])
  })

  test('an agent: no list of its own conversations, and all others with their notes', async () => {
    const key = await agentKey()
    const id = await guddesk.newConversation(tenant, 'hello')
    const own = { assignee: { me: true } }
    const query = await guddesk.graphql(LIST, { filter: own }, { key })
    const refused = overWebSocket<Update>(guddesk, { filter: own }, { query: FEED, key })
    await until(() => refused.isEnded())
    await refused.stop()
    const refusal = [{ extensions: { code: 'bad_request', fields: [{ path: ['assignee', 'me'] }] } }]
    expect([query.body.errors, refused.errors]).toMatchObject([refusal, refusal])
    await quiet(guddesk)
    const live = overWebSocket<Update>(guddesk, { filter: { text: 'zebra' } }, { query: FEED, key })
    await until(() => live.events.length > 0)
    const note = { body: 'a zebra', type: 'NOTE' }
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, note, { key: tenant.key })
    await until(() => live.events.some(({ conversations }) => conversations.length > 0))
    const { data } = await guddesk.graphql(LIST, { filter: { text: 'zebra' } }, { key })
    expect(data.conversations.edges).toEqual([{ node: { id } }])
    await live.stop()
  })

  test.each<Filter>([{}, { text: 'secret' }, { statuses: ['OPEN'] }, { assignee: { none: true } }])(
    'nothing of another workspace comes, not even an id: %j',
    async (filter) => {
      const other = await guddesk.newTenant()
      const theirs = await guddesk.newConversation(other, 'secret')
      const { visitorId } = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({ where: { id: theirs } })
      const ours = await guddesk.newConversation(tenant, 'secret')
      await quiet(guddesk)
      const live = overWebSocket<Update>(guddesk, { filter }, { query: FEED, key: tenant.key })
      const { memberId } = other
      const byTheirs = [{ visitorId }, { assignee: { memberId } }].map((theirFilter) =>
        overWebSocket<Update>(guddesk, { filter: theirFilter }, { query: FEED, key: tenant.key }),
      )
      await until(() => [live, ...byTheirs].every(({ events }) => events.length > 0))
      await say(theirs, 'secret', other)
      await guddesk.call('PATCH', `/api/v1/conversations/${theirs}`, { assigneeId: memberId }, { key: other.key })
      await guddesk.call('PATCH', `/api/v1/customers/${visitorId}`, { name: 'secret' }, { key: other.key })
      await say(ours, 'ours')
      await until(() => [live, ...byTheirs].every(({ events }) => seen(events).length > 0))
      await quietPeriod()
      for (const { events } of [live, ...byTheirs]) expect(new Set(seen(events))).toEqual(new Set([ours]))
      expect(byTheirs.flatMap(({ events }) => events.flatMap(({ conversations }) => conversations))).toEqual([])
      await Promise.all([live, ...byTheirs].map((each) => each.stop()))
    },
  )
})

/** The statements that judge changes, of those sent during `work`. */
async function judging(work: () => Promise<unknown>): Promise<string[]> {
  const all = await statementsOf(guddesk, work)
  return all.filter((text) => /array_positions|inMessages|walk\.visitor_id/.test(text))
}

describe('one update', () => {
  const followers = async (filters: readonly Filter[]) => {
    await quiet(guddesk)
    const lists = filters.map((filter) => new KeptList(guddesk.deps, actor, filter))
    await Promise.all(lists.map((list) => list.follow(streams)))
    const isTold = (count: number) => lists.every(({ updates }) => updates.length >= count)
    const stop = () => Promise.all(lists.map((list) => list.cut()))
    return { lists, isTold, stop }
  }

  test('is one statement for a hundred filters, and one more for all their searches', async () => {
    const id = await guddesk.newConversation(tenant, 'hello')
    const plain = Array.from({ length: 90 }, (_, i): Filter => ({ tags: { any: [`tag${i}`] }, statuses: ['OPEN'] }))
    const { isTold, stop } = await followers(plain)
    const statements = await judging(async () => {
      await say(id, 'again')
      await until(() => isTold(2))
    })
    expect(statements).toHaveLength(1)
    await stop()
    const searches = Array.from({ length: 50 }, (_, i): Filter => ({ text: `word${i}` }))
    const both = await followers([...plain.slice(0, 50), ...searches])
    const more = await judging(async () => {
      await say(id, 'and again')
      await until(() => both.isTold(2))
    })
    expect(more).toHaveLength(2)
    await both.stop()
  })

  test('is one statement for any number of followers of one list, whoever they are', async () => {
    const id = await guddesk.newConversation(tenant, 'hello')
    const { userId, memberId } = await guddesk.newMember(tenant, 'Mia')
    const mia = await guddesk.actorOf(await guddesk.newKey({ ...tenant, userId, memberId }, 'READ_ONLY'))
    await quiet(guddesk)
    const filter: Filter = { statuses: ['OPEN'], text: 'hello' }
    const lists = Array.from({ length: 200 }, (_, i) => new KeptList(guddesk.deps, i % 2 === 0 ? actor : mia, filter))
    await Promise.all(lists.map((list) => list.follow(streams)))
    const statements = await judging(async () => {
      await say(id, 'again')
      await until(() => lists.every(({ updates }) => updates.length === 2))
    })
    expect(statements).toHaveLength(2)
    // Of the one search, not two hundred.
    expect(
      statements.find((text) => text.includes('array_positions'))?.match(/= ANY\(\$\d+::text\[\]\) AND/g),
    ).toHaveLength(1)
    await Promise.all(lists.map((list) => list.cut()))
  })

  test('reads a long conversation’s messages once, then only new ones', async () => {
    const id = await guddesk.newConversation(tenant, 'zebra')
    const read: number[][] = []
    const { db } = guddesk.deps
    const prepared = db.prepared.bind(db)
    Object.assign(db, {
      prepared: (statement: { name: string }, params: unknown[]) => {
        if (statement.name === 'search_changed') read.push(params[2] as number[])
        return prepared(statement as never, params)
      },
    })
    try {
      const { lists, stop } = await followers([{ text: 'zebra' }, { text: 'lion' }])
      const [zebra, lion] = lists
      if (zebra === undefined || lion === undefined) throw new Error('there are two')
      await say(id, 'two')
      await until(() => zebra.updates.length === 2)
      await say(id, 'three')
      await until(() => zebra.updates.length === 3)
      expect(read).toEqual([[0], [2]])
      await say(id, 'a lion')
      await until(() => lion.updates.length === 4)
      expect(await zebra.isTrue()).toBe(true)
      expect(await lion.isTrue()).toBe(true)
      expect(lion.held()).toHaveLength(1)
      // Another search has read nothing of it yet.
      const more = await followers([{ text: 'two' }])
      await say(id, 'five')
      await until(() => more.isTold(2))
      expect(read.at(-1)).toEqual([0])
      expect(await more.lists[0]?.isTrue()).toBe(true)
      expect(more.lists[0]?.held()).toHaveLength(1)
      await Promise.all([stop(), more.stop()])
    } finally {
      Object.assign(db, { prepared })
    }
  })
})

test('10,000 conversations that change at once come to each list once, in updates of a hundred', async () => {
  const { workspaceId } = tenant
  const visitorId = await guddesk.newVisitor(tenant)
  await guddesk.deps.db.sql(
    `INSERT INTO conversations (id, workspace_id, visitor_id, tags, created_at, updated_at, last_activity_at)
     SELECT 'conv_' || $1 || n, $1, $2, CASE WHEN n % 10 = 0 THEN ARRAY['vip'] ELSE '{}' END, now(), now(), now()
       FROM generate_series(1, 10000) n`,
    [workspaceId, visitorId],
  )
  await quiet(guddesk)
  const { signal } = new AbortController()
  const gather = async (filter: Filter) => {
    const updates: InboxUpdate[] = []
    const ready = Promise.withResolvers<void>()
    const done = (async () => {
      for await (const update of streams.inbox.follow(actor, { filter }, signal)) {
        updates.push(update)
        ready.resolve()
        if (seen(updates).length >= 10_000) return
      }
    })()
    await ready.promise
    return { updates, done }
  }
  const [all, vip] = [await gather({}), await gather({ tags: { any: ['vip'] } })]
  await guddesk.deps.db.sql(
    `INSERT INTO events (id, workspace_id, type, conversation_id, body)
     SELECT 'evt_' || n || $1, $1, 'conversation.updated', 'conv_' || $1 || n, '{"event":"x","data":{},"timestamp":""}'
       FROM generate_series(1, 10000) n`,
    [workspaceId],
  )
  await Promise.all([all.done, vip.done])
  for (const { updates } of [all, vip]) {
    expect(new Set(seen(updates)).size).toBe(10_000)
    for (const { conversations, removedIds } of updates)
      expect(conversations.length + removedIds.length).toBeLessThanOrEqual(100)
  }
  expect(all.updates.flatMap(({ conversations }) => conversations)).toHaveLength(10_000)
  expect(vip.updates.flatMap(({ conversations }) => conversations)).toHaveLength(1000)
}, 30_000)

test('a filter that the database refuses ends its followers alone, and the others go on', async () => {
  const id = await guddesk.newConversation(tenant, 'hello')
  const { db } = guddesk.deps
  const values = db.values.bind(db)
  Object.assign(db, {
    values: (text: string, params: unknown[], options: { isNamed: boolean }) => {
      const isPoison = text.includes('array_positions') && JSON.stringify(params).includes('poison')
      if (isPoison) return Promise.reject(Object.assign(new Error('refused'), { code: '22021' }))
      return values(text, params, options)
    },
  })
  try {
    await quiet(guddesk)
    const lists = [{}, { tags: { any: ['poison'] } }, { statuses: ['OPEN'] }].map(
      (filter) => new KeptList(guddesk.deps, actor, filter as Filter),
    )
    await Promise.all(lists.map((list) => list.follow(streams)))
    await say(id, 'again')
    await until(() => lists[1]?.fault !== null && lists[0]?.updates.length === 2 && lists[2]?.updates.length === 2)
    expect(lists.map(({ fault }) => fault === null)).toEqual([true, false, true])
    expect(await lists[2]?.isTrue()).toBe(true)
    await Promise.all(lists.map((list) => list.cut()))
  } finally {
    Object.assign(db, { values })
  }
})
