import { createServer, type Server } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { DISPATCH_TOPIC } from '../../../src/domain/events/events.ts'
import { ok } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { pause, until } from '../../support/until.ts'

// What a service does that registers at its start and unregisters when it stops, while visitors write 20 messages a second.

const PER_SECOND = 20
const CONVERSATIONS = 4
const SETTINGS = {
  maxInFlight: 7,
  ordering: 'STRICT',
  onConversationCreated: false,
  onConversationClosed: true,
} as const

let guddesk: TestGudDesk
let service: Service

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
afterEach(() => service.close())

interface Heard {
  readonly process: string
  readonly conversationId: string
  readonly sequence: number
}

/** A service at one address, whose processes come and go; the one that came last is asked. */
interface Service {
  readonly url: string
  readonly heard: Heard[]
  readonly pinged: string[]
  start(process: string): void
  /** What was accepted is answered; nothing new is. */
  end(process: string): Promise<void>
  close(): Promise<void>
}

async function startService(): Promise<Service> {
  const running: string[] = []
  const heard: Heard[] = []
  const pinged: string[] = []
  let lastAt = 0
  const server: Server = createServer((request, response) => {
    const process = running.at(-1)
    if (process === undefined) return void request.destroy()
    lastAt = performance.now()
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { event, data } = JSON.parse(Buffer.concat(chunks).toString())
      if (event === 'ping') pinged.push(process)
      else heard.push({ process, conversationId: data.conversationId, sequence: data.sequence })
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/webhook`,
    heard,
    pinged,
    start: (process) => void running.push(process),
    async end(process) {
      const ending = performance.now()
      await until(() => running.at(-1) !== process || performance.now() - Math.max(lastAt, ending) > 500)
      running.splice(running.indexOf(process), 1)
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const register = async () => (await ok(guddesk.call('POST', '/api/agent/webhooks', { url: service.url }))).data
const unregister = async () =>
  expect((await guddesk.call('DELETE', '/api/agent/webhooks', { url: service.url })).data).toEqual({ deleted: true })

interface Visitors {
  /** Waits until they have written so many more messages. */
  write(count: number): Promise<void>
  /** Lets them stop; how often they have written in each conversation. */
  stop(): Promise<Map<string, number>>
}

/** Visitors who write until they are told to stop. */
function visitorsOf(conversationIds: readonly string[]): Visitors {
  const written = new Map(conversationIds.map((id) => [id, 0]))
  let isWriting = true
  const ends = conversationIds.map(async (id, i) => {
    await pause((i * 1000) / PER_SECOND)
    for (let next = performance.now(); isWriting; next += (1000 * CONVERSATIONS) / PER_SECOND) {
      await pause(Math.max(0, next - performance.now()))
      const body = { body: 'Hello?', type: 'VISITOR' }
      await ok(guddesk.call('POST', `/api/v1/conversations/${id}/messages`, body))
      written.set(id, (written.get(id) ?? 0) + 1)
    }
  })
  const total = () => written.values().reduce((sum, count) => sum + count, 0)
  return {
    async write(count) {
      const before = total()
      await until(() => total() >= before + count)
    },
    async stop() {
      isWriting = false
      await Promise.all(ends)
      return written
    },
  }
}

/** Moves time as if it had passed; retries and probes that are due go out. */
function pass(ms: number): void {
  guddesk.clock.advance(ms)
  guddesk.deps.bus.notify(DISPATCH_TOPIC)
}

/** The old process runs, then what `replace` does, then the new one runs. */
async function drill(replace: (visitors: Visitors) => Promise<void>): Promise<void> {
  service = await startService()
  service.start('old')
  const created = await register()
  const { id } = created.endpoint
  const { webhookEndpoint } = guddesk.deps.db.prisma
  await webhookEndpoint.update({ where: { id }, data: SETTINGS })
  const conversationIds = await Promise.all(Array.from({ length: CONVERSATIONS }, () => guddesk.newConversation()))
  const visitors = visitorsOf(conversationIds)
  await until(() => service.heard.length >= PER_SECOND)
  await replace(visitors)
  const before = service.heard.length
  await until(() => service.heard.length >= before + PER_SECOND, 20_000)
  const written = await visitors.stop()
  const total = [...written.values()].reduce((sum, count) => sum + count)
  const sequences = (of: string) => [
    ...new Set(service.heard.filter(({ conversationId }) => conversationId === of).map(({ sequence }) => sequence)),
  ]
  const arrived = () => conversationIds.reduce((sum, of) => sum + sequences(of).length, 0)
  await until(
    () => arrived() === total,
    20_000,
    () => `${arrived()} of ${total} messages arrived`,
  )
  for (const of of conversationIds) {
    expect(sequences(of)).toEqual(Array.from({ length: written.get(of) ?? 0 }, (_, i) => i + 1))
  }
  expect(service.heard.at(-1)?.process).toBe('new')
  const again = await register()
  expect(again.endpoint).toMatchObject({ id, secret: created.endpoint.secret })
  expect(await webhookEndpoint.findUnique({ where: { id } })).toMatchObject({ ...SETTINGS, isEnabled: true })
  expect(await webhookEndpoint.count({ where: { url: service.url } })).toBe(1)
}

/** A process starts; whether it got an unregistered endpoint back. */
async function start(process: string): Promise<boolean> {
  service.start(process)
  const { status, resumed = false } = await register()
  expect(status).toBe('exists')
  return resumed
}

describe('no message is lost, each conversation stays in order, and the endpoint is what it was', {
  timeout: 90_000,
}, () => {
  test('when an agent stops and comes back 20 seconds later', async () => {
    await drill(async (visitors) => {
      await unregister()
      await service.end('old')
      await visitors.write(PER_SECOND)
      pass(19_000)
      expect(await start('new')).toBe(true)
    })
  })

  test('when the new process registers before the old one unregisters', async () => {
    await drill(async () => {
      expect(await start('new')).toBe(false)
      await unregister()
      await service.end('old')
    })
    expect(service.pinged).toEqual(['new'])
  })

  test('when the old process unregisters before the new one registers', async () => {
    await drill(async (visitors) => {
      await unregister()
      await service.end('old')
      await visitors.write(PER_SECOND)
      expect(await start('new')).toBe(true)
    })
    expect(service.pinged).toEqual([])
  })

  test('when it happens again and again', async () => {
    await drill(async (visitors) => {
      for (let round = 0; round < 3; round++) {
        const process = round === 2 ? 'new' : `new ${round}`
        const before = round === 0 ? 'old' : `new ${round - 1}`
        expect(await start(process)).toBe(false)
        await unregister()
        await service.end(before)
        await visitors.write(CONVERSATIONS)
      }
    })
    expect(service.pinged).toEqual(['new 0', 'new 1', 'new'])
  })
})
