import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { graphql, type ResultOf } from '../../support/graphql.ts'

let installation: Installation

beforeEach(async () => {
  installation = await newInstallation()
})

afterEach(() => installation?.remove())

interface Sent {
  readonly status: number
  readonly id: string | undefined
}

/** Sends a message with an Idempotency-Key; rejects when no answer comes. */
type Send = (child: Child, conversationId: string, body: string, key: string) => Promise<Sent>

async function postOnce(child: Child, path: string, body: object, key: string): Promise<Response> {
  const headers = { authorization: `Bearer ${child.key}`, 'content-type': 'application/json', 'idempotency-key': key }
  return fetch(child.origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

const send: Send = async (child, conversationId, body, key) => {
  const path = `/api/v1/conversations/${conversationId}/messages`
  const response = await postOnce(child, path, { body, type: 'AGENT' }, key)
  const { data } = (await response.json()) as { data?: { id: string } }
  return { status: response.status, id: data?.id }
}

const MUTATION = graphql(`mutation ($input: SendMessageInput!) { sendMessage(input: $input) {
  message { id sender { __typename } } error { code } } }`)

/** The same as REST: what is sent successfully has status 201. */
const sendByGraphQL: Send = async (child, conversationId, body, key) => {
  const variables = { input: { conversationId, body, type: 'AGENT' } }
  const response = await postOnce(child, '/graphql', { query: MUTATION, variables }, key)
  const { data } = (await response.json()) as { data?: ResultOf<typeof MUTATION> | null }
  const id = data?.sendMessage?.message?.id
  return { status: id === undefined ? response.status : 201, id }
}

const WAYS: [string, Send][] = [
  ['REST', send],
  ['GraphQL', sendByGraphQL],
]

async function newConversation(child: Child): Promise<string> {
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const { data } = await post<{ data: { id: string } }>(child, '/api/v1/conversations', { visitorId: visitor.id })
  return data.id
}

async function bodiesOf(child: Child, conversationId: string): Promise<string[]> {
  const bodies: string[] = []
  for (let cursor = ''; ; ) {
    const response = await fetch(`${child.origin}/api/v1/conversations/${conversationId}/messages?limit=100${cursor}`, {
      headers: { authorization: `Bearer ${child.key}` },
    })
    const { data, meta } = (await response.json()) as { data: { body: string }[]; meta: { nextCursor: string | null } }
    bodies.push(...data.map(({ body }) => body))
    if (meta.nextCursor === null) return bodies
    cursor = `&cursor=${meta.nextCursor}`
  }
}

test.each(WAYS)(
  'SIGKILL in the middle of 100 messages by %s that are sent until they are acknowledged: each is there once',
  async (_name, send) => {
    let child = await installation.start()
    const conversationId = await newConversation(child)
    let restarting: Promise<void> | undefined
    let acknowledged = 0
    const restart = async () => {
      child.signal('SIGKILL')
      await child.exited()
      child = await installation.start()
    }
    const sendUntilAcknowledged = async (i: number) => {
      for (;;) {
        const sent = await send(child, conversationId, `message ${i}`, `key ${i}`).catch(() => undefined)
        if (sent?.status === 201) break
        await (restarting ?? Promise.resolve())
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      acknowledged += 1
      if (acknowledged >= 30) restarting ??= restart()
    }
    // More at once than the conversation's row lets through, so that the kill finds some at every step.
    const queue = Array.from({ length: 100 }, (_, i) => i)
    const worker = async () => {
      for (let i = queue.shift(); i !== undefined; i = queue.shift()) await sendUntilAcknowledged(i)
    }
    await Promise.all(Array.from({ length: 12 }, worker))
    await restarting
    const bodies = await bodiesOf(child, conversationId)
    expect(bodies.sort()).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`).sort())
  },
  120_000,
)

describe.runIf(backend === 'postgres')('two nodes', () => {
  test.each(WAYS)(
    '1,000 POSTs by %s with one key make one message',
    async (_name, send) => {
      const nodes = await Promise.all([installation.start(), installation.start()])
      const conversationId = await newConversation(nodes[0])
      const sent = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => send(nodes[i % 2] ?? nodes[0], conversationId, 'once', 'one key')),
      )
      expect(sent.filter(({ status }) => status !== 201 && status !== 409)).toEqual([])
      expect(new Set(sent.flatMap(({ id }) => (id === undefined ? [] : [id]))).size).toBe(1)
      expect(await bodiesOf(nodes[0], conversationId)).toEqual(['once'])
    },
    60_000,
  )

  test('1,200 requests of one key within a minute: 600 pass', async () => {
    const env = { RATE_LIMIT_PER_MINUTE: '600' }
    const nodes = await Promise.all([installation.start(env), installation.start(env)])
    const statuses = new Map<number, number>()
    const began = performance.now()
    const worker = async (index: number) => {
      for (let i = 0; i < 60; i++) {
        const node = nodes[(i + index) % 2] ?? nodes[0]
        const headers = { authorization: `Bearer ${node.key}` }
        const { status } = await fetch(`${node.origin}/api/v1/workspaces`, { headers })
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => worker(i)))
    expect(performance.now() - began).toBeLessThan(55_000)
    const passed = statuses.get(200) ?? 0
    expect([passed, statuses.get(429)]).toEqual([passed, 1200 - passed])
    expect(passed).toBeGreaterThanOrEqual(588)
    expect(passed).toBeLessThanOrEqual(612)
  }, 90_000)
})
