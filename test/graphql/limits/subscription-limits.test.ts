import { type ClientRequest, request } from 'node:http'
import { type Client, createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { pause, until } from '../../support/until.ts'
import type { GraphQLFault } from '../live.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

function connect(key: string): Client {
  const url = `${guddesk.origin.replace('http', 'ws')}/graphql`
  const connectionParams = { authorization: `Bearer ${key}` }
  return createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 })
}

interface Opened {
  readonly faults: GraphQLFault[]
  begun: number
  readonly ends: (() => void)[]
}

/** Opens inboxes, whose first update comes at once. */
function open(client: Client, count: number, opened: Opened): void {
  for (let i = 0; i < count; i++) {
    const fail = (errors: readonly unknown[]) => void opened.faults.push(...(errors as GraphQLFault[]))
    const sink = {
      next({ errors }: { errors?: readonly unknown[] | undefined }) {
        if (errors === undefined) opened.begun++
        else fail(errors)
      },
      error: (error: unknown) => fail(Array.isArray(error) ? error : [error]),
      complete: () => undefined,
    }
    opened.ends.push(client.subscribe({ query: 'subscription { inbox { cursor } }' }, sink))
  }
}

const none = (): Opened => ({ faults: [], begun: 0, ends: [] })

/** Opens inboxes, again as long as one is refused: the server ends others as it hears of it. */
async function untilThereIsRoom(client: Client, count: number): Promise<void> {
  await until(async () => {
    const tried = none()
    open(client, count, tried)
    await until(() => tried.begun + tried.faults.length === count)
    if (tried.begun === count) return true
    for (const end of tried.ends) end()
    return false
  })
}

test('one connection has 100 operations at most; the rest of them go on, and ended ones make room', async () => {
  const client = connect(guddesk.tenant.key)
  const opened = none()
  open(client, 100, opened)
  await until(() => opened.begun === 100)
  const refused = none()
  open(client, 2, refused)
  await until(() => refused.faults.length === 2)
  expect(refused.faults[0]?.extensions).toMatchObject({ code: 'rate_limited' })
  expect(refused.faults[0]?.message).toContain('100 open operations')
  const query = 'query { workspace { id } }'
  const one = client.iterate({ query }).next()
  await expect(one).rejects.toMatchObject([{ extensions: { code: 'rate_limited' } }])
  for (const end of opened.ends.slice(0, 2)) end()
  await untilThereIsRoom(client, 2)
  expect(opened.faults).toEqual([])
  await client.dispose()
})

test('one credential has 2,000 subscriptions at most, on whatever connections; ended ones make room', async () => {
  const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  const clients = Array.from({ length: 21 }, () => connect(key))
  const opened = none()
  for (const client of clients.slice(0, 20)) open(client, 100, opened)
  await until(() => opened.begun === 2000, 45_000)
  const [last] = clients.slice(20)
  if (last === undefined) throw new Error('there are twenty-one')
  const refused = none()
  open(last, 1, refused)
  await until(() => refused.faults.length === 1)
  expect(refused.faults[0]?.extensions).toMatchObject({ code: 'rate_limited' })
  // Another key's are its own.
  const other = connect(guddesk.tenant.key)
  const others = none()
  open(other, 1, others)
  await until(() => others.begun === 1)
  // Server-sent events count with them.
  const answer = await guddesk.call('POST', '/graphql', { query: 'subscription { inbox { cursor } }' }, { key })
  expect(answer.body.errors).toMatchObject([{ extensions: { code: 'rate_limited' } }])
  opened.ends[0]?.()
  await untilThereIsRoom(last, 1)
  expect(opened.faults).toEqual([])
  await Promise.all([...clients, other].map((client) => client.dispose()))
}, 90_000)

test('subscriptions that are abandoned while they start do not count for ever', async () => {
  const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
  const { db } = guddesk.deps
  const sql = db.sql.bind(db)
  let lookedAt: number | null = null
  Object.assign(db, {
    sql: (text: string, params?: unknown[]) => {
      if (text.includes('wanted(credential_id')) lookedAt = performance.now()
      return sql(text, params)
    },
  })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream' }
  const abandon = (after: number): ClientRequest => {
    const asked = request(`${guddesk.origin}/graphql`, { method: 'POST', headers }, (answer) => answer.resume())
    asked.on('error', () => undefined)
    asked.end(JSON.stringify({ query: 'subscription { inbox { cursor } }' }))
    setTimeout(() => asked.destroy(), after)
    return asked
  }
  for (let i = 0; i < 200; i++) {
    abandon(i % 25)
    if (i % 10 === 0) await pause(5)
  }
  for (let i = 0; i < 50; i++) {
    const client = connect(key)
    open(client, 1, none())
    setTimeout(() => void client.dispose(), i % 25)
  }
  // Some were watched, and then nothing is asked for any more.
  await until(() => lookedAt !== null)
  const isQuiet = () => lookedAt !== null && performance.now() - lookedAt > 2000
  await until(isQuiet, 20_000, () => 'somebody is still watched')
  Object.assign(db, { sql })
})
