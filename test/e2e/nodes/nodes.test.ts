import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, freePort, type Installation, newInstallation, post } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'

let installation: Installation
let receiver: Receiver

beforeEach(async () => {
  installation = await newInstallation()
  receiver = await startReceiver()
})

afterEach(async () => {
  await installation?.remove()
  await receiver?.close()
})

async function newConversation(child: Child): Promise<string> {
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const { data } = await post<{ data: { id: string } }>(child, '/api/v1/conversations', { visitorId: visitor.id })
  return data.id
}

// The embedded database serves one process only.
describe.runIf(backend === 'postgres')('several nodes on one PostgreSQL', () => {
  test('two nodes share the deliveries: each is sent once, each conversation in order', async () => {
    const nodes = await Promise.all([installation.start(), installation.start()])
    await post(nodes[0], '/api/agent/webhooks', { url: receiver.url, events: { onConversationCreated: false } })
    const conversations = await Promise.all(Array.from({ length: 10 }, () => newConversation(nodes[0])))
    receiver.behave((response) => void setTimeout(() => response.writeHead(200).end(), Math.random() * 5))
    const send = async (conversationId: string) => {
      for (let i = 0; i < 20; i++) {
        const path = `/api/v1/conversations/${conversationId}/messages`
        await post(nodes[i % 2] ?? nodes[0], path, { body: `message ${i}`, type: 'AGENT' })
      }
    }
    await Promise.all(conversations.map(send))
    await receiver.waitFor(200, 20_000)
    // Whatever is sent twice comes before what is new.
    const last = (id: string) => post(nodes[1], `/api/v1/conversations/${id}/messages`, { body: 'last', type: 'AGENT' })
    await Promise.all(conversations.map(last))
    await receiver.waitFor(210)
    expect(receiver.received).toHaveLength(210)
    for (const id of conversations) {
      const mine = receiver.received.filter(({ data }) => data['conversationId'] === id)
      expect(mine.map(({ data }) => data['sequence'])).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
    }
  })

  test('what one node commits, another one sends at once', async () => {
    const [api] = await Promise.all([
      installation.start({ GUDDESK_ROLES: 'api' }),
      installation.start({ GUDDESK_ROLES: 'dispatcher' }),
    ])
    await post(api, '/api/agent/webhooks', { url: receiver.url, events: { onConversationCreated: false } })
    const conversationId = await newConversation(api)
    const path = `/api/v1/conversations/${conversationId}/messages`
    await post(api, path, { body: 'first', type: 'AGENT' })
    await receiver.waitFor(1)
    const waits: number[] = []
    for (let sent = 2; sent <= 60; sent++) {
      await post(api, path, { body: 'next', type: 'AGENT' })
      const committedAt = performance.now()
      await receiver.waitFor(sent)
      waits.push((receiver.received[sent - 1]?.at ?? Number.POSITIVE_INFINITY) - committedAt)
    }
    // A look at the database once a second, without wake-ups, would make it 500.
    expect(waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)]).toBeLessThan(15)
  })

  test('without Redis events are late by a poll, and not lost', async () => {
    const child = await installation.start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    await post(child, '/api/agent/webhooks', { url: receiver.url })
    const began = performance.now()
    await newConversation(child)
    await receiver.waitFor(1, 5000)
    expect(performance.now() - began).toBeLessThan(2500)
  })
})
