import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../../src/dispatch/send/http-client.ts'
import { checkWebhookUrl } from '../../../src/domain/webhooks/webhook-url.ts'
import { createResolver } from '../../../src/infra/net/resolve.ts'
import type { TargetPolicy } from '../../../src/infra/net/target-policy.ts'
import { type NameServer, startNameServer, type Zone } from '../../support/peers/name-server.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

const BODY = '{"event":"ping","data":{}}'
const error = expect.stringMatching(
  /^The host name resolves to a private, loopback or reserved address; to allow it, set /,
)
const REFUSED = { kind: 'refused', error }

let receiver: Receiver
const closing: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  receiver = await startReceiver()
})

afterEach(async () => {
  await receiver.close()
  for (const close of closing.splice(0)) await close()
})

/** As in production, but for the scheme: the receiver here has no certificate. */
async function guarded(zone: Zone, more: Partial<TargetPolicy> = {}) {
  const names: NameServer = await startNameServer(zone)
  const resolve = createResolver({ servers: [names.address], hostsFile: '/nonexistent' })
  const policy: TargetPolicy = { requireHttps: false, allowLoopback: false, resolve, ...more }
  const sender: HttpClient = createHttpClient(policy)
  closing.push(
    async () => sender.close(),
    () => names.close(),
  )
  return { names, policy, sender, resolve }
}

describe('rebinding', () => {
  test('a name that was public when it was saved and is loopback when it is sent to', async () => {
    const zone: Zone = (_, type, count) => (type === 'AAAA' ? [] : count === 1 ? ['93.184.216.34'] : ['127.0.0.1'])
    const { policy, sender } = await guarded(zone)
    const url = `http://rebind.example.com:${receiver.port}/hook`
    expect(await checkWebhookUrl(policy, url)).toBe(url)
    expect(await sender.post(url, {}, BODY)).toEqual(REFUSED)
    expect(receiver.received).toEqual([])
  })

  test('each connection asks once, and goes where that answer said', async () => {
    // Whoever asked a second time would get a public address, and would not find the receiver.
    const zone: Zone = (_, type, count) => (type === 'AAAA' ? [] : count === 1 ? ['127.0.0.1'] : ['93.184.216.34'])
    const { names, sender } = await guarded(zone, { openHosts: ['agent.example.com'] })
    const url = `http://agent.example.com:${receiver.port}/`
    expect(await sender.post(url, {}, BODY)).toMatchObject({ kind: 'answered', statusCode: 200 })
    expect(names.questions).toEqual(['A agent.example.com', 'AAAA agent.example.com'])
  })

  test.each(['AAAA', 'A'])('a private %s record beside a public one of the other kind', async (kind) => {
    const bad = kind === 'A' ? ['10.0.0.1'] : ['fd00::1']
    const good = kind === 'A' ? ['2606:4700:4700::1111'] : ['93.184.216.34']
    const { policy, sender } = await guarded((_, type) => (type === kind ? bad : good))
    await expect(checkWebhookUrl(policy, 'https://mixed.example.com/')).rejects.toThrow(/must not resolve/)
    expect(await sender.post('https://mixed.example.com/', {}, BODY)).toEqual(REFUSED)
  })

  test('a kept connection serves its own name only', async () => {
    const { sender } = await guarded((_, type) => (type === 'A' ? ['127.0.0.1'] : []), { openHosts: ['a.example.com'] })
    const send = (host: string) => sender.post(`http://${host}:${receiver.port}/`, {}, BODY)
    expect((await send('a.example.com')).kind).toBe('answered')
    expect(await send('b.example.com')).toEqual(REFUSED)
    expect((await send('a.example.com')).kind).toBe('answered')
    expect(receiver.received).toHaveLength(2)
  })

  test('of several addresses, one that answers is found', async () => {
    // 127.0.0.2 has no listener on that port: the receiver listens on 127.0.0.1 only.
    const { sender } = await guarded((_, type) => (type === 'A' ? ['127.0.0.2', '127.0.0.1'] : []), {
      openHosts: ['several.example.com'],
    })
    const exchange = await sender.post(`http://several.example.com:${receiver.port}/`, {}, BODY)
    expect(exchange).toMatchObject({ kind: 'answered', statusCode: 200 })
  })
})

