import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import { recordBulkUpdate, SYSTEM } from '../../../src/domain/events/events.ts'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { openStreams, type Streams } from '../../../src/live/streams.ts'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { quietPeriod, until } from '../../support/until.ts'
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

const call = async (method: string, path: string, body: object, key = tenant.key) => {
  const answer = await guddesk.call(method, `/api/v1/${path}`, body, { key })
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
  return answer.body.data
}
const say = (id: string, body: string, type = 'AGENT') => call('POST', `conversations/${id}/messages`, { body, type })
const change = (id: string, patch: object) => call('PATCH', `conversations/${id}`, patch)
const newVisitor = async (visitor: object): Promise<string> => (await call('POST', 'customers', visitor)).id
const start = async (visitorId: string, more: object = {}): Promise<string> =>
  (await call('POST', 'conversations', { visitorId, ...more })).id

/** Nothing deletes single conversations today; whatever will records an event of it. */
async function remove(id: string): Promise<void> {
  const { workspaceId } = tenant
  await inEventTransaction(guddesk.deps, { workspaceId, conversationIds: [id] }, async (tx) => {
    await tx.db.conversation.delete({ where: { id } })
    const update = { workspaceId, conversationIds: [id], changed: [], actor: SYSTEM, at: guddesk.deps.clock.now() }
    await recordBulkUpdate(tx, guddesk.deps.bus, update)
  })
}

