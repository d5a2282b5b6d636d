import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Installation, newInstallation, post } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'

let installation: Installation
let receiver: Receiver

beforeEach(async () => {
  installation = await newInstallation()
  receiver = await startReceiver()
})

afterEach(async () => {
  await installation?.remove()
  await receiver?.close()
})

test('the first start makes a key and prints a curl line that works; the second start prints none', async () => {
  await installation.remove()
  installation = await newInstallation({ isNew: true })
  const first = await installation.start({ GUDDESK_API_KEY: '' })
  const curl = /curl -H "Authorization: Bearer (gd_[\w-]{43})" (http:\S+)/.exec(first.output())
  expect(curl).not.toBeNull()
  const url = curl?.[2]?.replace('localhost', '127.0.0.1') ?? ''
  const response = await fetch(url, { headers: { authorization: `Bearer ${curl?.[1]}` } })
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ data: [], meta: { total: 0 } })
  first.signal('SIGTERM')
  expect(await first.exited()).toBe(0)
  const second = await installation.start({ GUDDESK_API_KEY: '' })
  expect(second.output()).toContain('is ready')
  expect(second.output()).not.toContain('gd_')
}, 90_000)

test('SIGTERM finishes what is being sent and asked, gives back leases, and exits 0 within 10 s', async () => {
  const child = await installation.start()
  await post(child, '/api/agent/webhooks', { url: receiver.url })
  receiver.behave((response) => void setTimeout(() => response.writeHead(200).end(), 1500))
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  await post(child, '/api/v1/conversations', { visitorId: visitor.id })
  await receiver.waitFor(1)
  const began = performance.now()
  child.signal('SIGTERM')
  expect(await child.exited()).toBe(0)
  const took = performance.now() - began
  expect(took).toBeGreaterThan(1000)
  expect(took).toBeLessThan(10_000)
  // It was recorded: what is new is sent, and nothing again.
  const again = await installation.start()
  receiver.behave(answer(200))
  await post(again, '/api/v1/conversations', { visitorId: visitor.id })
  await receiver.waitFor(2)
  expect(receiver.received.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual(['1', '1'])
  expect(new Set(receiver.received.map(({ headers }) => headers['x-guddesk-delivery'])).size).toBe(2)
  again.signal('SIGTERM')
  expect(await again.exited()).toBe(0)
}, 60_000)

test('a client that holds its connection open does not hold up the exit', async () => {
  const child = await installation.start()
  const socket = connect(Number(new URL(child.origin).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n')
  await once(socket, 'data')
  const began = performance.now()
  child.signal('SIGTERM')
  expect(await child.exited()).toBe(0)
  expect(performance.now() - began).toBeLessThan(3000)
  socket.destroy()
})

test('a second Ctrl-C exits at once', async () => {
  const child = await installation.start()
  await post(child, '/api/agent/webhooks', { url: receiver.url })
  receiver.behave(() => undefined)
  const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  await post(child, '/api/v1/conversations', { visitorId: visitor.id })
  await receiver.waitFor(1)
  child.signal('SIGINT')
  // Within a quarter of a second it would count as the same one: terminals and npm both send it.
  child.signal('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 600))
  const began = performance.now()
  child.signal('SIGINT')
  expect(await child.exited()).toBe(1)
  expect(performance.now() - began).toBeLessThan(1000)
})

test('a second process that cannot work on the same data says what to set', async () => {
  await installation.start(backend === 'postgres' ? { REDIS_URL: '' } : {})
  const second = installation.start()
  const sentence = backend === 'postgres' ? /REDIS_URL/ : /Stop it, set another DATA_DIR, or set DATABASE_URL/
  await expect(second).rejects.toThrow(sentence)
})

test('a wrong configuration names every fault', async () => {
  const broken = installation.start({ PORT: 'http', NODE_ENV: 'production', ENCRYPTION_KEY: 'short' })
  await expect(broken).rejects.toThrow(/PORT[\s\S]*ENCRYPTION_KEY[\s\S]*PUBLIC_URL/)
})

test.runIf(process.platform === 'linux')('idle memory stays within its bound (read from /proc)', async () => {
  const child = await installation.start()
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  const megabytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  expect(megabytes).toBeGreaterThan(50)
  expect(megabytes).toBeLessThan(backend === 'postgres' ? 250 : 1024)
})
