import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'
import { pageIsIdle } from '../walk.ts'

let receiver: Receiver
useDesk()
afterEach(() => receiver.close())
useVisits()
beforeEach(async () => {
  receiver = await startReceiver()
})

const button = (name: string | RegExp, within: Page | Locator = page) =>
  within.getByRole('button', { name, exact: true })
const dialog = () => page.getByRole('dialog')
/** As it is shown, once. */
const signingSecret = () => dialog().locator('code').first().innerText()
const deliveries = () => page.getByRole('list', { name: 'Deliveries' }).getByRole('listitem')

async function register(url: string, events: object = {}): Promise<{ id: string; secret: string }> {
  const { data } = await desk.guddesk.call('POST', '/api/agent/webhooks', { url, events })
  return data.endpoint
}

async function openEndpoint(url = receiver.url): Promise<string> {
  const { id } = await register(url)
  await page.goto(`/w/acme/settings/webhooks/${id}`)
  await pageIsIdle(page)
  return id
}

async function openMenu(item: string): Promise<void> {
  await button('More actions').click()
  await page.getByRole('menuitem', { name: item }).click()
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

describe('an endpoint that its service has unregistered', () => {
  const unregister = (url: string) => desk.guddesk.call('DELETE', '/api/agent/webhooks', { url })

  test('says since when, and comes back when it is registered again', async () => {
    await register(receiver.url)
    await unregister(receiver.url)
    await page.goto('/w/acme/settings/webhooks')
    await pageIsIdle(page)
    const row = page.getByRole('list', { name: 'Unregistered endpoints' }).getByRole('listitem')
    await eventually(async () => expect(await row.innerText()).toMatch(/unregistered since just now, removed in/))
    expect(await row.innerText()).toContain(receiver.url)
    expect(await page.getByRole('link', { name: receiver.url }).count()).toBe(0)
    await register(receiver.url)
    await page.reload()
    await pageIsIdle(page)
    expect(await page.getByRole('link', { name: receiver.url }).count()).toBe(1)
    expect(await row.count()).toBe(0)
  })

  test('is removed for good on request', async () => {
    const { id, secret } = await register(receiver.url)
    await unregister(receiver.url)
    await page.goto('/w/acme/settings/webhooks')
    await pageIsIdle(page)
    await button(`Remove ${receiver.url}`).click()
    await dialog().getByRole('textbox').fill(new URL(receiver.url).host)
    await button('Delete endpoint', dialog()).click()
    await eventually(async () => expect(await page.getByText('unregistered since').count()).toBe(0))
    const again = await register(receiver.url)
    expect(again.id).not.toBe(id)
    expect(again.secret).not.toBe(secret)
  })

  test('of an agent says so on the agent’s page', async () => {
    const installed = { name: 'Stopper', webhookUrl: receiver.url }
    const { data } = await desk.guddesk.call('POST', '/api/v1/agents', installed)
    await unregister(receiver.url)
    await page.goto(`/w/acme/settings/agents/${data.id}`)
    await pageIsIdle(page)
    await eventually(async () => expect(await page.getByText('unregistered since just now').count()).toBe(1))
  })
})

describe('Add Endpoint', () => {
  test.each([
    { language: 'Node', file: 'receiver.mjs', command: process.execPath },
    { language: 'Python', file: 'receiver.py', command: 'python3' },
  ])('gives a secret and a receiver in $language that accepts what is sent', async ({ language, file, command }) => {
    const port = await freePort()
    await page.goto('/w/acme/settings/webhooks')
    await pageIsIdle(page)
    await button('Add Endpoint').first().click()
    await page.getByLabel('Endpoint URL').fill(`http://127.0.0.1:${port}/hooks/in`)
    await button('Add Endpoint', dialog()).click()
    const secret = await signingSecret()
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    // It cannot be lost by a slip of the hand.
    await page.keyboard.press('Escape')
    await page.getByRole('tab', { name: language }).click()
    const code = await page.getByRole('figure', { name: file }).locator('code').innerText()

    const folder = await mkdtemp(join(tmpdir(), 'guddesk-receiver-'))
    await writeFile(join(folder, file), code)
    const run = spawn(command, [join(folder, file)], { env: { ...process.env, WEBHOOK_SECRET: secret } })
    const output: string[] = []
    for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))
    try {
      await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeGreaterThan(0)).catch(
        // Python's has no GET: that it answers at all is enough.
        () => {},
      )
      await button('I have saved the secret').click()
      await page.getByRole('heading', { name: `127.0.0.1:${port}` }).waitFor()
      await button('Send test event').click()
      await button('Send', dialog()).click()
      await dialog().getByText('Delivered').waitFor()
      await eventually(async () => expect(output.join('')).toContain('ping'))
      // A stranger's request is refused.
      const forged = await fetch(`http://127.0.0.1:${port}/hooks/in`, {
        method: 'POST',
        headers: { 'x-guddesk-signature': `sha256=${'0'.repeat(64)}` },
        body: '{}',
      })
      expect(forged.status).toBe(401)
    } finally {
      run.kill()
      await rm(folder, { recursive: true })
    }
  })

  test('says what is wrong with a URL, and keeps what was typed', async () => {
    await page.goto('/w/acme/settings/webhooks')
    await pageIsIdle(page)
    await button('Add Endpoint').first().click()
    await page.getByLabel('Endpoint URL').fill('ftp://example.com/')
    await page.getByText('The URL must start with https:// or http://').waitFor()
    await page.getByLabel('Description').fill('Kept')
    await page.getByLabel('Endpoint URL').fill('http://10.0.0.1/webhook')
    await button('Add Endpoint', dialog()).click()
    await page.getByText('Is refused: ', { exact: false }).waitFor()
    expect(await page.getByLabel('Description').inputValue()).toBe('Kept')
    expect(await page.getByLabel('Endpoint URL').inputValue()).toBe('http://10.0.0.1/webhook')
  })

  test('by keyboard alone, with all events', async () => {
    await page.goto('/w/acme/settings/webhooks')
    await pageIsIdle(page)
    await button('Add Endpoint').first().focus()
    await page.keyboard.press('Enter')
    await eventually(async () =>
      expect(await page.getByLabel('Endpoint URL').evaluate((e) => e === document.activeElement)).toBe(true),
    )
    await page.keyboard.type(`${receiver.url}?keys`)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    expect(await signingSecret()).toHaveLength(64)
    const { data } = await desk.guddesk.call('GET', '/api/agent/webhooks')
    expect(data.find(({ url }: { url: string }) => url.endsWith('?keys')).events).toEqual({
      onMessageCreated: true,
      onConversationCreated: true,
      onConversationClosed: true,
      onConversationAssigned: true,
    })
  })
})

