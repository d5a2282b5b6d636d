import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// An event's text is serialised before the database knows everything that stands in it: what it adds must be what
// JSON.stringify would have written.

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())

async function bodyOfLastEvent(conversationId: string): Promise<string> {
  const [row] = await guddesk.deps.db.sql<{ body: string }>(
    "SELECT body FROM events WHERE conversation_id = $1 AND type = 'message.created' ORDER BY seq DESC LIMIT 1",
    [conversationId],
  )
  return row?.body ?? ''
}

/** Any text that the database takes, with what JSON escapes and what it could be mistaken for. */
const words = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        '\t',
        '\u2028',
        '\u007f',
        '\u0001',
        '</script>',
        '"sequence"',
        'null',
        '🙂',
        '{}',
      ),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => `x${parts.join('').replaceAll('\u0000', '')}x`)

test('the text of an event is what JSON.stringify writes, whatever the visitor is called and writes', async () => {
  const id = await guddesk.newConversation()
  const { data } = await guddesk.call('GET', `/api/v1/conversations/${id}`)
  const { prisma } = guddesk.deps.db
  let sequence = 0
  await fc.assert(
    fc.asyncProperty(fc.option(words), words, fc.boolean(), async (name, body, isAssigned) => {
      const assigneeId = isAssigned ? guddesk.tenant.memberId : null
      await prisma.visitor.update({ where: { id: data.visitor.id }, data: { name } })
      await prisma.conversation.update({ where: { id }, data: { assigneeId } })
      const sent = await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { type: 'VISITOR', body })
      expect(sent.status).toBe(201)
      const text = await bodyOfLastEvent(id)
      const event = JSON.parse(text)
      expect(text).toBe(JSON.stringify(event))
      sequence = event.data.sequence
      expect(event.data).toMatchObject({
        body: body.trim(),
        senderName: name,
        assigneeId,
        sequence,
        messageId: sent.data.id,
      })
      expect(Object.keys(event.data)).toEqual([
        'conversationId',
        'messageId',
        'type',
        'body',
        'workspaceId',
        'assigneeId',
        'senderName',
        'sequence',
        'actor',
      ])
    }),
    { numRuns: 100 },
  )
  expect(sequence).toBeGreaterThanOrEqual(100)
})
