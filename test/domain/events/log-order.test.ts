import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

interface Logged {
  type: string
  seq: string
  xid: string
  data: { sequence?: number; changed?: string[]; assigneeId?: string }
}

interface State {
  messageCount: number
  isClosed: boolean
  assigneeId: string | null
}

let guddesk: TestGudDesk
let memberIds: string[]

beforeAll(async () => {
  guddesk = await startGudDesk()
  const members = [await guddesk.newMember(guddesk.tenant, 'Ann'), await guddesk.newMember(guddesk.tenant, 'Ben')]
  memberIds = members.map(({ memberId }) => memberId)
})

afterAll(() => guddesk?.stop())

const say = (id: string, type: string) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'x', type })
const patch = (id: string, change: object) => guddesk.call('PATCH', `/api/v1/conversations/${id}`, change)

/** What happened in a conversation, in the log's order. */
async function logOf(conversationId: string): Promise<Logged[]> {
  return guddesk.deps.db.sql<Logged>(
    `SELECT type, seq::text, xid::text, body::jsonb -> 'data' AS data FROM events
      WHERE conversation_id = $1 ORDER BY events.xid, events.seq`,
    [conversationId],
  )
}

/** What somebody knows who has read nothing but the log. */
function replay(log: readonly Logged[]): State {
  const state: State = { messageCount: 0, isClosed: false, assigneeId: null }
  for (const { type, data } of log) {
    const changed = new Set(data.changed)
    // Who was assigned, and that it was closed, follows in events of their own.
    if (changed.has('status')) state.isClosed = false
    if (changed.has('assigneeId')) state.assigneeId = null
    if (type === 'conversation.closed') state.isClosed = true
    if (type === 'conversation.assigned') state.assigneeId = data.assigneeId ?? null
    if (data.sequence !== undefined) state.messageCount = data.sequence
  }
  return state
}

async function stateOf(id: string): Promise<State> {
  const { data } = await guddesk.call('GET', `/api/v1/conversations/${id}`)
  return { messageCount: data.messageCount, isClosed: data.status === 'CLOSED', assigneeId: data.assigneeId }
}

test('thirty messages at once stand in the log in their order', async () => {
  const id = await guddesk.newConversation()
  await Promise.all(Array.from({ length: 30 }, () => say(id, 'NOTE')))
  const sequences = (await logOf(id)).flatMap(({ data }) => data.sequence ?? [])
  expect(sequences).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
})

const change = fc.oneof(
  fc.constantFrom('AGENT', 'NOTE').map((type) => (id: string) => say(id, type)),
  fc.constantFrom('OPEN', 'CLOSED', 'SNOOZED').map((status) => (id: string) => patch(id, { status })),
  fc.constantFrom(0, 1, null).map((n) => (id: string) => {
    return patch(id, { assigneeId: n === null ? null : (memberIds[n] ?? null) })
  }),
)

test('whoever replays the log of changes that raced finds the conversation as it is', {
  timeout: 120_000,
}, async () => {
  const race = fc.array(change, { minLength: 6, maxLength: 16 })
  await fc.assert(
    fc.asyncProperty(race, async (changes) => {
      const id = await guddesk.newConversation()
      const answers = await Promise.all(changes.map((act) => act(id)))
      expect(answers.map(({ status }) => status).filter((status) => status >= 300)).toEqual([])
      const log = await logOf(id)
      expect(replay(log)).toEqual(await stateOf(id))
      // Webhooks go out by seq, the log is read by transaction and seq: it is one order.
      expect(log.map(({ seq }) => Number(seq))).toEqual(log.map(({ seq }) => Number(seq)).sort((a, b) => a - b))
    }),
    { numRuns: 25 },
  )
})
