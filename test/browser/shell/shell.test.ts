import { describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { browser, desk, page, useDesk, useVisits, visit } from '../desk.ts'
import { EMAIL, eventually, PASSWORD, watchFaults } from '../people.ts'
import { pageIsIdle, pageIsLive } from '../walk.ts'

useDesk()
useVisits()

const user = () => page.getByRole('button', { name: /Profile, theme, sign out/ })
const switcher = () => page.getByRole('button', { name: /Change workspace/ })
const chosen = (name: string) => page.getByRole('menuitem', { name }).click()
const heading = (name: string) => page.getByRole('heading', { name, level: 1 })

describe('signing in', () => {
  test('with a wrong password is refused; with the right one it leads to where one wanted to go', async () => {
    const context = await browser.newContext({ baseURL: desk.guddesk.origin })
    const door = await context.newPage()
    const faults = watchFaults(door)
    await door.goto('/w/acme/settings/members')
    await door.waitForURL(/\/sign-in\?next=/)
    await door.getByRole('textbox', { name: 'Email' }).fill(EMAIL)
    await door.getByRole('textbox', { name: 'Password' }).fill('not this one at all')
    await door.getByRole('button', { name: 'Sign in' }).click()
    await door.getByText(/wrong|incorrect|invalid/i).waitFor()
    await door.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
    await door.keyboard.press('Enter')
    await door.waitForURL('**/w/acme/settings/members')
    await door.getByRole('heading', { name: 'Members', level: 1 }).waitFor()

    await door.getByRole('button', { name: /Profile, theme, sign out/ }).click()
    await door.getByRole('menuitem', { name: 'Sign out' }).click()
    await door.getByRole('heading', { name: 'Sign in to GudDesk' }).waitFor()
    await door.goto('/w/acme/inbox/open')
    await door.waitForURL(/\/sign-in\?next=/)
    expect(faults).toEqual([])
    await context.close()
  })
})

describe('the profile', () => {
  test('changes the name everywhere', async () => {
    await page.goto('/w/acme/inbox/open')
    await user().click()
    await chosen('Profile')
    await page.getByRole('textbox', { name: 'Name' }).fill('Olivia Osborne')
    await page.getByRole('button', { name: 'Save' }).click()
    await user().filter({ hasText: 'Olivia Osborne' }).waitFor()
    await page.reload()
    await user().filter({ hasText: 'Olivia Osborne' }).waitFor()
  })

  test('says which password is wrong, and what a new one must be', async () => {
    await page.goto('/w/acme/profile')
    await page.getByLabel('Current password').fill('not this one at all')
    await page.getByLabel('New password').fill('a new and long one')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Is incorrect', { exact: true }).waitFor()
    expect(await page.getByLabel('Current password').getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByLabel('New password').inputValue()).toBe('a new and long one')
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password').fill('short')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('must have at least 10 characters').waitFor()
    expect(await page.getByLabel('New password').getAttribute('aria-invalid')).toBe('true')
  })

  test('a theme is chosen, and kept', async () => {
    await page.goto('/w/acme/inbox/open')
    const scheme = () => page.evaluate(() => document.documentElement.dataset['mantineColorScheme'])
    expect(await scheme()).toBe('light')
    await user().click()
    await chosen('Dark')
    expect(await scheme()).toBe('dark')
    await page.reload()
    await user().waitFor()
    expect(await scheme()).toBe('dark')
  })
})

describe('finding one’s way', () => {
  test('by ⌘K: to a place, and to a command', async () => {
    await page.goto('/w/acme/inbox/open')
    await pageIsIdle(page)
    await page.keyboard.press('Control+k')
    const search = page.getByRole('textbox', { name: 'Search for a place or a command' })
    await search.fill('endpoints')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/settings/webhooks')
    await search.waitFor({ state: 'detached' })
    await page.keyboard.press('Control+k')
    await search.fill('dark theme')
    await page.keyboard.press('Enter')
    await eventually(async () =>
      expect(await page.evaluate(() => document.documentElement.dataset['mantineColorScheme'])).toBe('dark'),
    )
  })

  test('by the list of shortcuts', async () => {
    await page.goto('/w/acme/inbox/open')
    await pageIsIdle(page)
    await page.keyboard.press('?')
    const sheet = page.getByRole('dialog')
    for (const label of ['Next conversation', 'Reply', 'Assign', 'Snooze', 'Close or reopen']) {
      await sheet.getByText(label, { exact: true }).waitFor()
    }
  })

  test('as the documentation says: Workspace Settings > Webhooks > Add Endpoint', async () => {
    await page.goto('/w/acme/inbox/open')
    await switcher().click()
    await chosen('Workspace Settings')
    await heading('Workspace Settings').waitFor()
    await page.getByRole('main').getByRole('link', { name: 'Webhooks' }).click()
    await page.getByRole('button', { name: 'Add Endpoint' }).first().click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Endpoint URL' }).waitFor()
  })

  test('as the documentation says: Settings > AI Agents > Install Agent', async () => {
    await page.goto('/w/acme/inbox/open')
    await page.getByRole('region', { name: 'Settings' }).getByRole('link', { name: 'AI Agents' }).click()
    await page.getByRole('button', { name: 'Install Agent' }).first().click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).waitFor()
  })

  test('to another workspace, which is opened again next time', async () => {
    const { guddesk } = desk
    const other = await guddesk.newTenant()
    const { prisma } = guddesk.deps.db
    await prisma.workspace.update({ where: { id: other.workspaceId }, data: { name: 'Beta', slug: 'beta' } })
    const { workspaceId } = other
    const { userId } = guddesk.tenant
    await prisma.member.create({ data: { id: newId('member'), workspaceId, userId, role: 'AGENT' } })
    await guddesk.newConversation(guddesk.tenant, 'Only in Acme')
    await page.goto('/w/acme/inbox/open')
    await page.getByText('Only in Acme').waitFor()
    await switcher().click()
    await chosen('Beta')
    await page.waitForURL('**/w/beta/inbox/open')
    await page.getByText('No open conversations').waitFor()
    expect(await page.getByText('Only in Acme').count()).toBe(0)
    await page.goto('/')
    await page.waitForURL('**/w/beta/inbox/open')
  })
})

test('a lost connection is said, and what happened meanwhile is there when it is back', async () => {
  // A repetition finds nothing of an earlier one.
  const away = `While you were away (${newId('message')})`
  await page.goto('/w/acme/inbox/open')
  await pageIsLive(page)
  await visit.context.setOffline(true)
  await page.getByText('Reconnecting', { exact: true }).waitFor()
  await page.getByText('Connection lost.').waitFor()
  await desk.guddesk.newConversation(desk.guddesk.tenant, away)
  await visit.context.setOffline(false)
  await page.getByText(away).waitFor()
  await page.getByText('Connection lost.').waitFor({ state: 'detached' })
  await page.getByText('Reconnecting', { exact: true }).waitFor({ state: 'detached' })
  // The browser itself says of each try that it failed.
  expect(visit.faults.splice(0).filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
})
