import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'
import { pageIsIdle, pageIsLive } from '../walk.ts'

const running = new Set<ChildProcess>()
useDesk()
useVisits()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

const dialog = () => page.getByRole('dialog')
const button = (name: string) => page.getByRole('button', { name, exact: true })
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true })

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Runs a program until the test ends; resolves when it says so, or when something listens. */
async function run(command: string, args: string[], env: Record<string, string>, port: number): Promise<string[]> {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  running.add(child)
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(String(chunk)))
  await eventually(async () => {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    expect(answered, output.join('')).toBe(true)
  }, 10_000)
  return output
}

/** Through the dialog, as the public page says. What the panel shows. */
async function install(name: string, webhookUrl: string): Promise<{ secret: string; key: string }> {
  await page.goto('/w/acme/settings/webhooks')
  await page.getByRole('link', { name: 'AI Agents' }).click()
  await button('Install Agent').first().click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Webhook URL').fill(webhookUrl)
  await inDialog('Install Agent').click()
  await dialog().getByText('This is the only time that you see these.').waitFor()
  const [secret = '', key = ''] = await dialog().locator('code').allInnerTexts()
  return { secret, key }
}

async function visitorWrites(name: string, message: string): Promise<void> {
  const { guddesk } = desk
  const visitorId = await guddesk.newVisitor(guddesk.tenant, name)
  await guddesk.call('POST', '/api/v1/conversations', { visitorId, message })
}

/** In the inbox, which is open: without a reload. */
async function seesReply(visitor: string, reply: string): Promise<void> {
  const row = page.getByRole('region', { name: 'Conversations' }).getByRole('listitem').filter({ hasText: visitor })
  await row.filter({ hasText: reply }).waitFor()
}

test('from Install Agent to an answer in the inbox, its delivery, and delivering it again', async () => {
  const port = await freePort()
  const webhookUrl = `http://127.0.0.1:${port}/webhook`
  const { secret, key } = await install('EchoBot', webhookUrl)
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  expect(key).toMatch(/^gd_[\w-]{43}$/)
  expect(await violationsInBoth(page)).toEqual([])

  // Neither a key nor the browser's back button loses them.
  await page.keyboard.press('Escape')
  await page.evaluate(() => history.back())
  await pageIsIdle(page)
  expect(await dialog().locator('code').first().innerText()).toBe(secret)

  const env = {
    GUDDESK_API_KEY: key,
    GUDDESK_URL: desk.guddesk.origin,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  }
  const output = await run(process.execPath, ['examples/echo-agent/agent.js'], env, port)
  await eventually(async () => expect(output.join('')).toContain('Registered'))
  await inDialog('Send').click()
  await dialog().getByText('Delivered').waitFor()
  await inDialog('I have saved these').click()
  await page.getByRole('heading', { name: 'EchoBot', level: 1 }).waitFor()

  await page.getByRole('link', { name: 'All open' }).click()
  await pageIsLive(page)
  await visitorWrites('Vera Visitor', 'I want a refund')
  await seesReply('Vera Visitor', 'Echo: I want a refund')

  await page.getByRole('link', { name: 'AI Agents' }).click()
  await page.getByRole('link', { name: 'EchoBot' }).click()
  await page.getByRole('link', { name: 'Deliveries' }).click()
  const deliveries = page.getByRole('list', { name: 'Deliveries' }).getByRole('listitem')
  await deliveries.filter({ hasText: 'message.created' }).filter({ hasText: '200' }).last().click()
  const panel = page.getByRole('article', { name: 'Delivery' })
  await panel.getByText('I want a refund').waitFor()
  await button('Redeliver').click()
  await panel.getByText('Attempt 2').waitFor()
})

test.each([
  { language: 'Node', file: 'agent.mjs', command: process.execPath },
  { language: 'Python', file: 'agent.py', command: 'python3' },
])('the quickstart in $language runs as it is and answers', async ({ language, file, command }) => {
  const port = await freePort()
  const { secret, key } = await install(`Quick "${language}"`, `http://127.0.0.1:${port}/hooks/agent`)
  await page.getByRole('tab', { name: language }).click()
  const code = await page.getByRole('figure', { name: file }).locator('code').innerText()
  const commands = await page.getByRole('figure', { name: 'commands' }).locator('code').innerText()
  expect(commands).toContain(`export GUDDESK_API_KEY=${key}\nexport WEBHOOK_SECRET=${secret}`)
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-agent-'))
  await writeFile(join(folder, file), code)
  await run(command, [join(folder, file)], { GUDDESK_API_KEY: key, WEBHOOK_SECRET: secret }, port)
  await inDialog('I have saved these').click()
  await page.getByRole('link', { name: 'All open' }).click()
  await visitorWrites(`Visitor of ${language}`, 'Does it work?')
  await seesReply(`Visitor of ${language}`, 'You said: Does it work?')
  await rm(folder, { recursive: true })
})

