import { describe, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'
import {
  CONVERSATION,
  call,
  guddesk,
  id,
  START,
  say,
  tenant,
  type Update,
  useConversation,
} from './conversation-stream-steps.ts'

useConversation()

const change = (patch: object, to = id) => call('PATCH', `/v1/conversations/${to}`, patch)

/** Waits until a stream has been given whatever was written before: what it has not got by then does not come. */
async function passed({ events }: Live<Update>): Promise<void> {
  const body = `fence ${++fences}`
  const find = () => events.findIndex(({ message }) => message?.body === body)
  await say(body, 'NOTE')
  await until(() => find() >= 0)
  events.splice(find(), 1)
}
let fences = 0

const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overSse],
]

describe.each(TRANSPORTS)('a conversation over %s', (_name, transport) => {
  /** Live from the moment that it returns: its first update has come. */
  async function open(variables: object = {}, key = tenant.key): Promise<Live<Update>> {
    const live = transport<Update>(guddesk, { id, ...variables }, { query: CONVERSATION, key })
    await until(() => live.events.length > 0 || live.isEnded())
    return live
  }

  test('begins with itself, then has messages and notes whole, and its changes', async () => {
    const live = await open()
    await say('first')
    await say('psst', 'NOTE')
    await change({ tags: ['refund'], priority: 2 })
    await until(() => live.events.length >= 4)
    await change({ assigneeId: tenant.memberId, status: 'CLOSED' })
    await until(() => live.events.length >= 5)
    await passed(live)
    await live.stop()
    expect(live.errors).toEqual([])
    const [now, first, note, tagged, closed, ...rest] = live.events
    expect(now).toMatchObject({ kind: 'ConversationChanged', conversation: { id, status: 'OPEN', tags: [] } })
    const message = { sequence: 2, type: 'AGENT', body: 'first', senderName: 'Otto Owner', conversationId: id }
    expect(first).toMatchObject({ kind: 'MessageAdded', message })
    expect(note).toMatchObject({ kind: 'MessageAdded', message: { sequence: 3, type: 'NOTE', body: 'psst' } })
    expect(tagged).toMatchObject({ kind: 'ConversationChanged', conversation: { tags: ['refund'], priority: 2 } })
    // Three events of one transaction are one change.
    const people = { visitor: { name: 'Vera Visitor' }, assignee: { name: 'Otto Owner' } }
    expect(closed).toMatchObject({ kind: 'ConversationChanged', conversation: { status: 'CLOSED', ...people } })
    expect(rest).toEqual([])
  })

  test('has nothing of other conversations', async () => {
    const other = await guddesk.newConversation(tenant)
    const live = await open()
    await say('elsewhere', 'AGENT', other)
    await change({ priority: 1 }, other)
    await call('POST', '/agent/typing', { conversationId: other, typing: true })
    await say('here')
    await until(() => live.events.length >= 2)
    await passed(live)
    await live.stop()
    expect(live.events.slice(1).map(({ message }) => message?.body)).toEqual(['here'])
  })

  test('tells who is typing, until when, and that a reply ends it', async () => {
    const install = { name: 'RefundBot', webhookUrl: `http://127.0.0.1:9/${id}` }
    const { data: agent } = await call('POST', '/v1/agents', install)
    const live = await open()
    await call('POST', '/agent/typing', { conversationId: id, typing: true }, agent.credentials.apiKey)
    await until(() => live.events.length >= 2)
    const typing = live.events[1]
    const actor = { type: 'Agent', id: agent.id, displayName: 'RefundBot' }
    expect(typing).toMatchObject({ kind: 'TypingChanged', conversationId: id, actor, isTyping: true })
    const lasts = Date.parse(typing?.expiresAt ?? '') - guddesk.clock.now().getTime()
    expect(lasts).toBeGreaterThan(50_000)
    expect(lasts).toBeLessThanOrEqual(60_000)
    await call('POST', '/agent/reply', { conversationId: id, body: 'Done' }, agent.credentials.apiKey)
    await until(() => live.events.length >= 4)
    await live.stop()
    const rest = live.events.slice(2)
    expect(rest.map(({ kind }) => kind).sort()).toEqual(['MessageAdded', 'TypingChanged'])
    expect(rest.find(({ kind }) => kind === 'TypingChanged')).toMatchObject({ actor, isTyping: false })
    // Not replayed.
    const resumed = await open({ after: START })
    await until(() => resumed.events.length >= 3)
    await passed(resumed)
    await resumed.stop()
    expect(resumed.events.map(({ kind }) => kind).filter((kind) => kind === 'TypingChanged')).toEqual([])
  })

  test('an agent with a plain key types for 60 seconds as AI Agent, a person for ten by their name', async () => {
    const session = await guddesk.newSession(tenant)
    const setTyping = graphql(`mutation ($input: SetTypingInput!) { setTyping(input: $input) { error { code } } }`)
    const variables = { input: { conversationId: id, isTyping: true } }
    const live = await open({}, await guddesk.newKey(tenant, 'READ_ONLY'))
    await call('POST', '/agent/typing', { conversationId: id, typing: true })
    await until(() => live.events.length >= 2)
    await guddesk.graphql(setTyping, variables, { key: tenant.key })
    await until(() => live.events.length >= 3)
    const headers = { 'x-workspace-id': tenant.workspaceId }
    await guddesk.graphql(setTyping, variables, { key: session, headers })
    await until(() => live.events.length >= 4)
    await live.stop()
    const seconds = live.events
      .slice(1)
      .map(({ expiresAt }) => (Date.parse(expiresAt) - guddesk.clock.now().getTime()) / 1000)
    expect(live.events.slice(1).map(({ actor: { type, displayName } }) => [type, displayName])).toEqual([
      ['UnavailableActor', 'AI Agent'],
      ['UnavailableActor', 'AI Agent'],
      ['Member', 'Otto Owner'],
    ])
    expect(seconds.map((left) => left > 10)).toEqual([true, true, false])
    expect(Math.max(...seconds)).toBeLessThanOrEqual(60)
  })

  test('an answer ends it that is skipped or a BOT message, and a visitor’s message does not', async () => {
    const live = await open()
    const type = async () => {
      const before = live.events.length
      await call('POST', '/agent/typing', { conversationId: id, typing: true })
      await until(() => live.events.length > before)
    }
    const signals = () => live.events.flatMap(({ kind, isTyping }) => (kind === 'TypingChanged' ? [isTyping] : []))
    await type()
    await say('One more', 'VISITOR')
    await until(() => live.events.some(({ message }) => message?.body === 'One more'))
    await passed(live)
    expect(signals()).toEqual([true])
    await say('Answer', 'BOT')
    await until(() => signals().length === 2)
    await type()
    await change({ assigneeId: tenant.memberId })
    await call('POST', '/agent/reply', { conversationId: id, body: 'Too late' })
    await until(() => signals().length === 4)
    await live.stop()
    expect(signals()).toEqual([true, false, true, false])
  })

  test('resumes with no gap and no repeated message while others write', async () => {
    let isWriting = true
    const writing = Promise.all(
      [1, 2, 3].map(async (writer) => {
        for (let i = 0; i < 20; i++) {
          await say(`${writer}.${i}`)
          if (i % 5 === 0) await change({ priority: (writer + i) % 4 })
        }
      }),
    ).finally(() => {
      isWriting = false
    })
    const sequences: number[] = []
    let after = START
    for (let round = 0; isWriting || sequences.length < 61; round++) {
      const live = transport<Update>(guddesk, { id, after }, { query: CONVERSATION, key: tenant.key })
      const count = () => live.events.filter(({ kind }) => kind === 'MessageAdded').length
      const wanted = Math.min(1 + ((round * 5) % 13), 61 - sequences.length)
      await until(() => count() >= wanted || live.isEnded())
      await live.stop()
      expect(live.errors).toEqual([])
      sequences.push(...live.events.flatMap(({ message }) => message?.sequence ?? []))
      after = live.events.at(-1)?.cursor ?? after
    }
    await writing
    expect(sequences).toEqual(Array.from({ length: 61 }, (_, i) => i + 1))
  })

  test('resumed, it ends with its latest state', async () => {
    const before = await open()
    const after = before.events[0]?.cursor
    await before.stop()
    for (const priority of [1, 2, 3]) await change({ priority })
    await say('between')
    await quiet(guddesk)
    const live = await open({ after })
    await until(() => live.events.length >= 2)
    await passed(live)
    await live.stop()
    expect(live.events.map(({ kind }) => kind)).toEqual(['MessageAdded', 'ConversationChanged'])
    expect(live.events[1]?.conversation.priority).toBe(3)
  })

  test.each<[string, () => Promise<string> | string]>([
    ['another workspace’s', async () => guddesk.newConversation(await guddesk.newTenant())],
    ['an unknown', () => 'conv_00000000000000000000000000'],
    ['a malformed', () => 'conv_\u0000'],
    ['a message’s', () => 'msg_00000000000000000000000000'],
  ])('%s id is not found', async (_name, idOf) => {
    const live = transport<Update>(guddesk, { id: await idOf() }, { query: CONVERSATION, key: tenant.key })
    await until(() => live.isEnded())
    await live.stop()
    expect(live.events).toEqual([])
    expect(live.errors).toMatchObject([{ message: 'Conversation not found', extensions: { code: 'not_found' } }])
  })

  test.each(['', 'x', '\u0000', 'e30'])('the malformed cursor %j is bad_request', async (after) => {
    const live = await open({ after })
    await live.stop()
    expect(live.events).toEqual([])
    expect(live.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
  })

  test('completes when the conversation is deleted, without an error', async () => {
    const live = await open()
    const other = await open({ id: await guddesk.newConversation(tenant) })
    await guddesk.deps.db.prisma.conversation.delete({ where: { id } })
    await until(() => live.isEnded(), 5000)
    expect(live.errors).toEqual([])
    expect(other.isEnded()).toBe(false)
    await live.stop()
    await other.stop()
  })

  test('is closed within a second when its key is revoked, and says why', async () => {
    const key = await guddesk.newKey(tenant, 'READ_ONLY')
    const live = await open({}, key)
    const where = { prefix: key.slice(0, 8) }
    await guddesk.deps.db.prisma.apiKey.updateMany({ where, data: { revokedAt: new Date() } })
    await until(() => live.isEnded(), 3000)
    await live.stop()
    expect(live.errors).toMatchObject([{ extensions: { code: 'unauthorized' } }])
  })
})
