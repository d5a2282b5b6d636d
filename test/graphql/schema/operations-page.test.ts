import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { overSse, overWebSocket } from '../live.ts'

const page = readFileSync(fileURLToPath(new URL('../../../docs/operations.md', import.meta.url)), 'utf8')
const documents = [...page.matchAll(/```graphql\n((query|mutation|subscription) (\w+)[\s\S]*?)```/g)].map(
  ([, text = '', kind = '', name = '']) => ({ text, kind, name }),
)
const queries = documents.filter(({ kind }) => kind === 'query')
const mutations = documents.filter(({ kind }) => kind === 'mutation')
const subscriptions = documents.filter(({ kind }) => kind === 'subscription')

let guddesk: TestGudDesk
let receiver: Receiver
/** Fails every time, so that something always waits for its next attempt. */
let failing: Receiver
let key: string

/** Something of everything that the page asks for: a failed delivery, a disabled endpoint, a closed conversation. */
async function liveThrough(): Promise<void> {
  const id = await guddesk.newConversation(guddesk.tenant, 'Hello')
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
  await guddesk.newConversation(guddesk.tenant, 'Anybody there?')
}

beforeAll(async () => {
  guddesk = await startGudDesk()
  receiver = await startReceiver()
  receiver.behave(answer(410))
  key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  failing = await startReceiver()
  failing.behave(answer(500))
  for (const { url } of [receiver, failing]) await guddesk.call('POST', '/api/agent/webhooks', { url })
  await liveThrough()
  const { delivery } = guddesk.deps.db.prisma
  await until(async () => (await delivery.count({ where: { status: 'FAILED' } })) > 0)
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
  await failing?.close()
})

test('the page has nine queries, four mutations and five subscriptions', () => {
  expect([queries.length, mutations.length, subscriptions.length]).toEqual([9, 4, 5])
})

test.each(queries)('query $name finds something', async ({ text }) => {
  const { body, data } = await guddesk.graphql(text, {}, { key })
  expect(body.errors).toBeUndefined()
  const [found] = Object.values<unknown[] | { edges?: unknown[]; pending?: number; total?: number }>(data)
  if (Array.isArray(found)) return expect(found).toHaveLength(24)
  expect(found?.edges?.length ?? found?.pending ?? found?.total).toBeGreaterThan(0)
})

const BEGINNING = new Set(['Deliveries', 'Inbox'])

test.each(subscriptions)('subscription $name brings something, over both transports', async ({ text, name }) => {
  for (const transport of [overWebSocket, overSse]) {
    const live = transport<object>(guddesk, {}, { key, query: text })
    await until(
      async () => {
        await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url }) // enables it again
        await liveThrough()
        // More than the beginning, which some tell at once.
        return live.events.length > (BEGINNING.has(name) ? 1 : 0)
      },
      15_000,
      () => `${name} brought nothing: ${JSON.stringify(live.errors)}`,
    )
    expect(live.errors).toEqual([])
    await live.stop()
  }
})

test('the mutations do what they say, one after the other', async () => {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: `${receiver.url}/mutations` })
  const variables = { endpointId: data.endpoint.id, since: '2026-01-01T00:00:00Z' }
  for (const { text, name } of mutations) {
    const { body } = await guddesk.graphql(text, variables)
    expect([name, body.errors]).toEqual([name, undefined])
    expect(Object.values<{ code?: string }>(body.data)).toEqual([
      expect.not.objectContaining({ code: expect.anything() }),
    ])
  }
})
