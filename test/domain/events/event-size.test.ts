import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ok } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// Receivers read 100 kB of a body (express.json()), and JSON makes six bytes of a control character.

/** Where express.json() stops. */
const LIMIT = 100_000

let guddesk: TestGudDesk
beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())

/** The longest text that a field takes: `most` characters of a kind, between two that are not trimmed away. */
const filled = (character: string, most: number) => `.${character.repeat(most - 2)}.`

/** As many as an answer of at most 60,000 bytes may have. */
function answerOf(character: string): string {
  const bytes = Buffer.byteLength(JSON.stringify(character)) - 2
  return filled(character, Math.min(20_000, Math.floor((60_000 - 2) / bytes) + 2))
}

test.each([
  ['letters', 'x'],
  ['emoji', '🙂'],
  ['line separators', '\u2028'],
  ['quotes', '"'],
  ['backslashes', '\\'],
  ['control characters', '\u0001'],
  ['deletes', '\u007f'],
])('every event stays below where receivers stop, all names and texts full of %s', async (_name, character) => {
  const { prisma } = guddesk.deps.db
  const long = (most: number) => filled(character, most)
  const tenant = await guddesk.newTenant()
  const { key, workspaceId, userId, memberId } = tenant
  await prisma.user.update({ where: { id: userId }, data: { name: long(200) } })
  await prisma.apiKey.updateMany({ where: { userId }, data: { name: long(100) } })
  const metadata = { text: filled(character, 2_500) }
  const visitor = { name: long(200), externalId: long(255), metadata }
  const { data: customer } = await ok(guddesk.call('POST', '/api/v1/customers', visitor, { key }))
  const install = { name: long(100), webhookUrl: `http://127.0.0.1:9/${encodeURIComponent(_name)}`, config: metadata }
  const { data: agent } = await ok(guddesk.call('POST', '/api/v1/agents', install, { key }))
  const asAgent = { key: agent.credentials.apiKey }
  const start = { visitorId: customer.id, subject: long(255), message: long(10_000), metadata }
  const { data: conversation } = await ok(guddesk.call('POST', '/api/v1/conversations', start, { key }))
  const { id: conversationId } = conversation
  const body = answerOf(character)
  await ok(guddesk.call('POST', '/api/agent/reply', { conversationId, body, senderName: long(100) }, asAgent))
  const messages = `/api/v1/conversations/${conversationId}/messages`
  await ok(guddesk.call('POST', messages, { body, type: 'AGENT', senderName: long(100) }, { key }))
  await ok(guddesk.call('POST', messages, { body: long(10_000), type: 'VISITOR', senderName: long(100) }, { key }))
  await ok(guddesk.call('POST', messages, { body: long(10_000), type: 'NOTE' }, asAgent))
  const close = {
    assigneeId: memberId,
    status: 'CLOSED',
    tags: Array.from({ length: 50 }, (_, i) => `${i}${long(48)}`),
  }
  await ok(guddesk.call('PATCH', `/api/v1/conversations/${conversationId}`, close, { key }))

  const events = await prisma.event.findMany({ where: { workspaceId } })
  const types = new Set(events.map(({ type }) => type))
  expect([...types].sort()).toEqual([
    'conversation.assigned',
    'conversation.closed',
    'conversation.created',
    'conversation.updated',
    'message.created',
    'note.created',
  ])
  for (const event of events) {
    expect([event.type, Buffer.byteLength(event.body) < LIMIT]).toEqual([event.type, true])
    expect(JSON.stringify(JSON.parse(event.body))).toBe(event.body)
  }
  expect(Math.max(...events.map((event) => Buffer.byteLength(event.body)))).toBeGreaterThan(20_000)
})

test('that is what express.json() reads', async () => {
  const app = express().post('/', express.json(), (req, res) => void res.json(Object.keys(req.body)))
  app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.sendStatus(413)
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const post = (bytes: number) => {
    const body = JSON.stringify({ text: 'x'.repeat(bytes - 11) })
    return fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  }
  expect([(await post(LIMIT)).status, (await post(102_401)).status]).toEqual([200, 413])
  await new Promise((resolve) => server.close(resolve))
})
