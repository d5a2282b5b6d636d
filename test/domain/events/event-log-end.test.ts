import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type EventLog, openEventLog } from '../../../src/live/event-log.ts'
import { StreamEndedError } from '../../../src/live/log-tailer.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { type LogOf, logOf } from './follow.ts'

const DONE = { done: true, value: undefined }
const never = new AbortController().signal

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

/** Somebody else who follows the workspace in a log. When this returns, all who followed it before are live as well. */
async function joined(events: EventLog): Promise<ReturnType<EventLog['batches']>> {
  const batches = events.batches(tenant.workspaceId, {}, never)
  await batches.next()
  return batches
}

test('a reader that is too slow is ended after its buffer, and can resume with no gap', async () => {
  const events = openEventLog(guddesk.deps)
  const slow = events.follow(log.actor, {}, never)
  const pending = slow.next()
  const fast: string[] = []
  const batches = await joined(events)
  await log.insert('flood', 3000)
  // Both are given the same at once.
  while (fast.length < 3000) {
    const { value } = await batches.next()
    fast.push(...(value?.events ?? []).map(({ id }) => id.split('@')[0] ?? id))
  }
  const got = [(await pending).value]
  const rest = (async () => {
    for await (const update of slow) got.push(update)
  })()
  await expect(rest).rejects.toThrow(StreamEndedError)
  const all = await log.logged()
  expect(all).toHaveLength(3000)
  expect(fast).toEqual(all)
  expect(got.length).toBeGreaterThanOrEqual(1000)
  expect(got.length).toBeLessThan(3000)
  const names = got.map((update) => update?.event.id.split('@')[0])
  expect(names).toEqual(all.slice(0, got.length))
  const resumed = await log.follow({ after: got.at(-1)?.cursor ?? null })
  await until(() => resumed.events.length >= 3000 - got.length)
  await resumed.stop()
  expect([...names, ...resumed.names()]).toEqual(all)
  events.close()
})

test('a slow reader does not hold up another one', async () => {
  const events = openEventLog(guddesk.deps)
  const slow = events.follow(log.actor, {}, never)
  const pending = slow.next()
  const fast: string[] = []
  const reading = (async () => {
    for await (const { event } of events.follow(log.actor, {}, never)) if (fast.push(event.id) === 1500) return
  })()
  await (await joined(events)).return()
  await log.insert('flood', 1500)
  await reading
  expect(fast).toHaveLength(1500)
  expect((await pending).done).toBe(false)
  await slow.return()
  events.close()
})

test('aborting ends a reader that waits, at once, and the last one leaves nothing behind', async () => {
  const { subscribe } = guddesk.deps.bus
  const unsubscribed = vi.fn()
  const spy = vi.spyOn(guddesk.deps.bus, 'subscribe').mockImplementation((topic, listener) => {
    const stop = subscribe(topic, listener)
    return () => {
      unsubscribed(topic)
      stop()
    }
  })
  const events = openEventLog(guddesk.deps)
  const [first, second] = [new AbortController(), new AbortController()]
  const waiting = [first, second].map(({ signal }) => events.follow(log.actor, {}, signal).next())
  await (await joined(events)).return()
  first.abort()
  expect(await waiting[0]).toEqual(DONE)
  expect(unsubscribed).not.toHaveBeenCalled()
  second.abort()
  expect(await waiting[1]).toEqual(DONE)
  expect(unsubscribed.mock.calls).toEqual([[`events:${tenant.workspaceId}`]])
  expect(spy).toHaveBeenCalledTimes(1)
  spy.mockRestore()
})

test('aborting while an event is being handled ends the loop after it', async () => {
  await log.insert('backlog', 500)
  const controller = new AbortController()
  const after = Buffer.from('["0","0"]').toString('base64url')
  let count = 0
  for await (const _ of openEventLog(guddesk.deps).follow(log.actor, { after }, controller.signal)) {
    if (++count === 3) controller.abort()
  }
  expect(count).toBeLessThan(500)
})

test('a signal that was aborted before ends it too', { timeout: 5000 }, async () => {
  const events = openEventLog(guddesk.deps)
  const reading = events.follow(log.actor, {}, AbortSignal.abort())
  try {
    expect(await reading.next()).toEqual(DONE)
  } finally {
    events.close()
  }
})

// Ending without an error would tell a client that there is nothing more to come.
test('closing the log tells readers to resume', async () => {
  const events = openEventLog(guddesk.deps)
  const ended = expect(events.follow(log.actor, {}, never).next()).rejects.toThrow(StreamEndedError)
  await (await joined(events)).return()
  events.close()
  await ended
})

test.each([
  ['nothing', ''],
  ['a letter', 'x'],
  ['U+0000', '\u0000'],
  ['an object', Buffer.from('{}').toString('base64url')],
  ['too few parts', Buffer.from('["1"]').toString('base64url')],
  ['a negative part', Buffer.from('["1","-1"]').toString('base64url')],
  ['a long text', 'x'.repeat(10_000)],
])('refuses %s as a cursor, at once', (_name, after) => {
  const follow = () => openEventLog(guddesk.deps).follow(log.actor, { after }, never)
  expect(follow).toThrow(expect.objectContaining({ code: 'bad_request' }))
})

test('a conversation that cannot be one is refused, at once', () => {
  const follow = () => openEventLog(guddesk.deps).follow(log.actor, { conversationId: 'conv_\u0000' }, never)
  expect(follow).toThrow(expect.objectContaining({ code: 'bad_request' }))
})

test('the log is not for visitors', () => {
  const visitor = { ...log.actor, type: 'visitor', id: 'vis_00000000000000000000000000', user: null } as const
  const follow = () => openEventLog(guddesk.deps).follow(visitor, {}, never)
  expect(follow).toThrow(expect.objectContaining({ code: 'forbidden' }))
})

test('a cursor beyond every transaction waits, and does not break', async () => {
  const after = Buffer.from(JSON.stringify(['9'.repeat(19), '9'.repeat(18)])).toString('base64url')
  const follower = await log.follow({ after })
  const other = await log.follow()
  await log.insert('event')
  for (let i = 0; i < 3; i++) await log.passed(other)
  await other.stop()
  await follower.stop()
  expect(follower.events).toEqual([])
})
