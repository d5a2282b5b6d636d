import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { quiet, START } from '../../support/event-log.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
/** The server's end of every connection. */
const served = new Set<Socket>()

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api', LOG_LEVEL: 'warn' } })
  guddesk.server.on('connection', (socket) => {
    served.add(socket)
    socket.on('close', () => served.delete(socket))
  })
  const { subscribe } = guddesk.deps.bus
  vi.spyOn(guddesk.deps.bus, 'subscribe').mockImplementation((topic, listener) => {
    const stop = subscribe(topic, listener)
    return () => {
      left.add(topic)
      stop()
    }
  })
})

afterAll(() => guddesk?.stop())

const opened: WebSocket[] = []
afterAll(() => {
  for (const socket of opened.splice(0)) socket.terminate()
})

/** More than the kernel keeps for a connection: some 40 MB. */
const FLOOD = 4000
const INSERT = `INSERT INTO events (id, workspace_id, type, body)
  SELECT 'evt_' || n || $1, $1, 'ping', '{"event":"ping","data":{"n":' || n || ',"text":"' || repeat('x', 10000) || '"},"timestamp":""}'
    FROM generate_series($2::int, $3::int) n`

async function flood({ workspaceId }: Tenant): Promise<void> {
  for (let from = 1; from <= FLOOD; from += 500) {
    await guddesk.deps.db.sql(INSERT, [workspaceId, from, from + 499])
  }
}

/** Topics that the last follower has left. */
const left = new Set<string>()
const hasLeft = ({ workspaceId }: Tenant) => left.has(`events:${workspaceId}`)

const ENDS =
  'subscription ($after: String) { events(after: $after, filter: { types: CONVERSATION_CLOSED }) { cursor event { payload } } }'
const EVENTS = 'subscription ($after: String) { events(after: $after) { cursor event { payload } } }'

interface Answer {
  readonly type: string
  readonly payload?:
    | { data?: { events: { cursor: string; event: { payload: { n: number } } } } }
    | { extensions: { code: string } }[]
}

/** A WebSocket of our own, without a client's kindness. */
async function subscribe(
  { key }: Tenant,
  { query = EVENTS, after, ...options }: { query?: string; after?: string; autoPong?: boolean } = {},
): Promise<{ socket: WebSocket; answers: Answer[] }> {
  const socket = new WebSocket(`${guddesk.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', options)
  opened.push(socket)
  await once(socket, 'open')
  const answers: Answer[] = []
  socket.on('message', (data) => void answers.push(JSON.parse(String(data))))
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }))
  await until(() => answers.length === 1)
  socket.send(JSON.stringify({ id: 'slow', type: 'subscribe', payload: { query, variables: { after } } }))
  return { socket, answers }
}

/** Writes an event, and waits until somebody has it: everybody who follows the log has been given all before it. */
async function readTo({ workspaceId }: Tenant, answers: readonly Answer[]): Promise<void> {
  const count = answers.length
  const type = 'conversation.closed'
  const insert = 'INSERT INTO events (id, workspace_id, type, body) VALUES ($1, $2, $3, $4)'
  await guddesk.deps.db.sql(insert, [
    `evt_end_${workspaceId}`,
    workspaceId,
    type,
    '{"event":"x","data":{"n":0},"timestamp":""}',
  ])
  await until(
    () => answers.length > count,
    30_000,
    () => 'the log was not read to its end',
  )
}

test('a WebSocket that does not read holds little on the server, and is told to resume when it reads again', async () => {
  const tenant = await guddesk.newTenant()
  await guddesk.deps.db.sql(INSERT, [tenant.workspaceId, 0, 0])
  await quiet(guddesk)
  const { socket, answers } = await subscribe(tenant, { after: START })
  // What was there before has come: it follows.
  await until(() => answers.length === 2)
  const end = await subscribe(tenant, { query: ENDS, after: START })
  const before = new Set(served)
  socket.pause()
  await flood(tenant)
  await readTo(tenant, end.answers)
  const waiting = Math.max(...[...before].map(({ writableLength }) => writableLength))
  expect(waiting).toBeGreaterThan(0)
  // One event, not thousands.
  expect(waiting).toBeLessThan(100_000)
  socket.resume()
  await until(() => answers.some(({ type }) => type === 'error'))
  const got = answers.flatMap(({ payload }) => (payload && !Array.isArray(payload) ? (payload.data?.events ?? []) : []))
  expect(got.map(({ event }) => event.payload.n)).toEqual(Array.from({ length: got.length }, (_, i) => i))
  expect(got.length).toBeGreaterThan(0)
  expect(got.length).toBeLessThan(FLOOD)
  expect(answers.find(({ type }) => type === 'error')?.payload).toMatchObject([{ extensions: { code: 'resume' } }])

  const count = answers.length
  const variables = { after: got.at(-1)?.cursor }
  socket.send(JSON.stringify({ id: 'again', type: 'subscribe', payload: { query: EVENTS, variables } }))
  await until(() => answers.length - count >= FLOOD + 2 - got.length, 20_000)
  socket.terminate()
  end.socket.terminate()
}, 60_000)

test('a WebSocket that goes on asking and does not read is closed', async () => {
  const tenant = await guddesk.newTenant()
  await guddesk.deps.db.sql(INSERT, [tenant.workspaceId, 1, 100])
  const { socket } = await subscribe(tenant)
  socket.pause()
  const before = new Set(served)
  // A megabyte each.
  const payload = { query: 'query { events(first: 100) { edges { node { payload } } } }' }
  await until(() => {
    socket.send(JSON.stringify({ id: Math.random().toString(), type: 'subscribe', payload }))
    return [...before].every((peer) => peer.destroyed)
  }, 20_000)
  socket.terminate()
}, 40_000)

// Both wait for the server's patience, some 25 seconds, at the same time.
test.concurrent('a WebSocket that stops answering is gone within 30 s, and what it followed with it', async () => {
  const tenant = await guddesk.newTenant()
  // Takes everything and answers no ping.
  const { socket } = await subscribe(tenant, { autoPong: false })
  expect(hasLeft(tenant)).toBe(false)
  const began = performance.now()
  await Promise.all([once(socket, 'close'), until(() => hasLeft(tenant), 35_000)])
  expect(performance.now() - began).toBeLessThan(30_000)
}, 60_000)

test.concurrent('an event stream that stops reading is gone within 30 s, and what it followed with it', async () => {
  const tenant = await guddesk.newTenant()
  const socket = connect(Number(new URL(guddesk.origin).port), '127.0.0.1')
  const body = JSON.stringify({ query: EVENTS, variables: { after: START } })
  const head = [
    'POST /graphql HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${tenant.key}`,
    'Content-Type: application/json',
    'Accept: text/event-stream',
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  await once(socket, 'data')
  socket.pause()
  const before = new Set(served)
  const end = await subscribe(tenant, { query: ENDS })
  await flood(tenant)
  const began = performance.now()
  await readTo(tenant, end.answers)
  end.socket.terminate()
  // Nothing is sent twice into a full buffer.
  expect(Math.max(...[...before].map(({ writableLength }) => writableLength))).toBeLessThan(200_000)
  await until(() => hasLeft(tenant), 35_000)
  expect(performance.now() - began).toBeLessThan(30_000)
  socket.destroy()
}, 60_000)

test('a server that stops does not wait for a WebSocket that does not answer', async () => {
  const stopping = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const socket = new WebSocket(`${stopping.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  socket.pause()
  const began = performance.now()
  await stopping.stop()
  expect(performance.now() - began).toBeLessThan(10_000)
  socket.terminate()
}, 60_000)
