import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let good: Receiver
let rude: { url: string; close(): Promise<void> } | undefined

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  tenant = await guddesk.newTenant()
  good = await startReceiver()
})
afterEach(async () => {
  await rude?.close()
  await good.close()
})

/** A server that does what it likes with a connection once a request has begun to arrive. */
async function startRude(behave: (socket: Socket, timers: Set<NodeJS.Timeout>) => void) {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => behave(socket, timers))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rude`,
    async close() {
      for (const timer of timers) clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const say = (text: string) => (socket: Socket) => void socket.write(text)
const again = (text: string, ms: number) => (socket: Socket, timers: Set<NodeJS.Timeout>) => {
  timers.add(setInterval(() => socket.write(text), ms))
}

const LATE = 'No complete response within 5 seconds'

/** What it does, what the attempt says, and at most how long it takes. */
const MANNERS: [string, (socket: Socket, timers: Set<NodeJS.Timeout>) => void, RegExp, number][] = [
  ['hangs', () => undefined, new RegExp(LATE), 5500],
  [
    'drips headers',
    (socket, timers) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      again('x-drip: 1\r\n', 100)(socket, timers)
    },
    new RegExp(`${LATE}|headers are larger`),
    5500,
  ],
  [
    'drips a body',
    (socket, timers) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
      again('x', 50)(socket, timers)
    },
    new RegExp(LATE),
    5500,
  ],
  ['resets', (socket) => void socket.resetAndDestroy(), /reset|closed/i, 1000],
  ['closes without a word', (socket) => void socket.end(), /closed|reset/i, 1000],
  ['redirects', say('HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n'), /302/, 1000],
  [
    'answers 1xx for ever',
    again('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 20),
    /5 seconds|too long|too many|closed|failed/i,
    5500,
  ],
  [
    'closes before the end of its body',
    (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'),
    /closed/,
    1000,
  ],
  ['announces less than it sends', say('HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nabcdefgh'), /500/, 1000],
  [
    'announces two lengths',
    say('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'),
    /two different Content-Length/,
    1000,
  ],
  ['speaks another protocol', say('SSH-2.0-OpenSSH_9.2\r\n'), /not valid HTTP/, 1000],
]

test.each(MANNERS)('a receiver that %s has failed its attempt, and delays nobody', async (_name, behave, told, ms) => {
  rude = await startRude(behave)
  for (const { url } of [good, rude]) {
    await guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key })
  }
  const began = performance.now()
  await guddesk.newConversation(tenant)
  await good.waitFor(1, 1500)
  const { prisma } = guddesk.deps.db
  const where = { delivery: { endpoint: { url: rude.url } } }
  await until(async () => (await prisma.deliveryAttempt.count({ where })) > 0, ms + 3000)
  expect(performance.now() - began).toBeLessThan(ms + 3000)
  const [attempt] = await prisma.deliveryAttempt.findMany({ where })
  expect(attempt?.durationMs).toBeLessThan(ms)
  expect(`${attempt?.statusCode ?? ''} ${attempt?.error ?? ''}`).toMatch(told)
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { endpoint: { url: rude.url } } })
  expect(delivery).toMatchObject({ status: 'PENDING', attempts: 1 })
})

test('when they behave again, everything arrives once, in order', async () => {
  good.behave((response) => response.socket?.resetAndDestroy())
  await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: tenant.key })
  const id = await guddesk.newConversation(tenant, 'one')
  await until(
    async () =>
      (await guddesk.deps.db.prisma.delivery.count({ where: { attempts: 1, workspaceId: tenant.workspaceId } })) === 2,
  )
  good.behave((response) => response.writeHead(200).end())
  const before = good.received.length
  await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'two' }, { key: tenant.key })
  guddesk.advance(11_000)
  await good.waitFor(before + 3)
  const sent = good.received.slice(before).map(({ headers }) => headers['x-guddesk-attempt'])
  expect(sent.sort()).toEqual(['1', '2', '2'])
})

test('the clock stepped an hour back and forth: nothing is stuck, lost or sent twice', async () => {
  await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: tenant.key })
  const id = await guddesk.newConversation(tenant)
  const send = (body: string) =>
    guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key: tenant.key })
  for (const [i, step] of [0, 3_600_000, -3_600_000, -3_600_000, 7_200_000].entries()) {
    guddesk.clock.advance(step)
    await send(`${i} one`)
    await send(`${i} two`)
  }
  await good.waitFor(11)
  const sequences = good.received.flatMap(({ data }) => (data['sequence'] === undefined ? [] : [data['sequence']]))
  expect(sequences).toEqual(Array.from({ length: 10 }, (_, i) => i + 1))
})
