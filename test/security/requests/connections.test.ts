import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text as bodyOf } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { closeStalledConnections, rejectAfterPending, serializeRequests } from '../../../src/http/connections.ts'
import { type AcquireSlot, concurrencyLimit } from '../../../src/infra/concurrency-limit.ts'
import { pause, until } from '../../support/until.ts'

const servers: Server[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function serve(answer: RequestListener, options: ServerOptions = {}): Promise<Server> {
  const server = createServer(options, answer).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return server
}

async function open(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

const request = (path: string, body = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describe('pipelined requests', () => {
  test('begin when the answer before them has been taken', async () => {
    const begun: ServerResponse[] = []
    const server = await serve(serializeRequests((_request, response) => begun.push(response)))
    const socket = await open(server)
    socket.write(request('/a').repeat(3))
    const other = await open(server)
    other.write(request('/b'))
    await until(() => begun.length === 2)
    for (const next of [3, 4]) {
      begun.find((response) => !response.writableEnded && response.req.url === '/a')?.end('ok')
      await until(() => begun.length === next)
    }
  })

  test('are not read while one waits, whatever is asked for of the one before', async () => {
    const begun: ServerResponse[] = []
    const server = await serve(
      serializeRequests((incoming, response) => {
        begun.push(response)
        incoming.resume()
      }),
    )
    const served = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const socket = await open(server)
    const line = request('/a', 'x'.repeat(1000)).repeat(20_000)
    socket.write(line)
    const peer = await served
    let read = 0
    // Until two looks find the same.
    await until(() => {
      const before = read
      read = peer.bytesRead
      return read > 0 && read === before
    })
    // What the system had read when the second request was seen: one chunk.
    expect(read).toBeLessThanOrEqual(65_536)
    expect(begun).toHaveLength(1)
  })

  test('whose bodies come in pieces are all answered, in order', async () => {
    const server = await serve(
      serializeRequests(async (incoming, response) => {
        let body = ''
        for await (const chunk of incoming) body += chunk
        response.end(`${incoming.url} ${body.length};`)
      }),
    )
    const socket = await open(server)
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const all = Array.from({ length: 40 }, (_, i) => request(`/${i}`, 'x'.repeat(i * 3000))).join('')
    for (let at = 0; at < all.length; at += 50_001) socket.write(all.slice(at, at + 50_001))
    await until(() => text.includes('/39 117000;'))
    const answered = [...text.matchAll(/\/(\d+) (\d+);/g)].map(([, i, length]) => [Number(i), Number(length)])
    expect(answered).toEqual(Array.from({ length: 40 }, (_, i) => [i, i * 3000]))
  })

  test('of a connection that has gone do not begin', async () => {
    const begun: ServerResponse[] = []
    const server = await serve(serializeRequests((_request, response) => begun.push(response)))
    const socket = await open(server)
    socket.write(request('/a').repeat(10))
    await until(() => begun.length === 1)
    const [first] = begun
    first?.socket?.destroy()
    await once(socket, 'close')
    await until(() => first?.closed === true)
    expect(begun).toHaveLength(1)
  })
})

describe('requests that are late or malformed', () => {
  const LIMIT_MS = 200
  const LIMITS = { headersTimeout: LIMIT_MS, requestTimeout: LIMIT_MS, connectionsCheckingInterval: 20 }
  const HEAD = 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n'

  /** Requests wait for the test, and are answered with their path and body. */
  async function serveSlowly() {
    const begun: { response: ServerResponse; body: Promise<string> }[] = []
    const read = serializeRequests((incoming, response) => {
      const body = bodyOf(incoming)
      body.catch(() => undefined)
      begun.push({ response, body })
    })
    const server = await serve(read, LIMITS)
    server.on(
      'clientError',
      rejectAfterPending(LIMIT_MS, (error, to) => to.end(`[${'code' in error ? error.code : error.message}]`)),
    )
    const socket = await open(server)
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const answer = async () => {
      await until(() => begun.length > 0)
      const [first] = begun.splice(0, 1)
      first?.response.end(`<${first.response.req.url} ${await first.body}>`)
    }
    /** Answers and refusals, in the order in which they came. */
    const said = () => text.match(/<[^>]*>|\[[^\]]*\]/g) ?? []
    return { socket, said, answer, begun }
  }

  test.each([
    ['headers', 'POST /slow HTTP/1.1\r\nHos', 't: x\r\nContent-Length: 5\r\n\r\nhello'],
    ['a body', `${HEAD}\r\nhe`, 'llo'],
  ])('have their time again when they waited unread behind other requests: %s', async (_what, part, rest) => {
    const { socket, said, answer } = await serveSlowly()
    socket.write(request('/a') + request('/b') + part)
    // Held all the time, which is longer than a request may take.
    await pause(LIMIT_MS * 2)
    await answer()
    socket.write(rest)
    await answer()
    await answer()
    await until(() => said().length === 3)
    expect(said()).toEqual(['</a >', '</b >', '</slow hello>'])
    await pause(LIMIT_MS * 2)
    socket.write(request('/c'))
    await answer()
    await until(() => said().length === 4)
  })

  test.each([
    ['headers', 'POST /slow HTTP/1.1\r\nHos'],
    ['a body', `${HEAD}\r\nhe`],
  ])('are refused when they do not go on after that: %s', async (_what, part) => {
    const { socket, said, answer } = await serveSlowly()
    socket.write(request('/a') + request('/b') + part)
    await pause(LIMIT_MS * 2)
    await answer()
    await answer()
    await once(socket, 'close')
    expect(said()).toEqual(['</a >', '</b >', '[ERR_HTTP_REQUEST_TIMEOUT]'])
  })

  test.each([
    ['late headers', 'POST /slow HTTP/1.1\r\nHos', 'ERR_HTTP_REQUEST_TIMEOUT'],
    [
      'a malformed body',
      'POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n',
      'HPE_INVALID_CHUNK_SIZE',
    ],
    ['nonsense', 'nonsense\r\n\r\n', 'HPE_INVALID_METHOD'],
  ])('are refused behind the answer before them, not in its place: %s', async (_what, part, code) => {
    const { socket, said, answer } = await serveSlowly()
    socket.write(request('/a') + part)
    await pause(LIMIT_MS * 2)
    expect(said()).toEqual([])
    await answer()
    await once(socket, 'close')
    expect(said()).toEqual(['</a >', `[${code}]`])
  })

  test.each([
    ['late headers', 'POST /slow HTTP/1.1\r\nHos'],
    ['a late body', `${HEAD}\r\nhe`],
  ])('are refused at once when nothing is before them: %s', async (_what, part) => {
    const { socket, said } = await serveSlowly()
    socket.write(part)
    await once(socket, 'close')
    expect(said()).toEqual(['[ERR_HTTP_REQUEST_TIMEOUT]'])
  })

  test('end the connection when their answer has begun', async () => {
    const { socket, said, begun } = await serveSlowly()
    socket.write(`${HEAD}\r\nhe`)
    await until(() => begun.length === 1)
    begun[0]?.response.write('<begun>')
    await once(socket, 'close')
    expect(said()).toEqual(['<begun>'])
  })
})

describe('what nobody reads', () => {
  /** Several times what the kernel keeps for a connection. */
  const LARGE = Buffer.alloc(30 * 2 ** 20, 'x')

  test('ends its connection; one that takes a little is served on', async () => {
    const server = await serve((_request, response) => response.end(LARGE))
    closeStalledConnections(server, 2000)
    const stuck = await open(server)
    const slow = await open(server)
    const idle = await open(server)
    for (const socket of [stuck, slow]) {
      socket.pause()
      socket.write(request('/'))
    }
    const sipping = setInterval(() => slow.read(100_000), 100)
    await once(stuck.resume().pause(), 'close', { signal: AbortSignal.timeout(100) }).catch(() => undefined)
    const count = () => new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)))
    await until(async () => (await count()) === 2, 10_000)
    clearInterval(sipping)
    expect([slow.destroyed, idle.destroyed]).toEqual([false, false])
  })
})

