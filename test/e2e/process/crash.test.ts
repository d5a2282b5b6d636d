import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let installation: Installation
let receiver: Receiver

beforeAll(async () => {
  installation = await newInstallation()
  receiver = await startReceiver()
})

afterAll(async () => {
  await installation?.remove()
  await receiver?.close()
})

const MESSAGES = 500
const KILL_AFTER = 200
const CONVERSATIONS = 20
const AT_ONCE = 8

test('SIGKILL in the middle of 500 messages: every acknowledged one arrives, each with one stable delivery id', async () => {
  let child: Child = await installation.start()
  receiver.behave((response) => void setTimeout(() => response.writeHead(200).end(), Math.random() * 10))
  await post(child, '/api/agent/webhooks', { url: receiver.url })
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const conversations: string[] = []
  for (let i = 0; i < CONVERSATIONS; i++) {
    const { data } = await post<{ data: { id: string } }>(child, '/api/v1/conversations', { visitorId: visitor.id })
    conversations.push(data.id)
  }

  const acknowledged = new Set<string>()
  let next = 0
  let restarted: Promise<void> | undefined
  const restart = async () => {
    child.signal('SIGKILL')
    expect(await child.exited()).toBe('SIGKILL')
    child = await installation.start()
  }
  const send = async () => {
    while (next < MESSAGES) {
      const i = next++
      const path = `/api/v1/conversations/${conversations[i % CONVERSATIONS]}/messages`
      // A call that failed was not acknowledged: it is made again, as a client would.
      for (let tries = 0; ; tries++) {
        const answer = await post<{ data: { id: string } }>(child, path, { body: `message ${i}`, type: 'AGENT' }).catch(
          (error: unknown) => error,
        )
        if (!(answer instanceof Error)) {
          acknowledged.add((answer as { data: { id: string } }).data.id)
          break
        }
        if (tries > 200) throw answer
        await (restarted ?? new Promise((resolve) => setTimeout(resolve, 100)))
      }
      if (acknowledged.size >= KILL_AFTER) restarted ??= restart()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, send))
  await restarted
  expect(acknowledged.size).toBe(MESSAGES)

  const deliveries = new Map<string, Set<string>>()
  const arrivals = () => {
    for (const { event, data, headers } of receiver.received) {
      if (event !== 'message.created') continue
      const ids = deliveries.get(String(data['messageId'])) ?? new Set()
      deliveries.set(String(data['messageId']), ids.add(String(headers['x-guddesk-delivery'])))
    }
    return [...acknowledged].filter((id) => !deliveries.has(id))
  }
  await until(
    () => arrivals().length === 0,
    40_000,
    () => `${arrivals().length} acknowledged messages did not arrive`,
  )
  for (const id of acknowledged) expect(deliveries.get(id)?.size).toBe(1)
  expect(new Set([...deliveries.values()].flatMap((ids) => [...ids])).size).toBe(deliveries.size)
}, 90_000)
