import { describe, expect, test } from 'vitest'
import { quiet, START } from '../../support/event-log.ts'
import { pause, until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'
import { change, guddesk, INBOX, say, tenant, type Update, useInboxes } from './inbox-steps.ts'

useInboxes()

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

  /** Waits until an inbox has been told whatever happened before. @returns the conversation that came last */
  async function passed(live: Live<Update>): Promise<string> {
    const last = await guddesk.newConversation(tenant)
    await until(() => changedIn(live.events).some(({ id }) => id === last))
    return last
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
    const last = await passed(live)
    await live.stop()
    expect(new Set(changedIn(live.events).map((conversation) => conversation.id))).toEqual(new Set([id, last]))
  })

  test('a conversation with many messages makes at most about four updates a second, and the last one is told', async () => {
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    const began = performance.now()
    const MESSAGES = 100
    for (let i = 0; i < MESSAGES; i++) await say(id, `message ${i}`)
    const took = performance.now() - began
    await until(() => changedIn(live.events).at(-1)?.messageCount === MESSAGES)
    await passed(live)
    await live.stop()
    const ofIt = live.events.flatMap(({ conversations }) => conversations.filter((one) => one.id === id))
    // The first one at once, one more each 250 ms, and one after the end.
    expect(ofIt.length).toBeLessThanOrEqual(2 + Math.ceil(took / 250))
    expect(ofIt.length).toBeGreaterThanOrEqual(2)
    expect(ofIt.at(-1)?.lastMessagePreview).toBe(`message ${MESSAGES - 1}`)
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
    const last = await passed(live)
    await live.stop()
    expect(changedIn(live.events).map(({ id }) => id)).toEqual([second, first, third, last])
    // From the very beginning: all of them.
    const all = await open({ after: START })
    await until(() => changedIn(all.events).length >= 6)
    await all.stop()
    expect(new Set(changedIn(all.events).map(({ id }) => id))).toEqual(new Set([...ids, last]))
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
      await pause(20)
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
