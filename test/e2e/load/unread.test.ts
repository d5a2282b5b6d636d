import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Child, type Installation, newInstallation, post } from '../../support/child.ts'
import { pause, until } from '../../support/until.ts'

const MB = 2 ** 20
const ALLOWED = 150
const PIPELINED = 32
// A process of its own collects its garbage when it likes.
const SETTLE_MS = 3000
const SAMPLE_MS = 400
/** On the embedded database, a credential has as many requests under way. */
const STUCK = 3

let installation: Installation
const sockets: (Socket | WebSocket)[] = []

beforeEach(async () => {
  installation = await newInstallation()
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket instanceof WebSocket ? socket.terminate() : socket.destroy()
  await installation?.remove()
})

/** In MB. */
async function residentOf({ pid }: Child): Promise<number> {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return (Number(kilobytes) * 1024) / MB
}

/** How many sockets the process has open, of whatever kind. */
async function socketsOf({ pid }: Child): Promise<number> {
  const folder = `/proc/${pid}/fd`
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')))
  return links.filter((link) => link.startsWith('socket:')).length
}

/** Sends, and reads nothing. */
function send(child: Child, text: string, { end = false } = {}): Socket {
  const socket = connect(Number(new URL(child.origin).port), '127.0.0.1').on('error', () => undefined)
  sockets.push(socket)
  socket.pause()
  socket.write(text)
  if (end) socket.end()
  return socket
}

/** A conversation with 4 MB of messages, and the requests that show as much of it as one answer may. */
async function longConversation(child: Child) {
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  const of = { visitorId: visitor.id }
  const { data: conversation } = await post<{ data: { id: string } }>(child, '/api/v1/conversations', of)
  const messages = `/api/v1/conversations/${conversation.id}/messages`
  for (let i = 0; i < 100; i++) await post(child, messages, { type: 'NOTE', body: '🙂'.repeat(10_000) })
  const aliases = Array.from({ length: 9 }, (_, i) => `a${i}: messages(first: 100) { edges { node { body } } }`)
  const query = `{ conversation(id: "${conversation.id}") { ${aliases.join(' ')} } }`
  const auth = `Authorization: Bearer ${child.key}`
  return {
    query,
    rest: http(`GET ${messages}?limit=100`, auth),
    graphql: http('POST /graphql', auth, 'Content-Type: application/json', JSON.stringify({ query })),
    openapi: http('GET /api/openapi.json'),
    graphiql: http('GET /graphql', 'Accept: text/html'),
  }
}

/** A request's text. The last line is a body, when it is one of JSON. */
function http(line: string, ...lines: string[]): string {
  const body = lines.at(-1)?.startsWith('{') === true ? (lines.pop() ?? '') : ''
  return [`${line} HTTP/1.1`, 'Host: x', ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n')
}

/** Sends a request, and reads its answer to the end. */
function read(child: Child, text: string): Promise<void> {
  const socket = send(child, text.replace('Host: x', 'Host: x\r\nConnection: close')).resume()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** Somebody else is served meanwhile. */
async function honest(child: Child): Promise<void> {
  const response = await fetch(`${child.origin}/healthz`, { signal: AbortSignal.timeout(60_000) })
  expect(response.status).toBe(200)
  await response.arrayBuffer()
}

test('answers that nobody reads do not fill the memory', async () => {
  const child = await installation.start({ LOG_LEVEL: 'fatal' })
  const { query, ...requests } = await longConversation(child)
  const { rest, graphql, openapi, graphiql } = requests
  // What reading such answers takes by itself.
  for (let i = 0; i < 4; i++) {
    for (const text of Object.values(requests)) await Promise.all([read(child, text), read(child, text)])
  }
  await pause(SETTLE_MS)
  const idle = await residentOf(child)

  const follow = () => {
    const socket = new WebSocket(`${child.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    sockets.push(socket.on('error', () => undefined))
    const payload = { authorization: `Bearer ${child.key}` }
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })))
    socket.on('message', () => {
      socket.pause()
      for (let i = 0; i < 90; i++) socket.send(JSON.stringify({ id: `${i}`, type: 'subscribe', payload: { query } }))
    })
  }
  const attacks: Record<string, () => void> = {
    pages: () => Array.from({ length: 8 }, () => send(child, rest.repeat(PIPELINED))),
    operations: () => Array.from({ length: 3 }, () => send(child, graphql.repeat(PIPELINED))),
    connections: () => Array.from({ length: 60 }, () => send(child, rest)),
    'half closed': () => Array.from({ length: 8 }, () => send(child, rest.repeat(PIPELINED), { end: true })),
    'the API document': () => Array.from({ length: 30 }, () => send(child, openapi.repeat(PIPELINED))),
    GraphiQL: () => Array.from({ length: 30 }, () => send(child, graphiql.repeat(PIPELINED))),
    'a WebSocket': follow,
  }
  const grown: Record<string, number> = {}
  for (const [name, attack] of Object.entries(attacks)) {
    attack()
    const seen: number[] = []
    for (let i = 0; i < 10; i++) {
      await honest(child)
      seen.push((await residentOf(child)) - idle)
      await pause(SAMPLE_MS)
    }
    // What stays: garbage comes and goes.
    grown[name] = Math.round(Math.min(...seen.slice(-5)))
  }
  expect(Object.entries(grown).filter(([, mb]) => mb >= ALLOWED)).toEqual([])
}, 240_000)

test('a connection that takes nothing is closed, and one that takes a little is not', async () => {
  const child = await installation.start({ LOG_LEVEL: 'fatal' })
  const { rest } = await longConversation(child)
  await read(child, rest)
  const slow = send(child, rest.repeat(PIPELINED))
  let taken = 0
  const sipping = setInterval(() => {
    taken += slow.read(256 * 1024)?.length ?? 0
  }, 1000)
  // Until the server has accepted the connection, its socket would not be counted.
  await until(() => taken > 0, 30_000)
  const idle = await socketsOf(child)
  const began = performance.now()
  for (let i = 0; i < STUCK; i++) send(child, rest.repeat(PIPELINED))
  await until(async () => (await socketsOf(child)) >= idle + STUCK, 10_000)
  const served = honest(child)
  await until(async () => (await socketsOf(child)) <= idle, 60_000)
  expect(performance.now() - began).toBeGreaterThan(12_000)
  await served
  const before = taken
  await until(() => taken > before, 30_000)
  expect(slow.closed).toBe(false)
  clearInterval(sipping)
}, 120_000)
