import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMailServer } from '../../support/peers/smtp.ts'
import { violationsInBoth } from '../axe.ts'
import { openBrowser } from '../browser.ts'
import { type Desk, EMAIL, openDesk, watchFaults } from '../people.ts'

const mails = await startMailServer()
const browser = await openBrowser()
let desk: Desk
beforeAll(async () => {
  desk = await openDesk(browser, { SMTP_URL: mails.url, MAIL_FROM: 'GudDesk <desk@example.com>' })
})
afterAll(async () => {
  await desk.stop()
  await browser.close()
  await mails.close()
})

/** A browser in which nobody is signed in. */
async function stranger(): Promise<{ page: Page; faults: string[]; close: () => Promise<void> }> {
  const context = await browser.newContext({ baseURL: desk.guddesk.origin })
  const page = await context.newPage()
  return { page, faults: watchFaults(page), close: () => context.close() }
}

/** The path of the link in a mail. */
async function pathIn(address: string, n = 1): Promise<string> {
  const link = /https?:\/\/\S+/.exec((await mails.mailTo(address, n)).text)?.[0] ?? ''
  const { pathname, search } = new URL(link)
  return pathname + search
}

test('somebody who forgot their password asks for a link and sets another one', async () => {
  const { page, faults, close } = await stranger()
  await page.goto('/sign-in')
  const ask = page.getByRole('button', { name: 'Email me a sign-in link' })
  await ask.waitFor()
  expect(await ask.isDisabled()).toBe(true)
  await page.getByLabel('Email').fill(EMAIL)
  await ask.click()
  await page.getByText('a link is on its way').waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  await page.goto(await pathIn(EMAIL))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/w\/acme\/inbox/)
  await page.goto('/w/acme/profile')
  await page.getByLabel('New password').fill('a password that is new')
  expect(await page.getByLabel('Current password').count()).toBe(0)
  await page.getByLabel('Also revoke my API keys').check()
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Password changed').waitFor()
  expect(faults).toEqual([])
  await close()
})

test('an invitation is mailed; one that was not is sent again', async () => {
  const { guddesk } = desk
  const context = await browser.newContext({ baseURL: guddesk.origin })
  const credential = await guddesk.newSession(guddesk.tenant)
  await context.addCookies([
    { name: 'guddesk.session_token', value: encodeURIComponent(credential), url: guddesk.origin },
  ])
  const page = await context.newPage()
  const faults = watchFaults(page)
  const address = 'mia@example.com'
  mails.isWilling = false
  await page.goto('/w/acme/settings/members')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Email' }).fill(address)
  await page.getByRole('dialog').getByRole('button', { name: 'Create invitation' }).click()
  await page.getByRole('dialog').getByText('could not be sent').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
  await page.getByText('Email not sent').waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  mails.isWilling = true
  await page.getByRole('button', { name: `Send again to ${address}` }).click()
  await page.getByText('Invitation sent to').waitFor()
  await page.getByText('Email not sent').waitFor({ state: 'detached' })
  expect(faults).toEqual([])
  await context.close()

  const invited = await stranger()
  await invited.page.goto(await pathIn(address))
  await invited.page.getByLabel('Your name').fill('Mia')
  await invited.page.getByLabel('Choose a password').fill('a long enough password')
  await invited.page.getByRole('button', { name: 'Join' }).click()
  await invited.page.waitForURL(/\/w\/acme\//)
  await invited.close()
})

test('somebody whose address is not verified sees what to do', async () => {
  const { guddesk } = desk
  const { userId } = await guddesk.newMember(guddesk.tenant, 'Una Unverified', 'ADMIN')
  const { prisma } = guddesk.deps.db
  const { email } = await prisma.user.update({ where: { id: userId }, data: { emailVerifiedAt: null } })
  const { page, faults, close } = await stranger()
  const credential = await guddesk.newSession({ userId })
  await page
    .context()
    .addCookies([{ name: 'guddesk.session_token', value: encodeURIComponent(credential), url: guddesk.origin }])
  await page.goto('/w/acme/profile')
  await page.getByRole('heading', { name: 'Verify your address' }).waitFor()
  expect(await violationsInBoth(page)).toEqual([])
  await page.getByRole('button', { name: 'Email me a sign-in link' }).click()
  await page.goto('/w/acme/settings/api-keys')
  await page.getByRole('button', { name: 'Create key' }).first().click()
  expect(await page.getByRole('radio', { name: 'All your workspaces' }).isDisabled()).toBe(true)
  await page.goto('/w/acme/settings/members')
  await page
    .getByRole('row', { name: /Una Unverified/ })
    .getByText('Not verified')
    .waitFor()

  // Invited elsewhere by a link that somebody else may have.
  const other = await guddesk.newTenant()
  const token = 'x'.repeat(43)
  const { sha256 } = await import('../../../src/infra/secrets.ts')
  await prisma.invitation.create({
    data: {
      id: 'inv_browser',
      workspaceId: other.workspaceId,
      email,
      role: 'AGENT',
      tokenHash: sha256(token),
      expiresAt: new Date(guddesk.clock.now().getTime() + 3_600_000),
    },
  })
  await page.goto(`/invitations/${token}`)
  await page.getByText('has an account with an unverified address').waitFor()
  expect(await violationsInBoth(page)).toEqual([])

  await page.goto(await pathIn(email))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/w\/acme\/inbox/)
  await page.goto('/w/acme/profile')
  await page.getByRole('button', { name: 'Set password' }).waitFor()
  expect(await page.getByRole('heading', { name: 'Verify your address' }).count()).toBe(0)
  await page.goto(`/invitations/${token}`)
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForURL(/\/w\//)
  expect(faults).toEqual([])
  await close()
})