describe('an agent', () => {
  async function openAgent(name: string): Promise<{ id: string; key: string }> {
    const port = await freePort()
    const body = { name, webhookUrl: `http://127.0.0.1:${port}/webhook` }
    const { data } = await desk.guddesk.call('POST', '/api/v1/agents', body)
    await page.goto(`/w/acme/settings/agents/${data.id}`)
    await pageIsIdle(page)
    return { id: data.id, key: data.credentials.apiKey }
  }
  const openMenu = async (item: string) => {
    await button('More actions').click()
    await page.getByRole('menuitem', { name: item }).click()
  }

  test('is changed, and a configuration that is no JSON is refused while it is typed', async () => {
    const { id } = await openAgent('Changer')
    await button('Edit').click()
    await dialog().getByLabel('Configuration').fill('{"tone": ')
    await page.getByText(/Invalid JSON/).waitFor()
    expect(await inDialog('Save').isDisabled()).toBe(true)
    await dialog().getByLabel('Configuration').fill('{"tone": "friendly"}')
    await dialog().getByLabel('Description').fill('Answers questions on returns')
    await inDialog('Save').click()
    await page.getByText('Answers questions on returns').first().waitFor()
    await page.getByRole('figure', { name: 'configuration' }).getByText('"tone": "friendly"').waitFor()
    expect((await desk.guddesk.call('GET', `/api/v1/agents/${id}`)).data).toMatchObject({
      config: { tone: 'friendly' },
    })
  })

  test('is switched off and on, which ends and brings back its key', async () => {
    const { key } = await openAgent('Switcher')
    const isSeen = async () => (await desk.guddesk.call('GET', '/api/v1/conversations', undefined, { key })).status
    await page.getByRole('switch').click({ force: true })
    await eventually(async () => expect(await isSeen()).toBe(403))
    await page.getByRole('switch').click({ force: true })
    await eventually(async () => expect(await isSeen()).toBe(200))
  })

  test('gets a new key, and a new secret, each shown once', async () => {
    const { key } = await openAgent('Rotator')
    await openMenu('Rotate API key')
    await inDialog('Rotate API key').click()
    const next = await dialog().locator('code').first().innerText()
    expect(next).toMatch(/^gd_[\w-]{43}$/)
    expect(next).not.toBe(key)
    await inDialog('I have saved it').click()
    expect((await desk.guddesk.call('GET', '/api/v1/conversations', undefined, { key: next })).status).toBe(200)
    await openMenu('Rotate signing secret')
    await inDialog('Rotate secret').click()
    expect(await dialog().locator('code').first().innerText()).toMatch(/^[0-9a-f]{64}$/)
    await button('I have saved the secret').click()
  })

  test('is uninstalled by its name, after what goes with it was said', async () => {
    const { id, key } = await openAgent('Leaver')
    await openMenu('Uninstall')
    await dialog()
      .getByRole('list', { name: 'Removed with the agent' })
      .getByText(`the API key ${key.slice(0, 8)}`)
      .waitFor()
    await dialog()
      .getByText(/the endpoint http:\/\/127\.0\.0\.1/)
      .waitFor()
    expect(await inDialog('Uninstall').isDisabled()).toBe(true)
    await page.getByLabel('Type Leaver to confirm').fill('Leaver')
    await inDialog('Uninstall').click()
    await page.getByRole('heading', { name: 'AI Agents' }).waitFor()
    await eventually(async () => expect(await page.getByRole('link', { name: 'Leaver' }).count()).toBe(0))
    expect((await desk.guddesk.call('GET', `/api/v1/agents/${id}`)).status).toBe(404)
  })
})

test('a URL that the server refuses is said at its field, and what was typed stays', async () => {
  await page.goto('/w/acme/settings/agents')
  await pageIsIdle(page)
  await button('Install Agent').first().click()
  await page.getByLabel('Name', { exact: true }).fill('Kept')
  await page.getByLabel('Webhook URL').fill('http://10.0.0.1/webhook')
  await inDialog('Install Agent').click()
  await dialog()
    .getByText(/Is refused/)
    .waitFor()
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Kept')
})

test('a viewer looks, and is offered nothing else', async () => {
  await desk.guddesk.call('POST', '/api/v1/agents', { name: 'Looked at', webhookUrl: 'http://127.0.0.1:9/looked-at' })
  const { prisma } = desk.guddesk.deps.db
  const where = { id: desk.guddesk.tenant.memberId }
  await prisma.member.update({ where, data: { role: 'VIEWER' } })
  try {
    await page.goto('/w/acme/settings/agents')
    await page.getByRole('link', { name: 'Looked at' }).waitFor()
    expect(await button('Install Agent').count()).toBe(0)
    expect(await page.getByRole('switch', { name: 'Looked at is enabled' }).isDisabled()).toBe(true)
    await page.getByRole('link', { name: 'Looked at' }).click()
    await page.getByRole('heading', { name: 'Quickstart' }).waitFor()
    expect(await button('Edit').count()).toBe(0)
    expect(await button('More actions').count()).toBe(0)
  } finally {
    await prisma.member.update({ where, data: { role: 'OWNER' } })
  }
})
