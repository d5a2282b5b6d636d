import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../src/dispatch/send/http-client.ts'

const BODY = '{"event":"ping","data":{}}'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

let sender: HttpClient
const closing: (() => void)[] = []

beforeEach(() => {
  sender = createHttpClient({ requireHttps: false, allowLoopback: true })
})

afterEach(() => {
  sender.close()
  for (const close of closing.splice(0)) close()
})

/** A server that answers the first request of each connection, and does as it likes with the others. */
async function keeping(
  later: (socket: Socket) => void,
): Promise<{ url: string; requests: () => number; connections: () => number }> {
  let requests = 0
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    let mine = 0
    socket.on('data', (data) => {
      if (!data.includes('POST ')) return
      requests++
      if (mine++ === 0) socket.write(OK)
      else later(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, requests: () => requests, connections: () => open.size }
}

test.each<[string, (socket: Socket) => void]>([
  ['closes it', (socket) => socket.end()],
  ['resets it', (socket) => socket.resetAndDestroy()],
  [
    'says 408 on it',
    (socket) => socket.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
  ],
])('when the receiver %s, the same request goes out at once on a new connection', async (_how, later) => {
  const receiver = await keeping(later)
  expect(await sender.post(receiver.url, {}, BODY)).toEqual(expect.not.objectContaining({ isResent: true }))
  const began = performance.now()
  const second = await sender.post(receiver.url, {}, BODY)
  expect(second).toMatchObject({ kind: 'answered', statusCode: 200, isResent: true })
  expect(performance.now() - began).toBeLessThan(1000)
  expect([receiver.requests(), receiver.connections()]).toEqual([3, 2])
})

test('what fails on a new connection is not sent again', async () => {
  let requests = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      requests++
      socket.resetAndDestroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  expect(await sender.post(url, {}, BODY)).toEqual({ kind: 'failed', error: 'The receiver reset the connection' })
  expect(requests).toBe(1)
})

test('what fails on a connection that the client opened by itself is not sent again', async () => {
  let requests = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      requests++
      if (requests === 1) socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
      else socket.resetAndDestroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await sender.post(url, {}, BODY)
  expect(await sender.post(url, {}, BODY)).toEqual({ kind: 'failed', error: 'The receiver reset the connection' })
  expect(requests).toBe(2)
})

test('an answer that had begun is a failure of its own', async () => {
  const receiver = await keeping((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')
    setTimeout(() => socket.resetAndDestroy(), 20)
  })
  await sender.post(receiver.url, {}, BODY)
  expect(await sender.post(receiver.url, {}, BODY)).toEqual({
    kind: 'failed',
    error: 'The receiver reset the connection',
  })
  expect(receiver.requests()).toBe(2)
})

test('both requests together have 5 seconds', async () => {
  let requests = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      requests++
      if (requests === 1) socket.write(OK)
      // The second one fails after 3 seconds, on the kept connection; the third hangs.
      else if (requests === 2) setTimeout(() => socket.end(), 3000)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await sender.post(url, {}, BODY)
  const began = performance.now()
  const expected = {
    kind: 'failed',
    error: 'No complete response within 5 seconds: respond first, then process the event',
    isResent: true,
  }
  expect(await sender.post(url, {}, BODY)).toEqual(expected)
  expect(performance.now() - began).toBeLessThan(5400)
  expect(requests).toBe(3)
})
