import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decide, redirectHint } from '../../src/dispatch/policy/outcome.ts'
import { createHttpClient, type HttpClient } from '../../src/dispatch/send/http-client.ts'
import { ANSWERS, type Written } from './answers.ts'

const BODY = '{"event":"ping","data":{}}'
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let sender: HttpClient
let server: Server
const open = new Set<Socket>()

beforeAll(async () => {
  sender = createHttpClient({ requireHttps: false, allowLoopback: true })
  server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
      const asked = /^POST \/(\d+) [\s\S]*\r\n\r\n.*\}$/.exec(text)
      if (asked === null) return
      text = ''
      void write(socket, ANSWERS[Number(asked[1])]?.written ?? [])
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(() => {
  sender?.close()
  for (const socket of open) socket.destroy()
  server?.close()
})

async function write(socket: Socket, parts: Written): Promise<void> {
  for (const [n, part] of parts.entries()) {
    if (n > 0) await sleep(parts.length > 10 ? 1 : 20)
    if (part === null) socket.end()
    else if (part === 'reset') socket.resetAndDestroy()
    else socket.write(part)
  }
}

const urlOf = (n: number) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${n}`

test('there are many ways to answer, each with a name of its own', () => {
  expect(ANSWERS.length).toBeGreaterThanOrEqual(90)
  expect(new Set(ANSWERS.map(({ name }) => name)).size).toBe(ANSWERS.length)
})

test.each(ANSWERS.map((answer, n) => ({ ...answer, n })))('$name', async ({ recorded, n }) => {
  const exchange = await sender.post(urlOf(n), {}, BODY)
  if ('error' in recorded) {
    expect(exchange).toMatchObject({ kind: 'failed', error: matching(recorded.error) })
    expect(exchange).not.toMatchObject({ error: expect.stringMatching(/request failed|Error$/) })
    return
  }
  const { status, response } = recorded
  expect(exchange).toMatchObject({ kind: 'answered', statusCode: status })
  if (response !== undefined) expect(exchange).toMatchObject({ response: matching(response) })
})

test('a redirect says what to register instead', () => {
  expect(redirectHint({ statusCode: 307, location: 'https://example.com/hook/' })).toContain(
    'register https://example.com/hook/',
  )
  expect(redirectHint({ statusCode: 302 })).toBe(null)
  expect(redirectHint({ statusCode: 201, location: 'https://example.com/made' })).toBe(null)
})

test('what is asked for by Retry-After is spread upwards, never downwards', () => {
  const now = new Date()
  const waits = [0, 0.5, 0.999].map((random) => {
    const exchange = { kind: 'answered', statusCode: 429, retryAfter: '1000', response: '' } as const
    const outcome = decide(exchange, 1, now, () => random)
    return outcome.next === 'retry' ? outcome.at.getTime() - now.getTime() : 0
  })
  expect(waits).toEqual([1_000_000, 1_050_000, 1_099_900])
})

function matching(value: string | RegExp): unknown {
  return typeof value === 'string' ? value : expect.stringMatching(value)
}
