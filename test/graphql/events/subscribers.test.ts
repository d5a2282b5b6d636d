import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
let conversationId: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { LOG_LEVEL: 'warn' } })
  conversationId = await guddesk.newConversation()
})
afterAll(() => guddesk?.stop())

const EVENTS = 100
const GREETING = 'greeting'
const FAREWELL = 'farewell'

interface Crowd {
  readonly counts: number[]
  readonly greeted: Set<number>
  readonly dismissed: Set<number>
  /** Whatever went wrong. */
  readonly faults: unknown[]
  leave(): Promise<void>
}

/** Subscribers on connections of their own, in this process like the server: its memory is the memory of both. */
function crowd(size: number, after: string): Crowd {
  const counts = Array.from({ length: size }, () => 0)
  const greeted = new Set<number>()
  const dismissed = new Set<number>()
  const faults: unknown[] = []
  const url = `${guddesk.origin.replace('http', 'ws')}/graphql`
  const connectionParams = { authorization: `Bearer ${guddesk.tenant.key}` }
  const query = graphql(
    `subscription ($after: String) { events(filter: { types: MESSAGE_CREATED }, after: $after) { event { payload } } }`,
  )
  const variables = { after }
  const clients = counts.map((_, i) => {
    const client = createClient({ url, webSocketImpl: WebSocket, connectionParams })
    const next = ({ data, errors }: { data?: unknown; errors?: unknown }) => {
      if (errors !== undefined) return void faults.push(errors)
      const { event } = (data as { events: { event: { payload: { body: string } } } }).events
      if (event.payload.body === GREETING) greeted.add(i)
      else if (event.payload.body === FAREWELL) dismissed.add(i)
      else counts[i] = (counts[i] ?? 0) + 1
    }
    client.subscribe(
      { query, variables },
      { next, error: (error) => void faults.push(error), complete: () => undefined },
    )
    return client
  })
  const leave = async () => {
    await Promise.all(clients.map((client) => client.dispose()))
  }
  return { counts, greeted, dismissed, faults, leave }
}

const say = (body: string) =>
  guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body, type: 'AGENT' })

/** Where the log ends. */
async function endOfLog(): Promise<string> {
  await quiet(guddesk)
  const query = graphql(`{ events(last: 1) { pageInfo { endCursor } } }`)
  const { events } = await guddesk.query(query)
  return events.pageInfo.endCursor ?? ''
}

/** They come, each gets every event, they leave. */
async function visit(size: number): Promise<void> {
  const after = await endOfLog()
  await say(GREETING)
  // Each gets the greeting from the log, however late it comes: then it is subscribed.
  const { counts, greeted, dismissed, faults, leave } = crowd(size, after)
  await until(
    () => greeted.size === size,
    60_000,
    () => `${greeted.size} of ${size} are subscribed: ${JSON.stringify(faults.slice(0, 3))}`,
  )
  for (let i = 0; i < EVENTS; i++) await say(`message ${i}`)
  await until(() => counts.every((count) => count >= EVENTS), 30_000)
  await say(FAREWELL)
  await until(() => dismissed.size === size, 30_000)
  expect(counts).toEqual(counts.map(() => EVENTS))
  await leave()
  const connections = () =>
    new Promise<number>((resolve) => guddesk.server.getConnections((_, count) => resolve(count)))
  await until(async () => (await connections()) < size / 10)
}

/** What is still referenced, in megabytes: what V8 keeps for later use does not count. */
function usedMegabytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

test('1,000 subscribers each get each of 100 events, and their memory comes back when they leave', async () => {
  // Warm: code is compiled, pools are filled.
  await visit(100)
  guddesk.logs.length = 0
  const before = usedMegabytes()
  await visit(1000)
  guddesk.logs.length = 0
  let after = Number.POSITIVE_INFINITY
  await until(
    () => {
      after = usedMegabytes()
      return after < before * 1.1
    },
    5000,
    () => `${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`,
  )
}, 180_000)
