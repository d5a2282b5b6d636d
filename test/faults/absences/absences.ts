import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { type Received, type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let installation: Installation
let receiver: Receiver

const CONVERSATIONS = 200
const WRITE_EVERY_MS = 40
const SOON_MS = 1000
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Messages written one after the other, round the conversations, until it is stopped. */
async function startTraffic(child: Child) {
  const visitor = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const begin = async () =>
    (await post<{ data: { id: string } }>(child, '/api/v1/conversations', { visitorId: visitor.data.id })).data.id
  const ids: string[] = []
  for (let i = 0; i < CONVERSATIONS; i++) ids.push(await begin())
  /** How many messages each has. */
  const written = new Map<string, number>()
  async function write(id: string): Promise<void> {
    await post(child, `/api/v1/conversations/${id}/messages`, { body: 'message', type: 'AGENT' })
    written.set(id, (written.get(id) ?? 0) + 1)
  }
  let isStopped = false
  const writing = (async () => {
    for (let i = 0; !isStopped; i++) {
      await write(ids[i % ids.length] ?? '')
      await wait(WRITE_EVERY_MS)
    }
  })()
  return {
    written,
    /** A message in a conversation of its own. */
    async writeNew(): Promise<string> {
      const id = await begin()
      await write(id)
      return id
    },
    stop() {
      isStopped = true
      return writing
    },
  }
}

/** First arrivals, by conversation, as they came. */
function sequences(requests: readonly Received[]): Map<string, number[]> {
  const seen = new Set<unknown>()
  const firsts = requests.filter(({ headers }) => {
    const id = headers['x-guddesk-delivery']
    return !seen.has(id) && seen.add(id)
  })
  const byConversation = Map.groupBy(firsts, ({ data }) => String(data['conversationId']))
  return new Map([...byConversation].map(([id, all]) => [id, all.map(({ data }) => Number(data['sequence']))]))
}

/** Everything arrived, each conversation in its order. */
async function allArrived(requests: () => readonly Received[], written: ReadonlyMap<string, number>): Promise<void> {
  const count = [...written.values()].reduce((sum, n) => sum + n, 0)
  const arrived = () => new Set(requests().map(({ headers }) => headers['x-guddesk-delivery'])).size
  await until(
    () => arrived() === count,
    60_000,
    () => `${arrived()} of ${count} arrived`,
  )
  const found = sequences(requests())
  for (const [id, n] of written) expect(found.get(id)).toEqual(Array.from({ length: n }, (_, i) => i + 1))
}

/**
 * Tests of a receiver that goes away and comes back. They wait for minutes: each backend has a file of its own.
 * @param backend environment of the nodes
 * @param isSplit the API and the dispatcher are two nodes
 */
export function describeAbsences(name: string, backend: Record<string, string>, isSplit: boolean): void {
  describe(`a receiver that is away, on ${name}`, () => {
    beforeEach(async () => {
      installation = await newInstallation()
      receiver = await startReceiver()
    })
    afterEach(async () => {
      await installation?.remove()
      await receiver.close()
    })

    const start = async () => {
      const api = await installation.start({ ...backend, ...(isSplit && { GUDDESK_ROLES: 'api' }) })
      const dispatchers = isSplit ? [await installation.start({ GUDDESK_ROLES: 'dispatcher' })] : []
      return { api, dispatchers }
    }
    const register = (child: Child) =>
      post(child, '/api/agent/webhooks', { url: receiver.url, events: { onConversationCreated: false } })

    test('for 60 seconds, and registers again: what is new comes within a second, everything comes, in order', {
      timeout: 180_000,
    }, async () => {
      const { api } = await start()
      await register(api)
      const traffic = await startTraffic(api)
      await receiver.waitFor(20)
      await receiver.close()
      const { received: before } = receiver
      await wait(60_000)
      receiver = await startReceiver(receiver.port)
      const began = performance.now()
      await register(api)
      const id = await traffic.writeNew()
      const arrived = () => sequences(receiver.received).has(id)
      await until(arrived, 30_000, () => `${receiver.received.length} arrived, and the new one did not`)
      const took = performance.now() - began
      await wait(2000)
      await traffic.stop()
      await allArrived(() => [...before, ...receiver.received], traffic.written)
      console.log(`registered again after a minute: what was new came after ${Math.round(took)} ms`)
      expect(took).toBeLessThan(SOON_MS)
    })

    test('for 20 seconds: what is new comes within a second of the first success, whatever is killed then', {
      timeout: 180_000,
    }, async () => {
      const { api, dispatchers } = await start()
      await register(api)
      const traffic = await startTraffic(api)
      await receiver.waitFor(20)
      await receiver.close()
      const { received: before } = receiver
      await wait(20_000)
      receiver = await startReceiver(receiver.port)
      await receiver.waitFor(1, 70_000)
      const began = performance.now()
      const id = await traffic.writeNew()
      await until(() => sequences(receiver.received).has(id), 30_000)
      const took = performance.now() - began
      const [dispatcher] = dispatchers
      if (dispatcher !== undefined) {
        dispatcher.signal('SIGKILL')
        await dispatcher.exited()
        await installation.start({ GUDDESK_ROLES: 'dispatcher' })
      }
      await wait(2000)
      await traffic.stop()
      await allArrived(() => [...before, ...receiver.received], traffic.written)
      console.log(`back after 20 seconds: what was new came after ${Math.round(took)} ms`)
      expect(took).toBeLessThan(SOON_MS)
    })
  })
}
