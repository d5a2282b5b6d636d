import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openEventLog } from '../../../src/live/event-log.ts'
import { backend } from '../../support/database.ts'
import { quiet, START } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { type LogOf, logOf } from './follow.ts'

let guddesk: TestGudDesk
/** A workspace of its own for every test. */
let tenant: Tenant
let log: LogOf

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  log = await logOf(guddesk, tenant)
})

test('events come as they are committed, in order, with what webhooks carry', async () => {
  await guddesk.newConversation(tenant, 'before')
  await quiet(guddesk)
  const follower = await log.follow()
  const conversationId = await guddesk.newConversation(tenant, 'hello')
  await until(() => follower.events.length >= 2)
  await log.passed(follower)
  await follower.stop()
  expect(follower.events.map(({ type }) => type)).toEqual(['conversation.created', 'message.created'])
  expect(follower.names()).toEqual((await log.logged()).slice(-2))
  const [, message] = follower.events
  expect(message).toMatchObject({ conversationId, createdAt: expect.any(Date) })
  expect(JSON.parse(message?.body ?? '')).toMatchObject({ event: 'message.created', data: { body: 'hello' } })
})

test('another workspace’s events never come, and filters leave out the rest', async () => {
  const other = await guddesk.newTenant()
  const conversationId = await guddesk.newConversation(tenant)
  await quiet(guddesk)
  const all = await log.follow()
  const notes = await log.follow({ types: ['note.created'] })
  const one = await log.follow({ conversationId })
  const say = (id: string, type: string) =>
    guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'x', type }, { key: tenant.key })
  await guddesk.newConversation(other, 'theirs')
  const second = await guddesk.newConversation(tenant, 'ours')
  await say(conversationId, 'NOTE')
  await say(second, 'NOTE')
  await say(conversationId, 'BOT')
  // It comes to all three, after everything that came wrongly.
  await say(conversationId, 'NOTE')
  const last = () => all.events[5]?.id
  await until(() => last() !== undefined && [all, notes, one].every(({ events }) => events.at(-1)?.id === last()))
  for (const follower of [all, notes, one]) await follower.stop()
  expect(all.names()).toEqual((await log.logged()).slice(1))
  expect(notes.events.map((event) => event.conversationId)).toEqual([conversationId, second, conversationId])
  expect(one.events.map(({ type }) => type)).toEqual(['note.created', 'message.created', 'note.created'])
})

test('`after` gives everything since, longer than any page, then goes on', async () => {
  await log.insert('first')
  await log.insert('backlog', 1234)
  await log.insert('last')
  const follower = await log.follow({ after: START })
  await until(() => follower.events.length >= 1236)
  await log.insert('live', 3)
  await until(() => follower.events.length >= 1239)
  await follower.stop()
  expect(follower.names()).toEqual(await log.logged())
  const resumed = await log.follow({ after: follower.events[700]?.cursor ?? null })
  await until(() => resumed.events.length >= 1239 - 701)
  await log.passed(resumed)
  await resumed.stop()
  expect(resumed.names()).toEqual(follower.names().slice(701))
})

test('who resumes again and again while others write misses nothing and gets nothing twice', async () => {
  let isWriting = true
  const writing = Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      for (let i = 0; i < 40; i++) await log.insert(`${name}${i}`, 2)
    }),
  ).finally(() => {
    isWriting = false
  })
  const events = openEventLog(guddesk.deps)
  const names: string[] = []
  let after = START
  for (let round = 0; isWriting || names.length < 240; round++) {
    let left = 1 + (round % 23)
    for await (const { event, cursor } of events.follow(log.actor, { after }, new AbortController().signal)) {
      names.push(event.id.split('@')[0] ?? event.id)
      after = cursor
      if (--left === 0 || names.length === 240) break
    }
  }
  await writing
  expect(names).toEqual(await log.logged())
})

// The embedded database has one connection: nothing is ever open beside anything else, so nothing commits late there.
describe.runIf(backend === 'postgres')('transactions that commit late', () => {
  test('an event inserted first and committed last is not lost, and comes first', async () => {
    const follower = await log.follow()
    await log.during('COMMIT', async (insert) => {
      await insert('late')
      await log.insert('early', 3)
      await follower.held()
      expect(follower.names()).toEqual([])
    })
    await until(() => follower.events.length >= 4)
    await log.passed(follower)
    await follower.stop()
    expect(follower.names()).toEqual(['late_1', 'early_1', 'early_2', 'early_3'])
  })

  test('one that began first and inserted last is not lost either', async () => {
    const follower = await log.follow()
    await log.during('COMMIT', async (insert) => {
      await log.insert('early')
      await insert('late', 2)
      await follower.held()
      expect(follower.names()).toEqual([])
    })
    await until(() => follower.events.length >= 3)
    await log.passed(follower)
    await follower.stop()
    expect(follower.names()).toEqual(['late_1', 'late_2', 'early_1'])
  })

  test('what was committed before the late one began does not wait for it', async () => {
    const follower = await log.follow()
    await log.insert('before')
    await log.during('COMMIT', async (insert) => {
      await insert('late')
      await log.insert('early')
      await until(() => follower.events.length >= 1)
      await follower.held()
      expect(follower.names()).toEqual(['before_1'])
    })
    await until(() => follower.events.length >= 3)
    await follower.stop()
    expect(follower.names()).toEqual(['before_1', 'late_1', 'early_1'])
  })

  test('what was rolled back does not come and holds nothing up', async () => {
    const follower = await log.follow()
    await log.during('ROLLBACK', async (insert) => {
      await insert('never')
      await log.insert('early')
    })
    await until(() => follower.events.length >= 1)
    await log.passed(follower)
    await follower.stop()
    expect(follower.names()).toEqual(['early_1'])
  })

  test('lists and their counts end before what it holds back', async () => {
    const id = await guddesk.newConversation(tenant, 'hello')
    await quiet(guddesk)
    const query = graphql(`query ($id: ID!) {
      events { totalCount edges { node { type } } }
      conversation(id: $id) { events { totalCount edges { node { type } } } } }`)
    const shown = async () => {
      const { events, conversation } = await guddesk.query(query, { id }, { key: tenant.key })
      return [events, conversation?.events].map((list) => ({
        total: list?.totalCount,
        types: list?.edges.map(({ node }) => node.type),
      }))
    }
    const before = { total: 2, types: ['CONVERSATION_CREATED', 'MESSAGE_CREATED'] }
    await log.during('COMMIT', async () => {
      await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' }, { key: tenant.key })
      expect(await shown()).toEqual([before, before])
    })
    await quiet(guddesk)
    const after = { total: 4, types: [...before.types, 'CONVERSATION_UPDATED', 'CONVERSATION_CLOSED'] }
    expect(await shown()).toEqual([after, after])
  })

  test('who begins, or resumes, while one is open gets its event', async () => {
    await log.insert('before')
    const first = await log.follow({ after: START })
    await until(() => first.events.length >= 1)
    await first.stop()
    const later = await new Promise<Awaited<ReturnType<LogOf['follow']>>[]>((resolve, reject) => {
      log
        .during('COMMIT', async (insert) => {
          await insert('late')
          await log.insert('early')
          resolve([await log.follow(), await log.follow({ after: first.events[0]?.cursor ?? null })])
        })
        .catch(reject)
    })
    await until(() => later.every(({ events }) => events.length >= 2))
    await log.passed(...later)
    for (const follower of later) await follower.stop()
    expect(later.map((follower) => follower.names())).toEqual([
      ['late_1', 'early_1'],
      ['late_1', 'early_1'],
    ])
  })
})
