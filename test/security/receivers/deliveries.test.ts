import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
/** What the names of webhooks resolve to now. */
const names = new Map<string, string[]>()

beforeAll(async () => {
  guddesk = await startGudDesk({
    resolve: async (name) =>
      names.get(name) ?? Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
  })
})

afterAll(() => guddesk?.stop())

const register = (tenant: Tenant, url: string) =>
  guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key })

const deliveriesOf = ({ workspaceId }: Tenant) =>
  guddesk.deps.db.prisma.delivery.findMany({ where: { workspaceId }, include: { attemptLog: true } })

const REFUSED = 'The host name resolves to a private, loopback or reserved address'

test.each([
  ['10.11.12.13', `${REFUSED}; to allow it, set WEBHOOK_ALLOWED_HOSTS=rebind.example.com`],
  ['169.254.169.254', REFUSED],
  ['fd00::1', `${REFUSED}; to allow it, set WEBHOOK_ALLOWED_HOSTS=rebind.example.com`],
])('a name that comes to mean %s is refused once and for all', async (address, error) => {
  const tenant = await guddesk.newTenant()
  names.set('rebind.example.com', ['93.184.216.34'])
  expect((await register(tenant, 'http://rebind.example.com/hook')).status).toBe(201)
  names.set('rebind.example.com', [address])
  await guddesk.newConversation(tenant)
  await until(async () => (await deliveriesOf(tenant)).every(({ status }) => status === 'FAILED'))
  guddesk.advance(7 * 86_400_000)
  const [delivery, ...more] = await deliveriesOf(tenant)
  expect(more).toEqual([])
  expect(delivery).toMatchObject({ status: 'FAILED', attempts: 1, nextAttemptAt: null })
  expect(delivery?.attemptLog).toMatchObject([{ number: 1, statusCode: null, response: null, error }])
  // Neither the tenant nor whoever reads the log over GraphQL learns where the name led.
  expect(JSON.stringify(delivery?.attemptLog, (_, value) => (typeof value === 'bigint' ? 0 : value))).not.toContain(
    address,
  )
})

test('a URL that got into the table some other way is refused too, and a replay of it', async () => {
  const tenant = await guddesk.newTenant()
  names.set('fine.example.com', ['93.184.216.34'])
  const { data } = await register(tenant, 'http://fine.example.com/')
  const where = { id: data.endpoint.id }
  await guddesk.deps.db.prisma.webhookEndpoint.update({ where, data: { url: 'http://10.0.0.1/' } })
  await guddesk.newConversation(tenant)
  await until(async () => (await deliveriesOf(tenant)).every(({ status }) => status === 'FAILED'))
  const [delivery] = await deliveriesOf(tenant)
  expect(delivery?.attemptLog[0]?.error).toBe(
    'The URL is refused: it is a private address; to allow it, set WEBHOOK_ALLOWED_CIDRS=10.0.0.1/32',
  )
  const replay = 'mutation Replay($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { __typename } }'
  await guddesk.graphql(replay, { input: { deliveryId: delivery?.id } }, { key: tenant.key })
  await until(async () => (await deliveriesOf(tenant))[0]?.attempts === 2)
  expect((await deliveriesOf(tenant))[0]).toMatchObject({ status: 'FAILED', nextAttemptAt: null })
})

/** Receivers that accept a connection and then do their worst. */
const RUDE: ((socket: Socket) => void)[] = [
  () => undefined,
  (socket) => {
    const timer = setInterval(() => socket.write('x'), 1000)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
    socket.on('close', () => clearInterval(timer))
  },
  (socket) => {
    const again = () => {
      while (socket.writable && socket.write('x'.repeat(60_000)));
    }
    socket.on('drain', again)
    socket.write('HTTP/1.1 500 No\r\n\r\n')
    again()
  },
  (socket) => void socket.resetAndDestroy(),
  (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc'),
]

test('rude receivers leave a good one’s latency as it was', async () => {
  const open = new Set<Socket>()
  const servers = await Promise.all(
    RUDE.map(async (behave) => {
      const server = createServer((socket) => {
        open.add(socket)
        socket.on('error', () => undefined)
        socket.once('data', () => behave(socket))
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const good = await startReceiver()
  const tenant = await guddesk.newTenant()
  await register(tenant, good.url)
  /** Milliseconds from the request that causes an event to its arrival, in the middle of 15. */
  const latency = async () => {
    const times: number[] = []
    for (let i = 0; i < 15; i++) {
      const began = performance.now()
      await guddesk.newConversation(tenant)
      const received = await good.waitFor(++expected)
      times.push((received.at(-1)?.at ?? Number.POSITIVE_INFINITY) - began)
    }
    return times.sort((a, b) => a - b)[7] ?? Number.POSITIVE_INFINITY
  }
  let expected = 0
  const alone = await latency()
  const crowd = await guddesk.newTenant()
  for (const server of servers) {
    await register(crowd, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  }
  // More than each endpoint may have in flight, so that all of them are busy to the brim.
  for (let i = 0; i < 12; i++) await guddesk.newConversation(crowd)
  const crowded = await latency()
  // One that waited for the others would take 5 seconds.
  expect(crowded).toBeLessThan(alone + 400)
  for (const socket of open) socket.destroy()
  for (const server of servers) server.close()
  await good.close()
})