describe('resolving', () => {
  test('a name that nobody knows is the receiver’s failure, not a refusal', async () => {
    const { sender } = await guarded(() => [])
    const exchange = await sender.post('http://nowhere.example.com/', {}, BODY)
    expect(exchange).toEqual({ kind: 'failed', error: expect.stringMatching(/^The host name does not resolve/) })
  })

  test('a name server that is silent costs two seconds', async () => {
    const { policy, sender } = await guarded(() => null)
    const began = performance.now()
    const exchange = await sender.post('http://slow.example.com/', {}, BODY)
    expect(exchange).toEqual({ kind: 'failed', error: expect.stringMatching(/^The host name could not be resolved/) })
    expect(performance.now() - began).toBeLessThan(3500)
    expect(await checkWebhookUrl(policy, 'http://slow.example.com/')).toBe('http://slow.example.com/')
  })

  test('one family without an answer does not spoil the other', async () => {
    const { resolve } = await guarded((_, type) => (type === 'A' ? ['93.184.216.34'] : null))
    expect(await resolve('half.example.com')).toEqual(['93.184.216.34'])
  })

  test('many slow names delay neither another name nor files', async () => {
    const { resolve } = await guarded((name, type) =>
      name.startsWith('slow') ? null : type === 'A' ? ['93.184.216.34'] : [],
    )
    const slow = Array.from({ length: 100 }, (_, i) => resolve(`slow${i}.example.com`).catch((error: Error) => error))
    const began = performance.now()
    await Promise.all([resolve('quick.example.com'), stat('/'), stat('/tmp')])
    expect(performance.now() - began).toBeLessThan(1000)
    expect((await Promise.all(slow)).every((answer) => answer instanceof Error)).toBe(true)
    expect(performance.now() - began).toBeLessThan(4000)
  })

  test('connections that open at once share a question; the next one asks again', async () => {
    const { names, resolve } = await guarded((_, type, count) => (type === 'A' ? [`192.0.2.${count}`] : []))
    const answers = await Promise.all(Array.from({ length: 10 }, () => resolve('agent.example.com')))
    expect(new Set(answers.flat())).toEqual(new Set(['192.0.2.1']))
    expect(names.questions).toHaveLength(2)
    expect(await resolve('agent.example.com')).toEqual(['192.0.2.2'])
  })

  test('the hosts file counts first, and is read again when it changed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guddesk-hosts-'))
    closing.push(() => rm(folder, { recursive: true }))
    const hostsFile = join(folder, 'hosts')
    await writeFile(hostsFile, '# comment\nfd00::5 Agent other # second\n\n192.168.3.4\tagent\nnonsense line\n')
    const { names } = await guarded(() => ['93.184.216.34'])
    const resolve = createResolver({ servers: [names.address], hostsFile })
    expect(await resolve('AGENT.')).toEqual(['192.168.3.4', 'fd00::5'])
    expect(await resolve('other')).toEqual(['fd00::5'])
    expect(names.questions).toEqual([])
    await writeFile(hostsFile, '192.168.9.9 agent\n')
    await utimes(hostsFile, new Date(), new Date(Date.now() + 5000))
    await until(async () => (await resolve('agent'))[0] === '192.168.9.9', 5000)
  })

  test('localhost is this machine, whatever the name servers say', async () => {
    const { names, resolve } = await guarded(() => ['93.184.216.34'])
    expect(await resolve('localhost')).toEqual(['127.0.0.1', '::1'])
    expect(await resolve('a.b.localhost.')).toEqual(['127.0.0.1', '::1'])
    expect(names.questions).toEqual([])
  })
})
