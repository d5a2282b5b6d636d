import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { freePort } from '../support/child.ts'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { until } from '../support/until.ts'

const PYTHON = ['/usr/bin/python3', '/usr/local/bin/python3', '/opt/homebrew/bin/python3'].find((path) =>
  existsSync(path),
)
const PROGRAM = fileURLToPath(new URL('receivers/one_thread.py', import.meta.url))

/*
 * A receiver of one thread that keeps connections open serves one connection for as long as it is open. Whoever else connects
 * waits, other requests of ours among them.
 */

let guddesk: TestGudDesk
let tenant: Tenant
let server: ChildProcess
let origin: string

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  if (PYTHON === undefined) throw new Error('Python is not installed: apt-get install python3')
  tenant = await guddesk.newTenant()
  const port = await freePort()
  origin = `http://127.0.0.1:${port}`
  server = spawn(PYTHON, [PROGRAM, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] })
  await until(() => ask().then(Boolean, () => false))
})
afterEach(async () => {
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
})

/** Somebody else, who asks once and closes the connection. */
const ask = () => fetch(origin, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5000) })

const register = async (path: string, of = tenant): Promise<string> => {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: origin + path }, { key: of.key })
  return data.endpoint.id
}

const UPDATE = graphql(`mutation ($input: UpdateWebhookEndpointInput!) {
  updateWebhookEndpoint(input: $input) { error { code } }
}`)
const limit = async (endpointId: string, maxInFlight: number, of = tenant) => {
  const { data } = await guddesk.graphql(UPDATE, { input: { endpointId, maxInFlight } }, { key: of.key })
  expect(data.updateWebhookEndpoint).toEqual({ error: null })
}

async function attempts(count: number, of = [tenant]) {
  const { deliveryAttempt } = guddesk.deps.db.prisma
  const where = { delivery: { workspaceId: { in: of.map(({ workspaceId }) => workspaceId) } } }
  const find = () => deliveryAttempt.findMany({ where, orderBy: { startedAt: 'asc' } })
  await until(async () => (await find()).length >= count, 30_000)
  return find()
}

const SEND_TEST = graphql(`mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { __typename } }`)

/** Events, and tests of the endpoint among them. */
async function sendMany(endpointId: string): Promise<void> {
  const input = { endpointId, type: 'MESSAGE_CREATED' }
  const send = (i: number) =>
    i % 4 === 1 ? guddesk.graphql(SEND_TEST, { input }, { key: tenant.key }) : guddesk.newConversation(tenant)
  await Promise.all(Array.from({ length: 40 }, (_, i) => send(i)))
}

test('an endpoint with maxInFlight 1 loses nothing, tests included', async () => {
  const id = await register('/alone')
  await limit(id, 1)
  await sendMany(id)
  const found = await attempts(40)
  expect(found.map(({ statusCode, number, isResent }) => [statusCode, number, isResent])).toEqual(
    Array(40).fill([200, 1, false]),
  )
})

test('and has one connection at a time', async () => {
  const open = new Set<Socket>()
  let most = 0
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end('ok'), 20))
  })
  receiver.on('connection', (socket) => {
    most = Math.max(most, open.add(socket).size)
    socket.on('close', () => open.delete(socket))
  })
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const id = await register('/alone')
  await limit(id, 1)
  await sendMany(id)
  await attempts(40)
  expect(most).toBe(1)
  receiver.closeAllConnections()
  receiver.close()
})

test('its idle connection is closed in time for others', async () => {
  await limit(await register('/alone'), 1)
  await guddesk.newConversation(tenant)
  await attempts(1)
  const began = performance.now()
  expect((await ask()).status).toBe(200)
  expect(performance.now() - began).toBeLessThan(3000)
})

test('one that may have several requests in flight loses none of them', async () => {
  await limit(await register('/several'), 10)
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 10 }, () => guddesk.newConversation(tenant)))
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const found = await attempts(40)
  expect(found.map(({ statusCode, number }) => [statusCode, number])).toEqual(Array(40).fill([200, 1]))
})

test('two endpoints of one receiver do not starve each other', async () => {
  const other = await guddesk.newTenant()
  await limit(await register('/mine'), 1)
  await limit(await register('/theirs', other), 1, other)
  for (let i = 0; i < 15; i++) {
    await Promise.all([guddesk.newConversation(tenant), guddesk.newConversation(other)])
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const found = await attempts(30, [tenant, other])
  expect(found.map(({ statusCode, number }) => [statusCode, number])).toEqual(Array(30).fill([200, 1]))
})
