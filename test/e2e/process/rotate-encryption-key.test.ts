import { createHmac, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation, post, type Running } from '../../support/child.ts'
import { backend } from '../../support/database.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

const OLD = randomBytes(32).toString('hex')
const NEW = randomBytes(32).toString('hex')
const NOT_YET = { ENCRYPTION_KEY: OLD, ENCRYPTION_KEY_PREVIOUS: NEW }
const BOTH = { ENCRYPTION_KEY: NEW, ENCRYPTION_KEY_PREVIOUS: OLD }

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

async function stop(child: Child): Promise<void> {
  child.signal('SIGTERM')
  await child.exited()
}

/** The secret of a new endpoint: one more thing that is sealed. */
async function subscribe(child: Child, path = '/webhook'): Promise<string> {
  const url = receiver.url.replace('/webhook', path)
  const { data } = await post<{ data: { endpoint: { secret: string } } }>(child, '/api/agent/webhooks', { url })
  return data.endpoint.secret
}

const install = (child: Child) =>
  fetch(`${child.origin}/api/v1/agents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${child.key}`, 'content-type': 'application/json', 'idempotency-key': 'install' },
    body: JSON.stringify({ name: 'Bot', webhookUrl: `${receiver.url}/agent` }),
  }).then(async (response) => ({ status: response.status, body: await response.text() }))

/** Causes an event, and expects it to arrive with that secret's signature. */
async function expectSigned(child: Child, secret: string, count: number): Promise<void> {
  const { data } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'Vera' })
  await post(child, '/api/v1/conversations', { visitorId: data.id })
  const received = (await receiver.waitFor(count)).find(({ path }) => path === '/webhook')
  const last = received === undefined ? undefined : receiver.received.filter(({ path }) => path === '/webhook').at(-1)
  const signature = `sha256=${createHmac('sha256', secret)
    .update(last?.text ?? '')
    .digest('hex')}`
  expect(last?.headers['x-guddesk-signature']).toBe(signature)
}

test('a new key takes the place of the old one, and nothing that was sealed is lost', async () => {
  let child = await installation.start({ ENCRYPTION_KEY: OLD })
  const { data } = await post<{ data: { endpoint: { secret: string } } }>(child, '/api/agent/webhooks', {
    url: receiver.url,
  })
  const first = await install(child)
  expect(first.status).toBe(201)
  await expectSigned(child, data.endpoint.secret, 2)
  await stop(child)

  child = await installation.start(BOTH)
  await expectSigned(child, data.endpoint.secret, 4)
  // The embedded database belongs to one process.
  if (backend === 'embedded') await stop(child)
  const ran = await installation.runWith(BOTH, 'rotate-encryption-key')
  expect(ran).toEqual({ code: 0, output: expect.stringContaining('3 secrets re-encrypted with the new key.') })
  expect((await installation.runWith(BOTH, 'rotate-encryption-key')).output).toContain('0 secrets')
  for (const key of [OLD, NEW, data.endpoint.secret]) expect(ran.output).not.toContain(key)
  if (backend === 'postgres') {
    await expectSigned(child, data.endpoint.secret, 6)
    await stop(child)
  }

  child = await installation.start({ ENCRYPTION_KEY: NEW })
  await expectSigned(child, data.endpoint.secret, receiver.received.length + 2)
  expect(await install(child)).toEqual(first)
}, 90_000)

/** Asks who that is, with a cookie; the answer's cookie when there is one. */
async function whoIs(child: Child, cookie: string): Promise<{ name: string | undefined; renewed: string | undefined }> {
  const headers = { cookie, origin: child.origin, 'content-type': 'application/json' }
  const body = JSON.stringify({ query: '{ me { email } }' })
  const answer = await fetch(`${child.origin}/graphql`, { method: 'POST', headers, body })
  const { data } = (await answer.json()) as { data?: { me: { email: string } | null } | null }
  return { name: data?.me?.email, renewed: answer.headers.get('set-cookie')?.split(';')[0] }
}

test('people stay signed in: their cookies are signed again while both keys are set', async () => {
  let child = await installation.start({ ENCRYPTION_KEY: OLD })
  const link = () => /http:\S+(\/api\/auth\/sign-in\/link\?token=\S+)/.exec(child.output())?.[1]
  await until(() => link() !== undefined)
  const opened = await fetch(`${child.origin}${link()}`, { method: 'POST', redirect: 'manual' })
  const old = String(opened.headers.get('set-cookie')?.split(';')[0])
  expect(await whoIs(child, old)).toEqual({ name: 'owner@localhost', renewed: undefined })
  await stop(child)

  child = await installation.start(BOTH)
  const { name, renewed = '' } = await whoIs(child, old)
  expect(name).toBe('owner@localhost')
  expect(await whoIs(child, renewed)).toEqual({ name: 'owner@localhost', renewed: undefined })
  await stop(child)

  child = await installation.start({ ENCRYPTION_KEY: NEW })
  expect((await whoIs(child, renewed)).name).toBe('owner@localhost')
  expect((await whoIs(child, old)).name).toBeUndefined()
  await stop(child)
}, 90_000)