describe('places', () => {
  const tooLate = () => new Error('too late')

  /** @returns what gives the place back */
  async function hold(acquire: AcquireSlot, key: string): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<() => void>()
    await acquire(key, resolve)
    return promise
  }

  test('are handed on in line, and each key has its own', async () => {
    const acquire = concurrencyLimit(2, 10_000, tooLate)
    const [first, second] = await Promise.all([hold(acquire, 'a'), hold(acquire, 'a')])
    const got: string[] = []
    const third = hold(acquire, 'a').then(() => got.push('third'))
    const fourth = hold(acquire, 'a').then(() => got.push('fourth'))
    await hold(acquire, 'b')
    expect(got).toEqual([])
    first()
    // Given back twice is given back once.
    first()
    await third
    expect(got).toEqual(['third'])
    second()
    await fourth
    expect(got).toEqual(['third', 'fourth'])
  })

  test('that do not come free in time are refused, and leave the line', async () => {
    const acquire = concurrencyLimit(1, 50, tooLate)
    const back = await hold(acquire, 'a')
    await expect(hold(acquire, 'a')).rejects.toThrow('too late')
    back()
    await expect(hold(acquire, 'a')).resolves.toBeTypeOf('function')
  })

  test('that nobody waits for any more are handed on, and nothing is done there', async () => {
    const acquire = concurrencyLimit(1, 10_000, tooLate)
    const back = await hold(acquire, 'a')
    const gone = acquire('a', (release) => release())
    const next = hold(acquire, 'a')
    back()
    await expect(gone).rejects.toThrow('too late')
    await expect(next).resolves.toBeTypeOf('function')
  })
})
