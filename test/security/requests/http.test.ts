import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limitConnections } from '../../../src/http/connections.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

const FRIEND = 'https://tools.example.com'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { CORS_ORIGINS: FRIEND, PUBLIC_URL: 'https://desk.example.com' } })
})

afterAll(() => guddesk?.stop())

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(guddesk.origin + path, { method, headers })

describe('headers', () => {
  test.each([
    ['/healthz', {}],
    ['/api/v1/conversations', {}],
    ['/api/openapi.json', {}],
    ['/nothing', {}],
    ['/graphql?query={__typename}', { accept: 'application/json' }],
    ['/api/auth/sign-out', {}],
  ])('%s can be neither framed, nor run, nor mistaken for something else', async (path, headers) => {
    const answer = await get(path, headers)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.stringMatching(/^req_/),
    })
  })

  test('pages run scripts of this server only, and none of their own', async () => {
    const answer = await get('/inbox', { accept: 'text/html' })
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/unsafe/)
    expect(policy).toContain("frame-ancestors 'none'")
  })

  test('GraphiQL has its own policy; it loads nothing from elsewhere', async () => {
    const answer = await get('/graphql', { accept: 'text/html' })
    expect(await answer.text()).toContain('GraphiQL')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self' 'unsafe-inline'")
    expect(policy).not.toMatch(/https?:|\*/)
  })

  test('without https there is no promise of it', async () => {
    const plain = await startGudDesk()
    expect((await fetch(`${plain.origin}/healthz`)).headers.get('strict-transport-security')).toBe(null)
    await plain.stop()
  })
})

describe('other origins', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }

  test.each(['/api/v1/customers', '/graphql', '/api/agent/reply', '/api/openapi.json'])(
    'a listed one may call %s with a key',
    async (path) => {
      const asked = await get(path, { origin: FRIEND, ...preflight }, 'OPTIONS')
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, FRIEND])
      expect(asked.headers.get('access-control-allow-headers')).toMatch(/Authorization.*Idempotency-Key/)
      expect(asked.headers.get('access-control-allow-credentials')).toBe(null)
      const answer = await get(path, { origin: FRIEND })
      expect(answer.headers.get('access-control-allow-origin')).toBe(FRIEND)
      expect(answer.headers.get('vary')).toMatch(/Origin/)
      expect(answer.headers.get('access-control-expose-headers')).toMatch(/X-RateLimit-Remaining/)
    },
  )

  test.each(['https://evil.example.com', 'null', `${FRIEND}.evil.com`, FRIEND.toUpperCase()])(
    '%s may not',
    async (origin) => {
      const asked = await get('/api/v1/customers', { origin, ...preflight }, 'OPTIONS')
      expect([asked.status >= 400, asked.headers.get('access-control-allow-origin')]).toEqual([true, null])
      const answer = await get('/api/v1/customers', { origin })
      expect(answer.headers.get('access-control-allow-origin')).toBe(null)
      expect(answer.headers.get('vary')).toMatch(/Origin/)
    },
  )

  test('nobody from elsewhere signs in or out', async () => {
    const asked = await get('/api/auth/sign-in/email', { origin: FRIEND, ...preflight }, 'OPTIONS')
    expect(asked.headers.get('access-control-allow-origin')).toBe(null)
  })

  test('there are none by default', async () => {
    const closed = await startGudDesk()
    const answer = await fetch(`${closed.origin}/api/v1/customers`, { headers: { origin: FRIEND } })
    expect(answer.headers.get('access-control-allow-origin')).toBe(null)
    await closed.stop()
  })
})

describe('slow and many', () => {
  const open = async () => {
    const socket = connect(Number(new URL(guddesk.origin).port), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  test('headers that come a byte at a time end after 15 seconds, and hold up nobody meanwhile', async () => {
    const sockets = await Promise.all(Array.from({ length: 50 }, open))
    const began = performance.now()
    for (const socket of sockets) socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const drip = setInterval(() => {
      for (const socket of sockets) socket.write('a')
    }, 500)
    const answers = sockets.map(async (socket: Socket) => {
      let text = ''
      socket.on('data', (chunk) => (text += chunk))
      await once(socket, 'close')
      return text
    })
    expect((await get('/healthz')).status).toBe(200)
    const texts = await Promise.all(answers)
    clearInterval(drip)
    expect(performance.now() - began).toBeLessThan(20_000)
    for (const text of texts) expect(text).toMatch(/^HTTP\/1\.1 400 .*The request took too long to arrive/s)
  })

  test('a connection that sends hundreds of requests without waiting gets every answer, one after the other', async () => {
    const socket = await open()
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const count = 300
    socket.write(
      `GET /api/v1/conversations HTTP/1.1\r\nHost: x\r\nx-api-key: ${guddesk.tenant.key}\r\n\r\n`.repeat(count),
    )
    expect((await get('/healthz')).status).toBe(200)
    await until(() => text.split('HTTP/1.1 200').length > count, 20_000)
    expect(socket.closed).toBe(false)
    socket.destroy()
    expect(guddesk.logs.filter(({ level }) => Number(level) >= 40)).toEqual([])
  })

  test('a few requests at once on a connection are answered, in their order', async () => {
    const socket = await open()
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const ask = (i: number) => `GET /nothing/${i} HTTP/1.1\r\nHost: x\r\n\r\n`
    for (let round = 0; round < 3; round++) {
      const numbers = Array.from({ length: 32 }, (_, i) => round * 32 + i)
      socket.write(numbers.map(ask).join(''))
      await until(() => text.split('HTTP/1.1 404').length > (round + 1) * 32)
    }
    const answered = [...text.matchAll(/nothing\/(\d+) not found/g)].map(([, i]) => Number(i))
    expect(answered).toEqual(Array.from({ length: 96 }, (_, i) => i))
    socket.destroy()
  })

  test('an address has so many connections and no more; one that closes makes room', async () => {
    const server = createServer()
    limitConnections(server, 3, () => true)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const count = () => new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)))
    const sockets: Socket[] = []
    const add = async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      sockets.push(socket)
      await once(socket, 'connect')
      return socket
    }
    for (let i = 0; i < 3; i++) await add()
    const refused = await add()
    if (!refused.closed) await once(refused, 'close')
    expect(await count()).toBe(3)
    sockets[0]?.destroy()
    await until(async () => (await count()) === 2)
    const next = await add()
    await until(async () => (await count()) === 3)
    expect(next.closed).toBe(false)
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})
