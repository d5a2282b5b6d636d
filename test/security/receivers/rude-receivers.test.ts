import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { HttpResult } from '../../../src/dispatch/delivery.ts'
import { createHttpClient, type HttpClient } from '../../../src/dispatch/send/http-client.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'

const BODY = '{"event":"ping","data":{}}'
const LOOPBACK = { requireHttps: false, allowLoopback: true }
/** 64 kB, and what the last read from the socket brings beyond. */
const MOST_BYTES = 81_920
/** The deadline, and how long a machine that does other things too may take to notice it. */
const MOST_MS = 5400

let sender: HttpClient
let redirected: Receiver
const sockets: Socket[] = []
const noteSocket = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
const closing: (() => void)[] = []

beforeAll(async () => {
  diagnostics.subscribe('undici:client:connected', noteSocket)
  sender = createHttpClient(LOOPBACK)
  redirected = await startReceiver()
})

afterEach(() => {
  for (const close of closing.splice(0)) close()
  sockets.length = 0
})

afterAll(async () => {
  diagnostics.unsubscribe('undici:client:connected', noteSocket)
  sender?.close()
  await redirected?.close()
})

/** A server that does what it likes with the socket once a request has begun to arrive. */
async function rude(answer: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Writes the same again and again, as fast as it is taken. */
function flood(socket: Socket, head: string, chunk: string): void {
  const again = () => {
    while (socket.writable && socket.write(chunk));
  }
  socket.on('drain', again)
  socket.write(head)
  again()
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const BOMB = gzipSync(Buffer.alloc(20_000_000))
const BIG = 'x'.repeat(60_000)
const TOO_LONG = { kind: 'failed', error: 'The response is longer than 64 kB' } as const

const RUDE: [what: string, answer: (socket: Socket) => void, exchange: Partial<HttpResult> & { kind: string }][] = [
  // Success is a complete answer: nobody can tell whether these would end.
  ['an endless body', (s) => flood(s, 'HTTP/1.1 200 OK\r\n\r\n', BIG), TOO_LONG],
  ['an endless chunked body', (s) => flood(s, CHUNKED, `ea60\r\n${BIG}\r\n`), TOO_LONG],
  // Here the status says what matters.
  [
    'an endless body of an error',
    (s) => flood(s, 'HTTP/1.1 500 No\r\n\r\n', BIG),
    { kind: 'answered', statusCode: 500 },
  ],
  [
    'a body of a gigabyte',
    (s) => flood(s, 'HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n', BIG),
    { kind: 'answered', statusCode: 200 },
  ],
  [
    'endless headers',
    (s) => flood(s, 'HTTP/1.1 200 OK\r\n', 'X-More: and more\r\n'.repeat(1000)),
    { kind: 'failed', error: 'The response headers are larger than 64 kB' },
  ],
  [
    'one endless header',
    (s) => flood(s, 'HTTP/1.1 200 OK\r\nX-More: ', BIG),
    { kind: 'failed', error: 'The response headers are larger than 64 kB' },
  ],
  ['endless interim answers', (s) => flood(s, '', 'HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n'.repeat(500)), TOO_LONG],
  ['an endless chunk extension', (s) => flood(s, `${CHUNKED}5;`, `a=${BIG};`), TOO_LONG],
  ['endless trailers', (s) => flood(s, `${CHUNKED}0\r\n`, 'X-More: and more\r\n'.repeat(1000)), { kind: 'failed' }],
  [
    'no HTTP',
    (s) => flood(s, 'SSH-2.0-OpenSSH_9.2\r\n', BIG),
    { kind: 'failed', error: 'The response is not valid HTTP' },
  ],
  [
    'a byte a second',
    (s) => {
      s.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
      const timer = setInterval(() => s.write('x'), 1000)
      s.on('close', () => clearInterval(timer))
    },
    { kind: 'failed', error: 'No complete response within 5 seconds: respond first, then process the event' },
  ],
  [
    'a byte of header a second',
    (s) => {
      const timer = setInterval(() => s.write('H'), 1000)
      s.write('HTTP/1.1 200 OK\r\nX-')
      s.on('close', () => clearInterval(timer))
    },
    { kind: 'failed' },
  ],
  ['nothing', () => undefined, { kind: 'failed' }],
  [
    'a gzip bomb of 20 MB',
    (s) => {
      s.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${BOMB.length}\r\n\r\n`)
      s.write(BOMB)
    },
    { kind: 'answered', statusCode: 200 },
  ],
  [
    'a redirect to this machine',
    (s) => s.write(`HTTP/1.1 307 Go\r\nLocation: ${redirected.url}\r\nContent-Length: 0\r\n\r\n`),
    { kind: 'answered', statusCode: 307 },
  ],
  [
    'a reset in the middle of the body',
    (s) => {
      s.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc')
      setTimeout(() => s.resetAndDestroy(), 50)
    },
    { kind: 'failed', error: 'The receiver reset the connection' },
  ],
  [
    'an end in the middle of the body',
    (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc'),
    { kind: 'failed', error: 'The receiver closed the connection before the response was complete' },
  ],
]

test.each(RUDE)('%s costs at most 5 seconds and 64 kB', async (_, answer, expected) => {
  const url = await rude(answer)
  const heap = process.memoryUsage().arrayBuffers
  const began = performance.now()
  const exchange = await sender.post(url, {}, BODY)
  const ms = performance.now() - began
  expect(exchange).toMatchObject(expected)
  expect(ms).toBeLessThan(MOST_MS)
  if (exchange.kind === 'answered') expect(exchange.response.length).toBeLessThanOrEqual(4096)
  expect(sockets).toHaveLength(1)
  expect(sockets[0]?.bytesRead).toBeLessThanOrEqual(MOST_BYTES)
  expect(process.memoryUsage().arrayBuffers - heap).toBeLessThan(5_000_000)
  expect(redirected.received).toEqual([])
})

test('what follows a rude answer gets a connection of its own', async () => {
  const url = await rude((socket) => {
    // The second answer is already there when the next request would be sent.
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged')
  })
  const first = await sender.post(url, {}, BODY)
  const second = await sender.post(url, {}, BODY)
  expect(first).toMatchObject({ kind: 'answered', response: 'ok' })
  expect(second).not.toMatchObject({ response: 'forged' })
})

test('proxy variables are ignored', async () => {
  const proxy = await startReceiver()
  const receiver = await startReceiver()
  const names = [
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'NODE_USE_ENV_PROXY',
  ]
  for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${proxy.port}`
  const own = createHttpClient(LOOPBACK)
  try {
    expect(await own.post(receiver.url, {}, BODY)).toMatchObject({ kind: 'answered', statusCode: 200 })
    expect([proxy.received.length, receiver.received.length]).toEqual([0, 1])
  } finally {
    for (const name of names) delete process.env[name]
    own.close()
    await proxy.close()
    await receiver.close()
  }
})
