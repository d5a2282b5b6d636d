import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { connectRaw } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

/** Each with a condition among its root fields. */
const CONDITIONAL = [
  'subscription ($on: Boolean!) { deliveries @include(if: $on) { created } }',
  'subscription ($on: Boolean!) { deliveries @skip(if: $on) { created } }',
  'subscription ($on: Boolean!) { ... @include(if: $on) { deliveries { created } } }',
  'subscription ($on: Boolean!) { ...Root @include(if: $on) } fragment Root on Subscription { deliveries { created } }',
  'subscription ($on: Boolean!) { ...Root } fragment Root on Subscription { deliveries @skip(if: $on) { created } }',
  'subscription { deliveries @include(if: false) { created } }',
  'subscription { deliveries @include(if: true) { created } }',
  'subscription { deliveries @skip { created } }',
]
const REFUSED = {
  message: expect.stringMatching(/^@(skip|include) is not allowed on the root field of a subscription: /),
  extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
}

describe.each([
  ['with a key', () => ({ authorization: `Bearer ${guddesk.tenant.key}` })],
  ['without credentials', () => ({})],
])('a condition at the root of a subscription, %s', (_who, credentials) => {
  test.each(CONDITIONAL)('is refused alone, and what else is on the WebSocket goes on: %s', async (query) => {
    const other = connectRaw(guddesk, { authorization: `Bearer ${guddesk.tenant.key}` })
    const asking = connectRaw(guddesk, credentials())
    other.send({ id: 'live', type: 'subscribe', payload: { query: 'subscription { inbox { cursor } }' } })
    await until(() => other.messages.some(({ id, type }) => id === 'live' && type === 'next'))
    for (const { send, messages } of [other, asking]) {
      send({ id: 'refused', type: 'subscribe', payload: { query, variables: { on: true } } })
      send({ id: 'after', type: 'subscribe', payload: { query: '{ __typename }' } })
      await until(() => messages.some(({ id, type }) => id === 'after' && type === 'complete'))
      expect(messages.find(({ id }) => id === 'refused')).toMatchObject({ type: 'error', payload: [REFUSED] })
    }
    const seen = other.messages.length
    await guddesk.newConversation()
    await until(() => other.messages.slice(seen).some(({ id, type }) => id === 'live' && type === 'next'))
    expect([asking.closedWith(), other.closedWith()]).toEqual([null, null])
    await Promise.all([other.close(), asking.close()])
  })

  test.each(CONDITIONAL)('is refused over HTTP and in event streams: %s', async (query) => {
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
      const response = await fetch(`${guddesk.origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, ...credentials() },
        body: JSON.stringify({ query, variables: { on: true } }),
      })
      const text = await response.text()
      const { errors } = JSON.parse(/^(?:data: )?({.+})$/m.exec(text)?.[1] ?? '')
      expect(errors).toMatchObject([REFUSED])
    }
  })
})

test('conditions further down are as they were', async () => {
  const socket = connectRaw(guddesk, { authorization: `Bearer ${guddesk.tenant.key}` })
  const query = 'subscription ($on: Boolean!) { inbox { cursor @include(if: $on) removedIds @skip(if: $on) } }'
  socket.send({ id: 'live', type: 'subscribe', payload: { query, variables: { on: true } } })
  await until(() => socket.messages.some(({ id }) => id === 'live'))
  const first = socket.messages.find(({ id }) => id === 'live')
  expect(first).toMatchObject({ type: 'next', payload: { data: { inbox: { cursor: expect.any(String) } } } })
  expect(JSON.stringify(first)).not.toContain('removedIds')
  await socket.close()
})

test('no log line says that something failed', () => {
  expect(guddesk.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
})