test('says what no key opens, and what must be set', async () => {
  const child = await installation.start({ ENCRYPTION_KEY: randomBytes(32).toString('hex') })
  await post(child, '/api/agent/webhooks', { url: receiver.url })
  await stop(child)
  const ran = await installation.runWith(BOTH, 'rotate-encryption-key')
  expect(ran).toEqual({
    code: 1,
    output: expect.stringMatching(
      /These secrets cannot be decrypted with either key:\n {2}webhook_endpoints\.sealed_secret of whk_\w+\n/,
    ),
  })
  const unset = await installation.runWith({ ENCRYPTION_KEY: NEW }, 'rotate-encryption-key')
  expect(unset).toEqual({
    code: 1,
    output: expect.stringContaining('Set ENCRYPTION_KEY to the new key, and ENCRYPTION_KEY_PREVIOUS'),
  })
}, 60_000)

const NOTHING = 'The previous key is no longer used: you can remove ENCRYPTION_KEY_PREVIOUS.'

// With the embedded database the server is stopped meanwhile.
describe.runIf(backend === 'postgres')('nodes that seal with another key', () => {
  /** Until the command has said `count` times for whom it waits; what it said last. */
  async function waitingFor({ output }: Running, count: number): Promise<string> {
    const said = () => output().split('Waiting for these nodes, which use another key:')
    await until(() => said().length > count, 60_000, output)
    return said().at(-1) ?? ''
  }

  test('are waited for, and what they encrypt meanwhile is re-encrypted', async () => {
    const api = await installation.start({ ...NOT_YET, GUDDESK_ROLES: 'api' })
    const dispatcher = await installation.start({ ...NOT_YET, GUDDESK_ROLES: 'dispatcher' })
    const command = installation.begin(BOTH, 'rotate-encryption-key')
    const first = await waitingFor(command, 1)
    for (const { pid } of [api, dispatcher]) {
      expect(first).toMatch(new RegExp(`^ {2}.+, process ${pid} \\(key [0-9a-f]{8}\\)$`, 'm'))
    }
    const secret = await subscribe(api)
    await stop(api)
    const swapped = await installation.start(BOTH)
    const second = await waitingFor(command, 2)
    expect(second).toContain(`process ${dispatcher.pid} `)
    for (const { pid } of [api, swapped]) expect(second).not.toContain(`process ${pid} `)
    await stop(dispatcher)
    const { code, output } = await command.ended
    expect(code).toBe(0)
    expect(output).toMatch(/^0 secrets re-encrypted .*\n/)
    expect(output).toMatch(new RegExp(`\n1 secret re-encrypted .*\n${NOTHING}\n$`))
    await stop(swapped)

    await expectSigned(await installation.start({ ENCRYPTION_KEY: NEW }), secret, 1)
  }, 180_000)

  test('are named when they are still there in the end', async () => {
    const child = await installation.start(NOT_YET)
    await subscribe(child)
    const { code, output } = await installation.runWith(BOTH, 'rotate-encryption-key', '--wait', '1')
    expect(code).toBe(1)
    expect(output).toContain('These nodes still use another key:\n')
    expect(output).toContain(`process ${child.pid} (key `)
    expect(output).not.toContain('The previous key is no longer used')
  }, 90_000)
})

test('a killed server is waited for no longer than it may live', async () => {
  const child = await installation.start({ ENCRYPTION_KEY: OLD })
  await subscribe(child)
  child.signal('SIGKILL')
  await child.exited()
  const { code, output } = await installation.runWith(BOTH, 'rotate-encryption-key', '--wait', '60')
  expect(code).toBe(0)
  expect(output).toMatch(new RegExp(`^1 secret re-encrypted .*\n[\\s\\S]*${NOTHING}\n$`))
}, 120_000)

test('says how it is called', async () => {
  for (const args of [['--wait', 'long'], ['60']]) {
    expect(await installation.runWith(BOTH, 'rotate-encryption-key', ...args)).toEqual({
      code: 2,
      output: expect.stringContaining('npm run rotate-encryption-key [-- --wait SECONDS]'),
    })
  }
}, 60_000)
