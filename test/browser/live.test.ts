import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import { type Desk, eventually, openDesk } from './people.ts'
import { settle } from './walk.ts'

let browser: Browser
let desk: Desk
beforeAll(async () => {
  browser = await openBrowser()
  desk = await openDesk(browser)
})
afterAll(async () => {
  await desk.stop()
  await browser.close()
})

test('a lost connection is said, and what happened meanwhile comes when it is back', async () => {
  const { guddesk } = desk
  const { page } = await desk.signIn()
  // Between the page and the server, so that the connection can be cut and held.
  let isCut = false
  const sockets = new Set<() => void>()
  await page.routeWebSocket('**/graphql', (socket) => {
    if (isCut) {
      void socket.close({ code: 4000, reason: 'cut' })
      return
    }
    socket.connectToServer()
    sockets.add(() => void socket.close({ code: 4000, reason: 'cut' }))
  })
  const id = await guddesk.newConversation(guddesk.tenant, 'Before')
  await page.goto(`/w/acme/inbox/open/${id}`)
  await settle(page)
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()

  isCut = true
  for (const cut of sockets) cut()
  await page.getByText('Connection lost.').waitFor()
  await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'While you were gone', type: 'BOT' })
  await guddesk.newConversation(guddesk.tenant, 'Nobody saw me come')
  await page.waitForTimeout(300)
  expect(await page.getByText('While you were gone').count()).toBe(0)

  isCut = false
  const log = page.getByRole('region', { name: 'Messages' })
  await log.getByText('While you were gone').waitFor({ timeout: 15_000 })
  await page.getByText('Nobody saw me come').first().waitFor()
  await page.getByText('Connection lost.').waitFor({ state: 'detached' })
  expect(await log.getByText('While you were gone').count()).toBe(1)
})

test('whoever is signed out elsewhere is led to the sign-in page, and back', async () => {
  const { guddesk } = desk
  const { page, context } = await desk.signIn()
  await page.goto('/w/acme/profile')
  await settle(page)
  await guddesk.deps.db.prisma.session.deleteMany({})
  await page.getByRole('link', { name: 'Closed' }).click()
  await page.waitForURL(/\/sign-in\?next=/)
  await page.getByLabel('Email').fill('olivia@acme.test')
  await page.getByLabel('Password', { exact: true }).fill('wrong wrong wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The email address or the password is wrong').waitFor()
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/w\/acme\//)
  await context.close()
})

test('an empty workspace is led to its first webhook', async () => {
  const fresh = await openDesk(browser)
  try {
    const { page, faults } = await fresh.signIn()
    await page.goto('/')
    const guide = page.getByRole('region', { name: 'First steps' })
    await guide.getByRole('button', { name: 'Install the echo agent' }).click()
    await eventually(async () => expect(await guide.getByLabel('Done').count()).toBe(1))
    await guide.getByRole('button', { name: 'Talk as a visitor' }).click()
    await page.getByLabel('Your message').fill('Can anybody hear me?')
    await page.getByRole('button', { name: 'Start the conversation' }).click()
    const chat = page.getByRole('log')
    await chat.getByText('You wrote: Can anybody hear me?').waitFor()
    await page.getByText('Your first webhook was delivered').waitFor()
    const row = page.getByRole('region', { name: 'Conversations' }).getByRole('listitem')
    expect(await row.first().textContent()).toContain('You wrote: Can anybody hear me?')
    await page.getByLabel(/Write as/).fill('And again?')
    await page.keyboard.press('Enter')
    await chat.getByText('You wrote: And again?').waitFor()
    expect(faults).toEqual([])
  } finally {
    await fresh.stop()
  }
})