/** A sequence of numbers that looks random and is the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing']
const WORDS = ['parcel', 'refund', 'lamp', 'late delivery']
const TAGS = ['vip', 'bug', 'refund']

async function world(seed: number) {
  const roll = dice(seed)
  const pick = <T>(all: readonly T[]): T => {
    const one = all[roll(all.length)]
    if (one === undefined) throw new Error('there is nothing to pick from')
    return one
  }
  const colleague = await guddesk.newMember(tenant, 'Mia')
  const visitors: string[] = []
  for (const [index, name] of NAMES.entries()) {
    visitors.push(await newVisitor({ externalId: `v${index}`, name, email: `v${index}@example.com` }))
  }
  const ids: string[] = []
  for (let i = 0; i < 6; i++)
    ids.push(await start(pick(visitors), { message: `About a ${pick(WORDS)}`, subject: null }))
  await say(ids[0] ?? '', 'a note on the zebra', 'NOTE')
  const middle = guddesk.clock.now()
  const filters: Filter[] = [
    {},
    { statuses: ['OPEN'] },
    { statuses: ['SNOOZED', 'CLOSED'] },
    { assignee: { me: true } },
    { assignee: { none: true }, statuses: ['OPEN'] },
    { assignee: { memberId: colleague.memberId } },
    { visitorId: visitors[0] ?? '' },
    { tags: { any: ['vip', 'bug'] } },
    { tags: { all: ['vip', 'refund'] } },
    { tags: { any: ['bug'], all: ['vip'] } },
    { priorities: [2, 3] },
    { channels: ['EMAIL'] },
    { createdAt: { to: middle } },
    { createdAt: { from: middle } },
    { lastActivityAt: { to: middle } },
    { lastActivityAt: { from: middle } },
    { text: 'zebra' },
    { text: 'parcel' },
    { text: 'late del' },
    { text: 'ada lovel' },
    { text: 'hopper' },
    { text: 'renamed' },
    { text: 'v1 example' },
    { text: 'moved.example' },
    { text: 'urgent subject' },
    { text: '…' },
    { text: 'refund', statuses: ['OPEN'], assignee: { none: true } },
  ]
  const lists = [
    ...filters.map((filter) => new KeptList(guddesk.deps, actor, filter)),
    ...[{}, { text: 'lamp' }].map((filter) => new KeptList(guddesk.deps, actor, filter, 'CREATED')),
  ]
  const writes: [string, () => Promise<unknown>][] = [
    ['a message', () => say(pick(ids), pick(WORDS))],
    ['a visitor’s message', () => say(pick(ids), pick(WORDS), 'VISITOR')],
    ['a note', () => say(pick(ids), pick(['zebra', 'nothing']), 'NOTE')],
    ['tags', () => change(pick(ids), { tags: TAGS.filter(() => roll(2) === 0) })],
    ['assigned', () => change(pick(ids), { assigneeId: pick([tenant.memberId, colleague.memberId, null]) })],
    ['closed', () => change(pick(ids), { status: 'CLOSED' })],
    ['reopened', () => change(pick(ids), { status: 'OPEN' })],
    ['snoozed', () => change(pick(ids), { status: 'SNOOZED' })],
    ['subject', () => change(pick(ids), { subject: pick([null, 'Urgent subject', 'Other']) })],
    ['priority', () => change(pick(ids), { priority: roll(4) })],
    ['renamed', () => call('PATCH', `customers/${pick(visitors)}`, { name: pick([...NAMES, 'Renamed', null]) })],
    ['moved', () => call('PATCH', `customers/${pick(visitors)}`, { email: pick(['a@moved.example', null]) })],
    ['upserted', () => call('POST', 'customers', { externalId: `v${roll(3)}`, name: pick([...NAMES, 'Renamed']) })],
    ['started', async () => void ids.push(await start(pick(visitors), { message: pick(WORDS), channel: 'EMAIL' }))],
    [
      'deleted',
      async () => {
        const id = pick(ids)
        ids.splice(ids.indexOf(id), 1)
        await remove(id)
        if (ids.length < 3) ids.push(await start(pick(visitors), { message: pick(WORDS) }))
      },
    ],
  ]
  return { roll, pick, lists, writes, colleague }
}

async function expectTrue(lists: readonly KeptList[], what: string): Promise<void> {
  for (const list of lists) {
    let differs = ''
    const isTrue = async () => {
      if (list.fault !== null) throw list.fault
      if (await list.isTrue()) return true
      differs = `held ${JSON.stringify(list.held().map(({ id }) => id))}, fresh ${JSON.stringify(await list.fresh())}`
      return false
    }
    await until(isTrue, 10_000, () => `after ${what}, ${JSON.stringify(list.filter)}: ${differs}`)
  }
}

describe('a list that is kept by the rule', () => {
  test.each([1, 2])(
    'is that of a fresh query after every write, whatever its filter; seed %i',
    async (seed) => {
      const { writes, lists, roll } = await world(seed)
      await quiet(guddesk)
      await Promise.all(lists.map((list) => list.follow(streams)))
      await expectTrue(lists, 'the start')
      const log: string[] = []
      // Each kind once, then at random.
      const sequence = [...writes, ...Array.from({ length: 15 }, () => writes[roll(writes.length)] ?? writes[0])]
      for (const write of sequence) {
        if (write === undefined) continue
        const [what, run] = write
        log.push(what)
        await run()
        await expectTrue(lists, log.join(', '))
      }
      for (const list of lists) await list.cut()
    },
    60_000,
  )

  test('is that of a fresh query after any number of cuts in the middle', async () => {
    const { writes, lists, roll, pick } = await world(3)
    await quiet(guddesk)
    await Promise.all(lists.map((list) => list.follow(streams)))
    for (let i = 0; i < 40; i++) {
      const [, run] = pick(writes)
      const list = pick(lists)
      const cut = list.isLive ? list.cut() : list.follow(streams)
      await Promise.all([run(), cut])
      if (roll(4) === 0) await Promise.all(lists.filter(({ isLive }) => !isLive).map((each) => each.follow(streams)))
    }
    await Promise.all(lists.filter(({ isLive }) => !isLive).map((each) => each.follow(streams)))
    await expectTrue(lists, 'forty writes and cuts')
    for (const list of lists) await list.cut()
  }, 60_000)

  test('loses what belonged to a removed member, and the list of nobody’s has it', async () => {
    const { lists, colleague } = await world(4)
    const id = await start(await newVisitor({ name: 'Vera' }), { message: 'hello' })
    await change(id, { assigneeId: colleague.memberId })
    await quiet(guddesk)
    await Promise.all(lists.map((list) => list.follow(streams)))
    const remove = 'mutation ($id: ID!) { removeMember(input: { memberId: $id }) { error { code } } }'
    const { data } = await guddesk.graphql(remove, { id: colleague.memberId }, { key: tenant.key })
    expect(data).toEqual({ removeMember: { error: null } })
    await drainRemovals(guddesk.deps)
    await expectTrue(lists, 'the removal')
    for (const list of lists) await list.cut()
  })
})

describe('a visitor', () => {
  const many = async (count: number) => {
    const visitorId = await newVisitor({ name: 'Vera Many' })
    await guddesk.deps.db.sql(
      `INSERT INTO conversations (id, workspace_id, visitor_id, created_at, updated_at, last_activity_at)
       SELECT 'conv_' || lpad(n::text, 26, '0') || right($1, 4), $1, $2, now(), now(), now() - n * interval '1 second'
         FROM generate_series(1, $3::int) n`,
      [tenant.workspaceId, visitorId, count],
    )
    return visitorId
  }
  const found = (list: KeptList) => list.updates.flatMap(({ conversations }) => conversations.map(({ id }) => id))

  test('with 2,500 conversations who is renamed enters in bounded updates, each once, with others’ changes', async () => {
    const visitorId = await many(2500)
    const other = await start(await newVisitor({ name: 'Otto' }), { message: 'hello' })
    await quiet(guddesk)
    const list = new KeptList(guddesk.deps, actor, { text: 'renamed' })
    const rest = new KeptList(guddesk.deps, actor, { text: 'otto' })
    await Promise.all([list.follow(streams), rest.follow(streams)])
    await call('PATCH', `customers/${visitorId}`, { name: 'Renamed' })
    await say(other, 'meanwhile')
    await until(() => found(list).length >= 2500)
    await until(() => found(rest).length === 1)
    await quietPeriod()
    expect(new Set(found(list)).size).toBe(2500)
    expect(found(list)).toHaveLength(2500)
    const sizes = list.updates.map(({ conversations, removedIds }) => conversations.length + removedIds.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100)
    await list.cut()
    await rest.cut()
  })

  test('renamed in an absence, or cut off in the middle of it: nothing is missing, and each comes once', async () => {
    const visitorId = await many(449)
    const own = await start(visitorId, { message: 'hello' })
    await quiet(guddesk)
    const list = new KeptList(guddesk.deps, actor, { text: 'renamed' })
    await list.follow(streams)
    await list.cut()
    await call('PATCH', `customers/${visitorId}`, { name: 'Renamed' })
    await say(own, 'also')
    await call('PATCH', `customers/${visitorId}`, { email: 'renamed@example.com' })
    await quiet(guddesk)
    await list.follow(streams)
    await until(() => found(list).length >= 450)
    await quietPeriod()
    expect(found(list)).toHaveLength(450)
    expect(new Set(found(list)).size).toBe(450)
    await list.cut()
    // From each of its cursors, what is missing comes.
    const cursors = list.updates.map(({ cursor }) => cursor)
    for (const after of new Set(cursors)) {
      const told = new Set<string>()
      for (const update of list.updates.slice(0, cursors.indexOf(after) + 1)) {
        for (const { id } of update.conversations) told.add(id)
      }
      const { signal } = new AbortController()
      for await (const { conversations } of streams.inbox.follow(actor, { filter: list.filter, after }, signal)) {
        for (const { id } of conversations) told.add(id)
        if (told.size === 450) break
      }
      expect(told.size).toBe(450)
    }
  })

  test('is in the log once for a change that lists show, and not for others', async () => {
    const types = async () => {
      const rows = await guddesk.deps.db.sql<{ body: string; conversation_id: string | null }>(
        `SELECT body, conversation_id FROM events WHERE workspace_id = $1 AND type = 'visitor.updated' ORDER BY xid, seq`,
        [tenant.workspaceId],
      )
      expect(rows.every((row) => row.conversation_id === null)).toBe(true)
      return rows.map(({ body }) => JSON.parse(body).data.changed as string[])
    }
    const visitorId = await newVisitor({ externalId: 'x', name: 'Vera', email: 'vera@example.com' })
    await newVisitor({ externalId: 'x', name: 'Vera', email: 'VERA@example.com', metadata: { seen: 1 } })
    await call('PATCH', `customers/${visitorId}`, { name: 'Vera', metadata: { seen: 2 }, externalId: 'y' })
    expect(await types()).toEqual([])
    await newVisitor({ externalId: 'y', name: 'Nora' })
    await call('PATCH', `customers/${visitorId}`, { email: null })
    const update =
      'mutation ($id: ID!) { updateVisitor(input: { visitorId: $id, name: "Olga", avatarUrl: null }) { error { code } } }'
    expect((await guddesk.graphql(update, { id: visitorId }, { key: tenant.key })).data.updateVisitor.error).toBe(null)
    expect(await types()).toEqual([['name'], ['email'], ['name']])
  })
})