describe('an endpoint', () => {
  test('shows deliveries as they happen, in full, and sends one again', async () => {
    receiver.behave(answer(200, {}, '{"ok":true}'))
    await openEndpoint()
    await page.getByText('No deliveries yet').waitFor()
    await desk.guddesk.newConversation(desk.guddesk.tenant, 'Watched live')
    await deliveries().nth(1).waitFor()
    await deliveries().filter({ hasText: 'message.created' }).first().click()
    const panel = page.getByRole('article', { name: 'Delivery' })
    await panel.getByText('Attempt 1').waitFor()
    expect(await panel.getByRole('figure', { name: 'body' }).innerText()).toContain('"body": "Watched live"')
    expect(await panel.getByRole('figure', { name: 'response to attempt 1' }).innerText()).toContain('"ok": true')
    const before = receiver.received.length
    await button('Redeliver').click()
    await panel.getByText('Attempt 2').waitFor()
    expect(receiver.received.length).toBe(before + 1)
    expect(receiver.received.at(-1)?.headers['x-guddesk-attempt']).toBe('2')
  })

  test('tells of failures and the next attempt, filters by the address, and replays', async () => {
    receiver.behave(answer(500, {}, 'out of order'))
    const id = await openEndpoint()
    await desk.guddesk.newConversation(desk.guddesk.tenant, 'Will fail')
    await page.getByText('Failing').waitFor()
    await deliveries().filter({ hasText: 'Retrying' }).first().click()
    await page.getByText(/The next attempt is due/).waitFor()
    await page.getByText('out of order').first().waitFor()
    await page.goto(`/w/acme/settings/webhooks/${id}?status=DELIVERED`)
    await page.getByText('No matching deliveries').waitFor()
    await button('Clear').click()
    await deliveries().first().waitFor()
    expect(new URL(page.url()).search).toBe('')

    await desk.guddesk.deps.db.prisma.delivery.updateMany({
      where: { endpointId: id },
      data: { status: 'FAILED', nextAttemptAt: null, finishedAt: desk.guddesk.clock.now() },
    })
    receiver.behave(answer(200))
    await openMenu('Replay failed deliveries')
    await button('Replay', dialog()).click()
    await dialog().getByText('2 deliveries are sent again.').waitFor()
    await button('Close', dialog()).last().click()
    await page.getByText('Healthy').waitFor()
    await eventually(async () => expect(await deliveries().filter({ hasText: 'Delivered' }).count()).toBe(2))
  })

  test('that was disabled automatically says why, and is enabled again', async () => {
    receiver.behave(answer(410))
    await openEndpoint()
    await desk.guddesk.newConversation(desk.guddesk.tenant, 'Gone')
    await page.getByText('This endpoint was disabled automatically').waitFor()
    await page.getByText(/410 Gone/).waitFor()
    receiver.behave(answer(200))
    await button('Enable').click()
    await eventually(async () => expect(await page.getByText('This endpoint was disabled').count()).toBe(0))
  })

  test('gets a new secret with an overlap, which is ended', async () => {
    await openEndpoint()
    await openMenu('Rotate secret')
    await button('Rotate secret', dialog()).click()
    const next = await signingSecret()
    expect(next).toMatch(/^[0-9a-f]{64}$/)
    await button('I have saved the secret').click()
    await page.getByText('Secret rotation in progress').waitFor()
    await button(/End the old secret now/).click()
    await eventually(async () => expect(await page.getByText('Secret rotation in progress').count()).toBe(0))
  })

  test('is changed, and deleted by typing its host', async () => {
    await openEndpoint()
    await button('Edit').click()
    await page.getByLabel('Description').fill('For the shop')
    await page.getByLabel('conversation.closed').check()
    await button('Save').click()
    await page.getByText('For the shop').waitFor()
    await page.getByText('message.created, conversation.created, conversation.closed').waitFor()
    await openMenu('Delete')
    expect(await button('Delete endpoint').isDisabled()).toBe(true)
    await page.getByLabel(/^Type .* to confirm$/).fill(`127.0.0.1:${receiver.port}`)
    await button('Delete endpoint').click()
    await page.getByRole('heading', { name: 'Webhooks' }).waitFor()
    await eventually(async () =>
      expect(await page.getByRole('link', { name: receiver.url, exact: true }).count()).toBe(0),
    )
  })
})

test('the list tells how endpoints are, switches them, and offers nothing to who may not', async () => {
  const { id } = await register(receiver.url)
  await page.goto('/w/acme/settings/webhooks')
  const row = page.getByRole('list', { name: 'Endpoints' }).getByRole('listitem').filter({ hasText: receiver.url })
  await row.getByText('Not used yet').waitFor()
  await desk.guddesk.newConversation(desk.guddesk.tenant, 'Hello')
  await row.getByText('Healthy').waitFor()
  await row.getByRole('switch').click({ force: true })
  await row.getByText('Disabled').waitFor()
  const { prisma } = desk.guddesk.deps.db
  const where = { id: desk.guddesk.tenant.memberId }
  await prisma.member.update({ where, data: { role: 'AGENT' } })
  try {
    await page.reload()
    await page.getByText('Only owners and admins can change them.').waitFor()
    expect(await button('Add Endpoint').count()).toBe(0)
    expect(await row.getByRole('switch').isDisabled()).toBe(true)
    await page.goto(`/w/acme/settings/webhooks/${id}`)
    await deliveries().first().waitFor()
    expect(await button('Send test event').count()).toBe(0)
  } finally {
    await prisma.member.update({ where, data: { role: 'OWNER' } })
  }
})
