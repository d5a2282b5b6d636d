import { createClient } from 'graphql-ws'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { graphql } from '../../support/graphql.ts'
import { startRedisProxy } from '../../support/peers/redis-proxy.ts'
import { pause, until } from '../../support/until.ts'

let installation: Installation

beforeEach(async () => {
  installation = await newInstallation()
})
afterEach(() => installation?.remove())

interface Arrival {
  readonly id: string
  readonly body: string
  readonly cursor: string
  readonly at: number
}

const MESSAGES = graphql(
  `subscription($after: String) { events(filter: { types: MESSAGE_CREATED }, after: $after) { cursor event { id payload } } }`,
)

/** Follows message.created at a node. */
function follow(node: Child, after?: string): { arrivals: Arrival[]; stop: () => Promise<void> } {
  const client = createClient({
    url: `${node.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${node.key}` },
  })
  const arrivals: Arrival[] = []
  const stop = client.subscribe<{ events: { cursor: string; event: { id: string; payload: { body: string } } } }>(
    { query: MESSAGES, variables: { after } },
    {
      next: ({ data }) => {
        if (data == null) return
        const { cursor, event } = data.events
        arrivals.push({ id: event.id, cursor, body: event.payload.body, at: performance.now() })
      },
      error: () => undefined,
      complete: () => undefined,
    },
  )
  return {
    arrivals,
    stop: async () => {
      stop()
      await client.dispose()
    },
  }
}

async function newConversation(node: Child): Promise<string> {
  const { data: visitor } = await post<{ data: { id: string } }>(node, '/api/v1/customers', { name: 'Vera' })
  const { data } = await post<{ data: { id: string } }>(node, '/api/v1/conversations', { visitorId: visitor.id })
  return data.id
}

const say = (node: Child, conversation: string, body: string) =>
  post(node, `/api/v1/conversations/${conversation}/messages`, { body, type: 'AGENT' })

/** Subscribed for certain, with every greeting behind it. */
async function started(node: Child, conversation: string): Promise<ReturnType<typeof follow>> {
  const live = follow(node)
  await until(async () => {
    await say(node, conversation, 'greeting')
    return live.arrivals.length > 0
  })
  await say(node, conversation, 'the last greeting')
  await until(() => live.arrivals.at(-1)?.body === 'the last greeting')
  live.arrivals.length = 0
  return live
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

// One process only can use the embedded database.
describe.runIf(backend === 'postgres')('subscriptions across nodes', () => {
  test('what happens at one node arrives at a subscriber of another, within milliseconds', async () => {
    const [a, b] = await Promise.all([installation.start(), installation.start()])
    const conversation = await newConversation(a)
    const live = await started(b, conversation)
    const delays: number[] = []
    const changes: number[] = []
    for (let i = 0; i < 50; i++) {
      const began = performance.now()
      await say(a, conversation, `message ${i}`)
      const acknowledged = performance.now()
      await until(() => live.arrivals.length === i + 1)
      changes.push(acknowledged - began)
      delays.push((live.arrivals[i]?.at ?? Number.NaN) - acknowledged)
    }
    // Where the machine is so busy that a change itself takes longer, so may the way to the subscriber.
    expect(median(delays)).toBeLessThan(Math.max(10, 2 * median(changes)))
    await live.stop()
  })

  test('Redis gone for 5 s in the middle of 500 events: each arrives once, in order, none later than 2 s', async () => {
    const proxy = await startRedisProxy()
    const env = { REDIS_URL: proxy.url }
    const [a, b] = await Promise.all([installation.start(env), installation.start(env)])
    const conversation = await newConversation(a)
    const live = await started(b, conversation)
    const sent = new Map<string, number>()
    for (let i = 0; i < 500; i++) {
      if (i === 100) {
        proxy.cut()
        setTimeout(() => proxy.mend(), 5000)
      }
      const body = `message ${i}`
      await say(a, conversation, body)
      sent.set(body, performance.now())
      // Some 60 a second: 500 of them outlast the outage.
      await pause(8)
    }
    await until(
      () => live.arrivals.length >= 500,
      5000,
      () => `${live.arrivals.length} of 500 arrived`,
    )
    expect(live.arrivals.map(({ body }) => body)).toEqual([...sent.keys()])
    const latest = Math.max(...live.arrivals.map(({ body, at }) => at - (sent.get(body) ?? 0)))
    expect(latest).toBeLessThan(2000)
    expect(proxy.wasCut()).toBe(true)

    // Cut off after the 250th, and resumed at the other node.
    await live.stop()
    const resumed = follow(a, live.arrivals[249]?.cursor)
    await until(() => resumed.arrivals.length >= 250)
    expect(resumed.arrivals.map(({ id }) => id)).toEqual(live.arrivals.slice(250).map(({ id }) => id))
    await resumed.stop()
    await proxy.close()
  }, 60_000)
})
