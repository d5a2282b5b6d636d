import { expect, test } from 'vitest'
import { StreamEndedError } from '../../../src/live/log-tailer.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { quiet, START } from '../../support/event-log.ts'
import { guddesk, tenant, useInboxes } from './inbox-steps.ts'

useInboxes()

const EVENTS = `INSERT INTO events (id, workspace_id, type, conversation_id, body)
  SELECT 'evt_' || n || $1, $1, 'conversation.updated', 'conv_' || n, '{"event":"x","data":{},"timestamp":""}'
    FROM generate_series(1, $2::int) n`

test('a slow reader holds a bounded number of conversations, and is told to resume; nothing is missed', async () => {
  const actor = await guddesk.actorOf(tenant.key)
  const streams = openStreams(guddesk.deps)
  const { signal } = new AbortController()
  const slow = streams.inbox.follow(actor, {}, signal)
  await slow.next()
  const pending = slow.next()
  // Whatever it gets, the other one has been given as well.
  const quick = streams.inbox.follow(actor, {}, signal)
  await quick.next()
  await guddesk.deps.db.sql(EVENTS, [tenant.workspaceId, 5000])
  const seen = new Set<string>()
  for await (const { removedIds } of quick) {
    for (const id of removedIds) seen.add(id)
    if (seen.size === 5000) break
  }
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
