import { afterAll, beforeAll, expect, test } from 'vitest'
import { typingTopic } from '../../../src/domain/events/events.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { type Hearing, hear } from '../../support/bus.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { census, installAgent } from '../objects.ts'

const PATH = '/api/agent/typing'

let guddesk: TestGudDesk
let conversationId: string
let typing: Hearing
const signals = (): Record<string, unknown>[] => typing.messages.map((text) => JSON.parse(text))

beforeAll(async () => {
  guddesk = await startGudDesk()
  conversationId = await guddesk.newConversation(guddesk.tenant, 'Hi')
  typing = await hear(guddesk.deps.bus, typingTopic(guddesk.tenant.workspaceId))
})

afterAll(() => guddesk?.stop())

test('is a live event only: nothing is stored', async () => {
  const { as, id } = await installAgent(guddesk)
  const state = async () => [
    await census(guddesk),
    (await guddesk.call('GET', `/api/v1/conversations/${conversationId}`)).data,
  ]
  const before = await state()
  for (const isTyping of [true, false]) {
    const { status, body } = await guddesk.call('POST', PATH, { conversationId, typing: isTyping }, as)
    expect([status, body]).toEqual([200, { data: { ok: true } }])
  }
  await until(() => signals().length >= 2)
  expect(signals()).toEqual(
    [true, false].map((isTyping) => ({
      conversationId,
      typing: isTyping,
      actor: expect.objectContaining({ type: 'agent', id }),
    })),
  )
  expect(await state()).toEqual(before)
})

test('never tells the name of a key', async () => {
  const heard = signals().length
  await guddesk.call('POST', PATH, { conversationId, typing: true })
  await until(() => signals().length > heard)
  expect(signals().at(-1)?.['actor']).toMatchObject({ type: 'api_key', name: 'AI Agent' })
})

test('for an unknown conversation is 404, and without true or false 400; nobody hears of it', async () => {
  const heard = signals().length
  const other = await guddesk.newTenant()
  const theirs = await guddesk.newConversation(other)
  for (const unknown of [newId('conversation'), newId('visitor'), theirs, 'x']) {
    const { status, error } = await guddesk.call('POST', PATH, { conversationId: unknown, typing: true })
    expect([status, error.code]).toEqual([404, 'not_found'])
  }
  for (const wrong of [undefined, null, 'true', 1, 0, [], {}]) {
    const { status, error } = await guddesk.call('POST', PATH, { conversationId, typing: wrong })
    expect([wrong, status]).toEqual([wrong, 400])
    expect(error.fields?.map(({ path }) => path)).toEqual(['typing'])
  }
  await typing.passed()
  expect(signals()).toHaveLength(heard)
})
