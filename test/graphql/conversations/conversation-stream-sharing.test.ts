import { expect, test } from 'vitest'
import { openStreams } from '../../../src/live/streams.ts'
import { quiet } from '../../support/event-log.ts'
import { until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'
import {
  CONVERSATION,
  guddesk,
  id,
  START,
  say,
  tenant,
  type Update,
  useConversation,
} from './conversation-stream-steps.ts'

useConversation()

test('followers of one conversation share what is loaded', async () => {
  const watching = Array.from({ length: 20 }, () =>
    overWebSocket<Update>(guddesk, { id }, { query: CONVERSATION, key: tenant.key }),
  )
  await until(() => watching.every(({ events }) => events.length > 0))
  const loads: string[] = []
  const { message } = guddesk.deps.db.prisma
  const findMany = message.findMany.bind(message)
  message.findMany = ((args: never) => {
    loads.push(JSON.stringify(args))
    return findMany(args)
  }) as typeof message.findMany
  await say('for all')
  await until(() => watching.every(({ events }) => events.length > 1))
  message.findMany = findMany as typeof message.findMany
  for (const live of watching) await live.stop()
  expect(loads).toHaveLength(1)
})

test('a visitor sees the own conversation without notes, and nobody else’s', async () => {
  const actor = await guddesk.actorOf(tenant.key)
  const { visitorId } = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({ where: { id } })
  const visitor = {
    ...actor,
    type: 'visitor',
    id: visitorId,
    name: 'Vera',
    permission: 'READ_ONLY',
    user: null,
  } as const
  const streams = openStreams(guddesk.deps)
  const controller = new AbortController()
  const { signal } = controller
  const others = await guddesk.newConversation(tenant)
  await expect(streams.conversations.follow(visitor, { id: others }, signal)).rejects.toMatchObject({
    code: 'not_found',
  })
  expect(() => streams.inbox.follow(visitor, {}, signal)).toThrow(expect.objectContaining({ code: 'forbidden' }))
  await say('psst', 'NOTE')
  await say('Hello')
  await quiet(guddesk)
  const bodies: string[] = []
  for await (const item of await streams.conversations.follow(visitor, { id, after: START }, signal)) {
    if (item.kind === 'message') bodies.push(item.message.body)
    if (bodies.length === 2) controller.abort()
  }
  streams.close()
  expect(bodies).toEqual(['hello', 'Hello'])
})
