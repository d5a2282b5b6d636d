import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let conversationId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  conversationId = await guddesk.newConversation()
})

afterAll(() => guddesk?.stop())

const SNOOZE = `mutation ($input: UpdateConversationInput!) {
  updateConversation(input: $input) {
    conversation { snoozedUntil }
    error { code }
  }
}`

const overRest = async (snoozedUntil: string) => {
  const { status, data } = await guddesk.call('PATCH', `/api/v1/conversations/${conversationId}`, { snoozedUntil })
  return status === 200 ? data.snoozedUntil : status
}
const overGraphql = async (snoozedUntil: string) => {
  const { body } = await guddesk.graphql(SNOOZE, { input: { conversationId, snoozedUntil } })
  return body.errors?.[0].extensions.code ?? body.data.updateConversation.conversation.snoozedUntil
}
/** Written into the document, which another function reads. */
const asLiteral = async (snoozedUntil: string) => {
  const input = `{ conversationId: "${conversationId}", snoozedUntil: ${JSON.stringify(snoozedUntil)} }`
  const { body } = await guddesk.graphql(
    SNOOZE.replace('($input: UpdateConversationInput!)', '').replace('$input', input),
  )
  return body.errors?.[0].extensions.code ?? body.data.updateConversation.conversation.snoozedUntil
}

test.each([
  '2127-02-29T00:00:00Z',
  '2127-02-30T00:00:00Z',
  '2127-04-31T12:00:00Z',
  '2127-13-01T00:00:00Z',
  '2127-00-01T00:00:00Z',
  '2127-01-00T00:00:00Z',
  '2127-01-01T24:00:00Z',
  '2127-01-01T10:60:00Z',
  '2127-01-01T10:30:60Z',
  '2127-01-01T10:30Z',
  '2127-01-01T10:30:00',
  '2127-01-01T10:30:00+24:00',
  '2127-01-01T10:30:00+05:60',
  '2127-01-01t10:30:00z',
  '2127-01-01 10:30:00Z',
  '2127-01-01',
  '',
])('%j is no time for REST and GraphQL', async (text) => {
  expect(await overRest(text)).toBe(400)
  expect(await overGraphql(text)).toBe('bad_request')
  expect(await asLiteral(text)).toBe('GRAPHQL_VALIDATION_FAILED')
})

test.each([
  ['2128-02-29T00:00:00Z', '2128-02-29T00:00:00.000Z'],
  ['2127-12-31T23:59:59.999+00:00', '2127-12-31T23:59:59.999Z'],
  ['2127-12-31T23:59:59.9999Z', '2127-12-31T23:59:59.999Z'],
  ['2127-06-01T00:30:00+05:30', '2127-05-31T19:00:00.000Z'],
  ['2127-06-01T00:30:00-14:00', '2127-06-01T14:30:00.000Z'],
])('%j is one time for REST and GraphQL', async (text, expected) => {
  expect(await overRest(text)).toBe(expected)
  expect(await overGraphql(text)).toBe(expected)
  expect(await asLiteral(text)).toBe(expected)
})
