import { createClient } from 'graphql-ws'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { graphql } from '../../support/graphql.ts'
import { startRedisProxy } from '../../support/peers/redis-proxy.ts'
import { startReceiver } from '../../support/receiver.ts'
import { pause, until } from '../../support/until.ts'

let installation: Installation

beforeEach(async () => {
  installation = await newInstallation()
})
afterEach(() => installation?.remove())

/** Follows a subscription's one field at a node. Live from the moment that it returns: its first update has come. */
async function follow<T>(node: Child, query: string, variables: Record<string, unknown> = {}) {
  const client = createClient({
    url: `${node.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${node.key}` },
  })
  const updates: T[] = []
  const faults: unknown[] = []
  client.subscribe<Record<string, T>>(
    { query, variables },
    {
      next: ({ data, errors }) => {
        if (errors !== undefined) faults.push(...errors)
        for (const value of Object.values(data ?? {})) updates.push(value)
      },
      error: (error) => void faults.push(error),
      complete: () => undefined,
    },
  )
  await until(() => updates.length > 0)
  return { updates, faults, stop: () => client.dispose() }
}

const PANE = graphql(`subscription ($id: ID!, $after: String) { conversation(id: $id, after: $after) {
  ... on MessageAdded { cursor message { sequence body } }
  ... on ConversationChanged { cursor conversation { priority } }
  ... on TypingChanged { isTyping actor { displayName } }
} }`)
const INBOX = graphql(`subscription { inbox { cursor conversations { id messageCount } } }`)
const DELIVERIES = graphql(`subscription { deliveries { created delivered newest { id } omitted } }`)

interface PaneUpdate {
  readonly cursor?: string
  readonly message?: { sequence: number; body: string }
  readonly conversation?: { priority: number }
  readonly isTyping?: boolean
}

async function newConversation(node: Child): Promise<string> {
  const { data: visitor } = await post<{ data: { id: string } }>(node, '/api/v1/customers', { name: 'Vera' })
  const { data } = await post<{ data: { id: string } }>(node, '/api/v1/conversations', { visitorId: visitor.id })
  return data.id
}

const say = (node: Child, id: string, body: string) =>
  post(node, `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' })
const type = (node: Child, conversationId: string) => post(node, '/api/agent/typing', { conversationId, typing: true })

// One process only can use the embedded database.
describe.runIf(backend === 'postgres')('live streams across nodes', () => {
  test('what happens at one node is told at another: messages, typing, the inbox, deliveries', async () => {
    const receiver = await startReceiver()
    const api = { GUDDESK_ROLES: 'api' }
    const [a, b] = await Promise.all([installation.start(), installation.start(api)])
    const id = await newConversation(a)
    await post(a, '/api/agent/webhooks', { url: receiver.url })
    const pane = await follow<PaneUpdate>(b, PANE, { id })
    const inbox = await follow<{ conversations: { id: string; messageCount: number }[] }>(b, INBOX)
    const deliveries = await follow<{ created: number; delivered: number }>(b, DELIVERIES)
    await type(a, id)
    for (let i = 1; i <= 20; i++) await say(a, id, `message ${i}`)
    const sequences = () => pane.updates.flatMap(({ message }) => message?.sequence ?? [])
    const delivered = () => deliveries.updates.reduce((sum, update) => sum + update.delivered, 0)
    await until(() => sequences().length === 20 && delivered() === 20)
    await until(() => inbox.updates.at(-1)?.conversations[0]?.messageCount === 20)
    expect(sequences()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(pane.updates.filter(({ isTyping }) => isTyping === true)).toHaveLength(1)
    expect([...pane.faults, ...inbox.faults, ...deliveries.faults]).toEqual([])
    for (const live of [pane, inbox, deliveries]) await live.stop()
    await receiver.close()
  }, 60_000)

  test('Redis gone for 4 s: every message once and in order, the inbox up to date, typing again afterwards', async () => {
    const proxy = await startRedisProxy()
    const env = { REDIS_URL: proxy.url }
    const [a, b] = await Promise.all([installation.start(env), installation.start(env)])
    const id = await newConversation(a)
    const pane = await follow<PaneUpdate>(b, PANE, { id })
    const inbox = await follow<{ conversations: { id: string; messageCount: number }[] }>(b, INBOX)
    for (let i = 1; i <= 200; i++) {
      if (i === 40) {
        proxy.cut()
        setTimeout(() => proxy.mend(), 4000)
      }
      await say(a, id, `message ${i}`)
      await pause(20)
    }
    const sequences = () => pane.updates.flatMap(({ message }) => message?.sequence ?? [])
    await until(
      () => sequences().length === 200,
      10_000,
      () => `${sequences().length} of 200`,
    )
    await until(() => inbox.updates.at(-1)?.conversations[0]?.messageCount === 200)
    expect(sequences()).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    await until(async () => {
      await type(a, id)
      return pane.updates.some(({ isTyping }) => isTyping === true)
    })
    expect(proxy.wasCut()).toBe(true)

    // Cut off after the 100th, and resumed at the other node.
    const after = pane.updates.find(({ message }) => message?.sequence === 100)?.cursor
    await pane.stop()
    const resumed = await follow<PaneUpdate>(a, PANE, { id, after })
    const rest = () => resumed.updates.flatMap(({ message }) => message?.sequence ?? [])
    await until(() => rest().length >= 100)
    expect(rest()).toEqual(Array.from({ length: 100 }, (_, i) => 101 + i))
    await resumed.stop()
    await inbox.stop()
    await proxy.close()
  }, 60_000)
})
