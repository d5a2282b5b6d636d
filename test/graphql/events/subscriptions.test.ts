import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { newApiKey } from '../../../src/infra/secrets.ts'
import { quiet, START } from '../../support/event-log.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { type EventUpdate, type Live, overSse, placed, type Subscribe, TRANSPORTS } from '../live.ts'

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

function write(method: string, path: string, body: object) {
  return guddesk.call(method, `/api/v1/conversations${path}`, body, { key: tenant.key })
}

/** Ids of the workspace's events, in the log's order. */
async function logged(): Promise<string[]> {
  const sql = 'SELECT id FROM events WHERE workspace_id = $1 ORDER BY xid, seq'
  return (await guddesk.deps.db.sql<{ id: string }>(sql, [tenant.workspaceId])).map(({ id }) => id)
}

/** Of the two that are written last. */
const ofTheLast = <T>(one: T) => [one, one]
const idsOf = (updates: EventUpdate[]) => updates.map(({ event }) => event.id)

describe.each(TRANSPORTS)('over %s', (name, transport) => {
  /** Starts a subscription; when it returns, the server follows the log. */
  async function subscribe(variables: object = {}, options: Subscribe = {}): Promise<Live> {
    await quiet(guddesk)
    const key = options.key === undefined ? tenant.key : options.key
    return placed(
      () => transport(guddesk, variables, { ...options, key }),
      (live) => live.isEnded(),
    )
  }

  test('events arrive in order, with what webhooks carry', async () => {
    const live = await subscribe()
    const conversationId = await guddesk.newConversation(tenant, 'hello')
    await write('POST', `/${conversationId}/messages`, { body: 'psst', type: 'NOTE' })
    await write('PATCH', `/${conversationId}`, { assigneeId: tenant.memberId })
    await write('PATCH', `/${conversationId}`, { status: 'CLOSED' })
    // It comes after everything else.
    await guddesk.newConversation(tenant)
    await until(() => live.events.filter(({ event }) => event.type === 'CONVERSATION_CREATED').length === 2)
    expect(live.isEnded()).toBe(false)
    await live.stop()
    expect(live.errors).toEqual([])
    expect(live.events.map(({ event }) => event.type)).toEqual([
      'CONVERSATION_CREATED',
      'MESSAGE_CREATED',
      'NOTE_CREATED',
      'CONVERSATION_UPDATED',
      'CONVERSATION_ASSIGNED',
      'CONVERSATION_UPDATED',
      'CONVERSATION_CLOSED',
      'CONVERSATION_CREATED',
    ])
    expect(idsOf(live.events)).toEqual(await logged())
    const message = { type: 'VISITOR', body: 'hello', sequence: 1, workspaceId: tenant.workspaceId }
    const [, second] = live.events
    expect(second?.event).toMatchObject({
      conversation: { id: conversationId },
      payload: { conversationId, ...message },
    })
    expect(second?.event.payload).toHaveProperty('actor.type', 'api_key')
    expect(new Set(live.events.map(({ cursor }) => cursor)).size).toBe(8)
    for (const { event } of live.events) expect(event.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('types and conversationId filter; another workspace’s events never arrive', async () => {
    const conversationId = await guddesk.newConversation(tenant)
    const other = await guddesk.newTenant()
    const theirs = await guddesk.newConversation(other)
    const all = await subscribe()
    const notes = await subscribe({ filter: { types: ['NOTE_CREATED', 'CONVERSATION_CLOSED'] } })
    const one = await subscribe({ filter: { conversationId } })
    const spy = await subscribe({ filter: { conversationId: theirs } })
    const none = await subscribe({ filter: { types: [] } })
    const second = await guddesk.newConversation(tenant, 'ours')
    await guddesk.newConversation(other, 'theirs')
    await guddesk.call('POST', `/api/v1/conversations/${theirs}/messages`, { body: 'x' }, { key: other.key })
    for (const id of [conversationId, second]) await write('POST', `/${id}/messages`, { body: 'x', type: 'NOTE' })
    await write('POST', `/${conversationId}/messages`, { body: 'x' })
    // They come to whoever is to have them, after everything else has come to the others.
    for (const count of [6, 7]) {
      await write('POST', `/${conversationId}/messages`, { body: 'last', type: 'NOTE' })
      const last = () => all.events[count - 1]?.event.id
      await until(
        () => last() !== undefined && [all, notes, one].every(({ events }) => events.at(-1)?.event.id === last()),
      )
    }
    for (const live of [all, notes, one, spy, none]) {
      await live.stop()
      expect(live.errors).toEqual([])
    }
    expect(idsOf(all.events)).toEqual((await logged()).slice(1))
    expect(notes.events.map(({ event }) => event.conversation?.id)).toEqual([
      conversationId,
      second,
      ...ofTheLast(conversationId),
    ])
    expect(one.events.map(({ event }) => event.type)).toEqual([
      'NOTE_CREATED',
      'MESSAGE_CREATED',
      ...ofTheLast('NOTE_CREATED'),
    ])
    expect(spy.events).toEqual([])
    expect(none.events).toEqual([])
  })

  test('`after` resumes with no gap and no repeat while others write', async () => {
    const conversationId = await guddesk.newConversation(tenant)
    let isWriting = true
    const writing = Promise.all(
      [1, 2, 3].map(async () => {
        for (let i = 0; i < 25; i++) await write('POST', `/${conversationId}/messages`, { body: `${i}`, type: 'AGENT' })
      }),
    ).finally(() => {
      isWriting = false
    })
    const ids: string[] = []
    let after = START
    for (let round = 0; isWriting || ids.length < 76; round++) {
      const live = transport(guddesk, { after }, { key: tenant.key })
      const wanted = Math.min(1 + ((round * 5) % 13), 76 - ids.length)
      await until(() => live.events.length >= wanted || live.isEnded())
      await live.stop()
      expect(live.errors).toEqual([])
      ids.push(...idsOf(live.events))
      after = live.events.at(-1)?.cursor ?? after
    }
    await writing
    expect(ids).toEqual(await logged())
  })

  test('unsubscribing ends it promptly, with nothing left behind', async () => {
    const { subscribe: original } = guddesk.deps.bus
    const ended = vi.fn()
    const spy = vi.spyOn(guddesk.deps.bus, 'subscribe').mockImplementation((topic, listener) => {
      const stop = original(topic, listener)
      return () => {
        ended(topic)
        stop()
      }
    })
    const live = await placed(() => transport(guddesk, {}, { key: tenant.key }))
    expect(ended).not.toHaveBeenCalled()
    await live.stop()
    await until(() => ended.mock.calls.length > 0, 2000)
    expect(ended.mock.calls).toEqual([[`events:${tenant.workspaceId}`]])
    spy.mockRestore()
  })

  test.each(['', 'x', '\u0000', 'e30'])('the malformed cursor %j is bad_request', async (after) => {
    const live = transport(guddesk, { after }, { key: tenant.key })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.events).toEqual([])
    expect(live.errors).toHaveLength(1)
    expect(live.errors[0]?.extensions).toMatchObject({ code: 'bad_request' })
  })

  test.each([
    ['no key', null],
    ['an unknown key', newApiKey()],
    ['a malformed key', 'gd_x'],
  ])('with %s it is unauthorized', async (_name, key) => {
    const live = transport(guddesk, {}, { key })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.events).toEqual([])
    expect(live.errors).toHaveLength(1)
    expect(live.errors[0]?.message).toMatch(/send a valid API key/i)
    expect(live.errors[0]?.extensions).toMatchObject({ code: 'unauthorized' })
    if (transport === overSse) expect(live.errors[0]?.status).toBe(401)
  })

  test('an all-workspaces key names its workspace', async () => {
    const key = await guddesk.newKey(tenant, 'READ_ONLY', 'all')
    const live = await subscribe({}, { key, headers: { 'x-workspace-id': tenant.workspaceId } })
    await guddesk.newConversation(tenant)
    await until(() => live.events.length >= 1)
    await live.stop()
    const unnamed = transport(guddesk, {}, { key })
    await until(() => unnamed.isEnded())
    await unnamed.stop()
    expect(unnamed.errors[0]?.extensions).toMatchObject({ code: 'bad_request' })
  })

  test.each([
    // Yoga remembers what it parsed: another text each time, so that no transport lives on another's answer.
    ['a syntax error', `subscription { ${name.replaceAll(/\W/g, '_')} {`],
    ['an unknown field', 'subscription { events { nothing } }'],
    ['an unknown root field', 'subscription { nothing }'],
  ])('%s is an error of that subscription', async (_name, query) => {
    const live = transport(guddesk, {}, { key: tenant.key, query })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.errors).toHaveLength(1)
    expect(live.errors[0]).toMatchObject({ message: expect.stringMatching(/Syntax Error|Cannot query field/) })
    expect(live.errors[0]).toHaveProperty('extensions.code')
  })
})

test('a faulty operation leaves the other subscriptions of its socket alone', async () => {
  const client = createClient({
    url: `${guddesk.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { 'x-api-key': tenant.key },
    retryAttempts: 0,
  })
  const good = client.iterate<{ events: { event: { id: string } } }>({
    query: 'subscription { events { event { id } } }',
  })
  const { first } = await placed(() => ({ first: good.next().catch((error: unknown) => error) }))
  for (const query of [
    'subscription { nothing }',
    'subscription { events(after: "x") { cursor } }',
    'subscription {',
  ]) {
    await client
      .iterate({ query })
      .next()
      .catch(() => undefined)
  }
  await guddesk.newConversation(tenant)
  expect(await first).toMatchObject({ done: false, value: { data: { events: { event: { id: expect.any(String) } } } } })
  await good.return?.()
  await client.dispose()
})
